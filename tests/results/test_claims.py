"""How a claim, its verdict and what the article shows hang together. The studies' own claims are tested with them."""

from pathlib import Path

import pandas as pd
import pytest

from rethinking.params_file import load_params
from rethinking.results.claims import MARKS, NOT_RUN, Claim, verdict
from rethinking.results.frame import Results
from rethinking.studies.registry import STUDIES

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke")
RESULTS = Results(PARAMS, pd.DataFrame(), pd.DataFrame())


def test_a_verdict_shows_its_evidence() -> None:
    assert verdict(True, "best 98 %").text == "holds here: best 98 %"
    assert verdict(False, "best 12 %").text == "differs here: best 12 %"
    assert NOT_RUN.text == "not run here"


def test_every_judgement_is_shown_by_a_sign_and_a_word() -> None:
    for judgement, mark in MARKS.items():
        sign, word = mark.split(" ", 1)
        assert word == judgement
        assert not sign.isalnum()
    assert len({mark[0] for mark in MARKS.values()}) == 3


def test_a_claim_is_judged_when_it_is_recorded() -> None:
    claim = Claim("cells", "There are results.", "here", lambda r: verdict(len(r.cells) > 0, f"{len(r.cells)} cells"))
    assert claim.record(RESULTS) == {
        "key": "cells",
        "statement": "There are results.",
        "source": "here",
        "judgement": "differs",
        "evidence": "0 cells",
    }


@pytest.mark.parametrize("name", STUDIES)
def test_claims_have_keys_of_their_own_that_prose_can_name(name: str) -> None:
    claims = STUDIES[name].claims()
    keys = [claim.key for claim in claims]
    assert len(set(keys)) == len(keys) > 0
    assert all(key.replace("-", "").isalnum() and key == key.lower() for key in keys)
    assert all(claim.statement.endswith(".") and claim.source for claim in claims)
