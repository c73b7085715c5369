"""What the rendered pages get beside what their sources say.

Cards, the page of all runs, the data behind them, and the image that other sites show of a link.
"""

from pathlib import Path

from rethinking.article import preview
from rethinking.article.cards import add_cards
from rethinking.article.code_links import code_links
from rethinking.article.runs_page import write_runs_page
from rethinking.article.share import add_share_image
from rethinking.results.frame import Results


def complete(site: Path, report: Path, results: Results, source: Path, place: Path | None = None) -> None:
    """Complete the pages in `site`, which were rendered from `report` with the results in `source`.

    `place` is the folder in which they will be read, for links to this checkout; without it they are read in `site`.
    """
    settings = preview.website(report)
    code = code_links(str(settings.get("repo-url", "")), report.parent, place or site)
    title = str(settings.get("title", ""))
    add_cards(report, source, site, code, results.experiments)
    write_runs_page(results, source, site, title, preview.navigation(report))
    add_share_image(results, site, title, str(settings.get("site-url", "")))
