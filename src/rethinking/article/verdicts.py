"""Claims as the article's sources read them: a verdict beside the sentence, a line in a table, links both ways."""

from collections.abc import Iterable, Mapping

from rethinking.results.claims import MARKS, Verdict
from rethinking.results.table import NBSP, Column, Table

ARTICLE, CLAIMS = "index.qmd", "claims.qmd"
LONGEST = 75  # characters of evidence that a sentence bears


def verdict_markdown(study: str, record: Mapping[str, str]) -> str:
    """Return what stands behind a claim's sentence: the judgement, which leads to its line in the list, and evidence.

    Evidence that is long stands in the list alone, unless the claim differs: then the sentence says by how much. The
    judgement is also where that line leads back to, so a claim's verdict may stand in the article only once.
    """
    said = Verdict(record["judgement"], "").text  # type: ignore[arg-type]  # one of three words, read from claims.json
    evidence = record["evidence"] if record["judgement"] == "differs" or len(record["evidence"]) <= LONGEST else ""
    link = f"[[{said}]({CLAIMS}#{_line(study, record)})]{{#{_sentence(study, record)}}}"
    return f"{link}: {evidence}" if evidence else link


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
