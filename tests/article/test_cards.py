"""Each figure and table of the article says where it comes from."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rethinking.article import preview
from rethinking.article.assemble import assemble
from rethinking.article.cards import add_cards, card
from rethinking.article.code_links import CodeLinks, code_links, web_address
from rethinking.article.full_size import TABLES
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
    add_cards(folder / "report", SOURCE, folder / "site", experiments=RESULTS.experiments)
    return folder / "site"


def test_every_figure_and_table_with_a_record_has_one_card(site: Path) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in site.glob("*.html"))
    figures = set(re.findall(r"_generated/figures/([\w-]+)\.svg", pages))
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "report").rglob("*.qmd"))
    tables = set(re.findall(r"_generated/tables/([\w-]+)\.md", sources)) - {"settings", "execution"}
    data = re.findall(r'href="data/((?:figures|tables)/[\w-]+)\.csv"', pages)
    assert len(figures) > 25
    assert len(tables) > 35
    assert sorted(data) == sorted([*(f"figures/{name}" for name in figures), *(f"tables/{name}" for name in tables)])


def test_the_data_beside_the_pages_are_what_is_shown(site: Path) -> None:
    files = list((site / "data").rglob("*.csv"))
    assert files
    for file in files:
        name = file.relative_to(site / "data")
        recorded = TABLES.get(name.stem)
        origin = SOURCE.parent / f"paper/tables/{recorded}.csv" if recorded else SOURCE / name
        assert file.read_bytes() == origin.read_bytes()


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
    on_the_web = card(lineage, CodeLinks(repository="https://example.org/p"))
    assert f'href="https://example.org/p/blob/{lineage.commit}/{file}"' in on_the_web
    assert f'href="https://example.org/p/commit/{lineage.runs[0].commit}"' in on_the_web
    assert f'href="../../{file}"' in card(lineage, CodeLinks(checkout="../.."))
    assert card(lineage).count("href=") == 1, "the data alone"
    changed = lineage.model_copy(update={"uncommitted_changes": True, "commit": "0123456789abcdef"})
    assert "commit 0123456789, with changes that were not committed" in card(changed)
    assert "outside a checkout" in card(lineage.model_copy(update={"commit": None}))


def test_a_card_names_the_commits_of_runs_and_experiments_and_both_seeds() -> None:
    """Two of three runs by one commit, the third and an experiment by another."""
    lineage = read_lineage(SOURCE / "tables" / "sparsity-prunability.json")
    run, experiment = lineage.runs[0], lineage.experiments[0]
    runs = [
        run.model_copy(update={"seed": seed, "commit": commit, "uncommitted_changes": False})
        for seed, commit in ((3, "a" * 40), (4, "a" * 40), (3, "b" * 40))
    ]
    made = experiment.model_copy(update={"commit": "b" * 40, "uncommitted_changes": False})
    text = card(lineage.model_copy(update={"runs": runs, "experiments": [made]}), seeds={experiment.name: 7})
    assert "3 runs, seeds 3, 4; 1 experiment, seed 7" in text
    assert "commit aaaaaaaaaa (2 runs); commit bbbbbbbbbb (1 run, 1 experiment)" in text
    alone = card(lineage.model_copy(update={"runs": [], "experiments": []}))
    assert "the papers&#x27; values alone" in alone
    assert alone.count("nothing was computed for it") == 2


def test_seeds_of_experiments_come_from_their_records(site: Path) -> None:
    """The tickets' seeds are those of params; that table is of experiments that train networks of their own."""
    text = (site / "index.html").read_text(encoding="utf-8")
    shown = text[text.index("data/tables/sparsity-tickets.csv") - 2000 :]
    seeds = sorted({each.settings["seed"] for each in RESULTS.experiments if each.kind == "tickets"})
    assert len(seeds) > 1
    assert f"experiments, seeds {', '.join(map(str, seeds))}" in shown


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://github.com/owner/name.git", "https://github.com/owner/name"),
        ("https://someone:secret@example.org:8443/group/sub/name.git", "https://example.org/group/sub/name"),
        ("git@github.com:owner/name.git", "https://github.com/owner/name"),
        ("ssh://git@codeberg.org:22/owner/name", "https://codeberg.org/owner/name"),
        ("/home/someone/name.git", ""),
        ("../name", ""),
        ("file:///home/someone/name.git", ""),
        ("", ""),
    ],
)
def test_the_page_of_a_git_remote(remote: str, page: str) -> None:
    """A password in its address, were there one, is nobody's business."""
    assert web_address(remote) == page


def test_code_is_read_at_the_setting_then_at_the_remote_then_in_the_checkout(tmp_path: Path) -> None:
    page = tmp_path / "articles" / "digits"

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    assert code_links("", tmp_path, page) == CodeLinks()
    (tmp_path / "src").mkdir()
    assert code_links("", tmp_path, page) == CodeLinks(checkout="../..")
    git("remote", "add", "origin", str(tmp_path / "bare.git"))
    assert code_links("", tmp_path, page) == CodeLinks(checkout="../..")
    git("remote", "set-url", "origin", "git@example.org:owner/name.git")
    assert code_links("", tmp_path, page) == CodeLinks(repository="https://example.org/owner/name")
    assert code_links("https://example.org/p/", tmp_path, page) == CodeLinks(repository="https://example.org/p")
