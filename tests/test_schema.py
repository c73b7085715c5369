"""The schema that editors and other tools read is the params' own."""

import json
from pathlib import Path

from rethinking.params import Params

SCHEMA = Path(__file__).resolve().parents[1] / "workflow/schemas/params.schema.json"


def test_schema_file_is_current() -> None:
    """Renew it with: rethinking schema > workflow/schemas/params.schema.json."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == Params.model_json_schema()
