"""The study's tables and headline numbers."""

from collections.abc import Callable
from typing import Any

from rethinking.results.frame import Results
from rethinking.results.table import Table

TABLES: dict[str, Callable[[Results], Table]] = {}


def numbers(results: Results) -> dict[str, Any]:
    """Return the headline numbers."""
    return {}
