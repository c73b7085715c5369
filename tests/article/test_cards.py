"""Each figure and table of the article says where it comes from."""

import re
import shutil
from pathlib import Path

import pytest

from rethinking.article import preview
from rethinking.article.assemble import assemble
from rethinking.article.cards import add_cards, card
from rethinking.params_file import load_params
from rethinking.results.frame import load_results
from rethinking.results.lineage import read_lineage
from rethinking.results.outputs import make
from rethinking.studies.registry import STUDIES, experiments

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "results" / "digits"
PARAMS = load_params(ROOT / "params.yaml", "digits")
RESULTS = load_results(PARAMS, SOURCE, experiments(PARAMS))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    shutil.copytree(ROOT / "report", folder / "report", ignore=shutil.ignore_patterns("_generated", "_variables.yml"))
    assemble(RESULTS.fresh(), SOURCE, folder / "report")
    (folder / "site").mkdir()
    preview.render(folder / "report", folder / "site")
    add_cards(folder / "report", SOURCE, folder / "site")
    return folder / "site"


def test_every_figure_and_table_with_a_record_has_one_card(site: Path) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in site.glob("*.html"))
    figures = set(re.findall(r"_generated/figures/([\w-]+)\.svg", pages))
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "report").rglob("*.qmd"))
    tables = set(re.findall(r"_generated/tables/([\w-]+)\.md", sources)) - {"settings", "execution", "full-size"}
    data = re.findall(r'href="data/((?:figures|tables)/[\w-]+)\.csv"', pages)
    assert len(figures) > 25
    assert len(tables) > 35
    assert sorted(data) == sorted([*(f"figures/{name}" for name in figures), *(f"tables/{name}" for name in tables)])


def test_the_data_beside_the_pages_are_what_is_shown(site: Path) -> None:
    files = list((site / "data").rglob("*.csv"))
    assert files
    for file in files:
        assert file.read_bytes() == (SOURCE / file.relative_to(site / "data")).read_bytes()


def test_a_card_stands_right_behind_what_it_is_of(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    figure = text.index("randomisation-figure1a.svg")
    place = text.index("randomisation-figure1a.csv")
    between = text[figure:place]
    assert between.count("</figure>") == 1
    assert "<img" not in between
    assert "<section" not in between


@pytest.mark.parametrize(("kind", "name"), [("figure", "figure1a"), ("table", "table1")])
def test_what_it_names_makes_the_same_again(kind: str, name: str) -> None:
    """Its command, carried out in this process."""
    lineage = read_lineage(SOURCE / f"{kind}s" / f"randomisation-{name}.json")
    assert lineage.command == f"rethinking {kind} randomisation {name} --preset digits"
    made = make(lineage.kind, STUDIES["randomisation"], name, RESULTS)
    assert made.lineage.files == lineage.files


def test_code_is_linked_where_there_is_a_place_to_read_it() -> None:
    lineage = read_lineage(SOURCE / "figures" / "randomisation-figure1a.json")
    file = "src/rethinking/studies/randomisation/figures/figure1a.py"
    assert (ROOT / file).is_file()
    assert f'href="https://example.org/p/blob/{lineage.commit}/{file}"' in card(lineage, "https://example.org/p/")
    assert card(lineage).count("href=") == 1, "the data alone"
    changed = lineage.model_copy(update={"uncommitted_changes": True, "commit": "0123456789abcdef"})
    assert "commit 0123456789, with changes that were not committed" in card(changed)
    assert "outside a checkout" in card(lineage.model_copy(update={"commit": None}))
