"""What the rendered pages get beside what their sources say: cards, the page of all runs, and the data behind them."""

from pathlib import Path

from rethinking.article import preview
from rethinking.article.cards import add_cards
from rethinking.article.runs_page import write_runs_page
from rethinking.results.frame import Results


def complete(site: Path, report: Path, results: Results, source: Path) -> None:
    """Complete the pages in `site`, which were rendered from `report` with the results in `source`."""
    settings = preview.website(report)
    add_cards(report, source, site, str(settings.get("repo-url", "")))
    write_runs_page(results, source, site, str(settings.get("title", "")), preview.navigation(report))
