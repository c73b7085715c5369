"""The workflow's own record beside the article: Snakemake's report, in one file that needs no network."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rethinking.errors import UserError

NAME = "record.html"
STYLE = Path("workflow/report/record.css")

_LAST_LINES = 10  # of what a failed Snakemake has said

# Where the page on reproducing lists what is recorded, whoever has rendered it.
_PAGE, _LIST = "reproduce.html", re.compile(r'\bid="sec-recorded".*?(?=</ul>)', re.DOTALL)
_LINK = (
    f'<li><a href="{NAME}">The workflow\'s record</a>: every result, rule and setting, as Snakemake shows them.</li>\n'
)


def report(preset: str, site: Path) -> Path:
    """Write the record of a preset into the folder `site` of its rendered article, link it there, and return its path.

    What the outputs' records do not say is missing in it: in a clone that has results from Git alone, when each job ran
    and how long it took. Raises UserError where there is no article, or Snakemake fails.
    """
    if not (site / "index.html").is_file():
        raise UserError(f"{site} holds no article that the record could lie beside: make article PRESET={preset}")
    with tempfile.TemporaryDirectory(prefix=".site-", dir=site.parent) as folder:
        made = Path(folder, NAME)
        words = ["--report", str(made), "--report-stylesheet", str(STYLE), "--config", f"preset={preset}"]
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            tail = "\n".join(done.stdout.rstrip().splitlines()[-_LAST_LINES:])
            raise UserError(f"Snakemake could not make the record of {preset} (exit status {done.returncode}):\n{tail}")
        made.replace(site / NAME)
    _link(site / _PAGE)
    return site / NAME


def _link(page: Path) -> None:
    """Add the record to the page's list of what is recorded, once."""
    text = page.read_text(encoding="utf-8")
    listed = _LIST.search(text)
    if listed is None:
        raise UserError(f"{page} has no list of what is recorded, from which {NAME} could be reached")
    if NAME not in text:
        page.write_text(text[: listed.end()] + _LINK + text[listed.end() :], encoding="utf-8")
