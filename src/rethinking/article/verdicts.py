"""Claims as the article's sources read them: a verdict beside the sentence, a line in a table, links both ways."""

from collections.abc import Iterable, Mapping

from rethinking.results.claims import MARKS, Verdict
from rethinking.results.table import Column, Table

ARTICLE, CLAIMS = "index.qmd", "claims.qmd"
NBSP = "\u00a0"  # a sign and its word stay on one line of a narrow column


def verdict_markdown(study: str, record: Mapping[str, str]) -> str:
    """Return what stands behind a claim's sentence: the judgement, which leads to its line in the list, and evidence.

    The judgement is also where that line leads back to, so a claim's verdict may stand in the article only once.
    """
    said = Verdict(record["judgement"], "").text  # type: ignore[arg-type]  # one of three words, read from claims.json
    evidence = f": {record['evidence']}" if record["evidence"] else ""
    return f"[[{said}]({CLAIMS}#{_line(study, record)})]{{#{_sentence(study, record)}}}{evidence}"


def claims_markdown(study: str, records: Iterable[Mapping[str, str]]) -> str:
    """Return a pipe table with a line for each claim of a study; its verdict leads to the sentence in the article."""
    table = Table(
        [Column("Claim"), Column("Source"), Column("Verdict"), Column("Measured")],
        [
            [
                f"[{record['statement']}]{{#{_line(study, record)}}}",
                record["source"],
                f"[{MARKS[record['judgement']].replace(' ', NBSP)}]({ARTICLE}#{_sentence(study, record)})",
                record["evidence"] or None,
            ]
            for record in records
        ],
    )
    return table.markdown()


def _line(study: str, record: Mapping[str, str]) -> str:
    return f"claim-{study}-{record['key']}"


def _sentence(study: str, record: Mapping[str, str]) -> str:
    return f"said-{study}-{record['key']}"
