"""Claims: sentences of the article bound to predicates over results.

A claim is judged on whatever results there are. Its verdict is part of the results, so prose and numbers cannot part.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rethinking.results.frame import Results
from rethinking.results.table import Column, Table

Judgement = Literal["holds", "differs", "not run"]

MARKS: dict[str, str] = {"holds": "✓ holds", "differs": "✗ differs", "not run": "– not run"}
"""How a judgement is shown: a sign and a word, so that neither colour nor sign alone carries it."""


class Verdict(NamedTuple):
    """What the results say to a claim."""

    judgement: Judgement
    evidence: str
    """The measured numbers, as a short phrase."""

    @property
    def text(self) -> str:
        """Return what the article shows behind the claim."""
        return f"{self.judgement} here" + (f": {self.evidence}" if self.evidence else "")


NOT_RUN = Verdict("not run", "")


def verdict(holds: bool, evidence: str) -> Verdict:
    """Return the verdict of a predicate that could be evaluated."""
    return Verdict("holds" if holds else "differs", evidence)


@dataclass(frozen=True)
class Claim:
    """A factual sentence about results, its source, and the predicate that judges it."""

    key: str
    statement: str
    source: str
    """Where the paper says so."""
    judge: Callable[[Results], Verdict]

    def record(self, results: Results) -> dict[str, str]:
        """Return the claim with its verdict as claims.json holds it."""
        found = self.judge(results)
        return {
            "key": self.key,
            "statement": self.statement,
            "source": self.source,
            "judgement": found.judgement,
            "evidence": found.evidence,
        }


def claims_table(claims: Iterable[Claim], results: Results) -> Table:
    """Return one row a claim: what it says, where the paper says so, the verdict and the numbers behind it."""
    records = [claim.record(results) for claim in claims]
    return Table(
        [Column("Claim"), Column("Source"), Column("Verdict"), Column("Measured")],
        [
            [record["statement"], record["source"], MARKS[record["judgement"]], record["evidence"] or None]
            for record in records
        ],
    )
