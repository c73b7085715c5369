"""The page of all runs, used as people use it."""

import csv
import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PHONE, barriers, chromium, page
from playwright.sync_api import Browser, Page

from rethinking.article.runs_page import ASIDE, COLUMNS, content, write_runs_page
from rethinking.params_file import load_params
from rethinking.results.frame import Results, load_results
from rethinking.results.learning_curves import read_curves

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "results" / "digits"
PARAMS = load_params(ROOT / "params.yaml", "digits")
EVERY_COLUMN = "#columns=" + ",".join(COLUMNS)
BAR = [{"href": "index.html", "text": "Article"}, {"href": "runs.html", "text": "Runs"}]


@pytest.fixture(scope="module")
def results() -> Results:
    return load_results(PARAMS, SOURCE)


@pytest.fixture(scope="module")
def site(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_runs_page(results, SOURCE, folder, "A <small> site", BAR)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def opened(browser: Browser, site: Path) -> Iterator[Page]:
    with page(browser, (site / "runs.html").as_uri()) as shown:
        yield shown


def rows() -> list[dict[str, str]]:
    with open(SOURCE / "cells.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(opened: Page, name: str) -> list[str]:
    shown = opened.locator("#heads th").all_inner_texts()
    place = 1 + shown.index(COLUMNS[name][0])  # counted from one
    return opened.locator(f"#rows tr > :nth-child({place})").all_inner_texts()


def test_it_holds_every_run_and_the_files(site: Path, results: Results) -> None:
    found = content(results)
    assert len(found["rows"]) == len(rows())
    assert all(len(row) == len(found["columns"]) for row in found["rows"])
    assert json.dumps(found, allow_nan=False)
    for name in ("cells.csv", "histories.csv", "curves.csv"):
        assert (site / "runs" / name).read_bytes() == (SOURCE / name).read_bytes()
    text = (site / "runs.html").read_text(encoding="utf-8")
    assert "<title>Runs: A &lt;small&gt; site</title>" in text
    assert "{{" not in text
    assert len(text) < 1_000_000


def test_every_run_has_a_curve_that_ends_where_the_run_does(site: Path, results: Results) -> None:
    found = content(results, read_curves(SOURCE))["histories"]
    for row in rows():
        curve = found[row["recipe_digest"]]
        assert curve["epoch"][0] == 1
        assert curve["epoch"][-1] == int(row["epochs"])
        assert len({len(values) for values in curve.values()}) == 1
        assert curve["online_loss"][-1] == pytest.approx(float(row["online_loss"]), rel=1e-3, abs=2e-6)
    assert "which 400 of these runs have here" in (site / "runs.html").read_text(encoding="utf-8")


def test_results_of_before_there_were_curves_show_those_of_figures(
    results: Results, tmp_path: Path, browser: Browser
) -> None:
    (tmp_path / "source").mkdir()
    for name in ("cells.csv", "histories.csv"):
        shutil.copyfile(SOURCE / name, tmp_path / "source" / name)
    (tmp_path / "site").mkdir()
    write_runs_page(results, tmp_path / "source", tmp_path / "site", "T", BAR)
    digests = {row["recipe_digest"] for row in rows()} & set(content(results)["histories"])
    assert 0 < len(digests) < 400
    with page(browser, (tmp_path / "site" / "runs.html").as_uri()) as opened:
        assert f"{sum(row['recipe_digest'] in digests for row in rows())} of these runs" in opened.inner_text("main")
        opened.get_by_label("with learning curve").check()
        assert opened.locator("#rows input[type=checkbox]").count() == 50
        assert opened.locator("a[download]").count() == 2


def test_what_is_not_known_is_a_dash(results: Results, tmp_path: Path, browser: Browser) -> None:
    cells = results.cells.copy()
    cells.loc[cells.index[0], ["train_accuracy", "time_to_overfit", "commit"]] = [math.nan, math.nan, None]
    write_runs_page(Results(PARAMS, cells, results.histories), SOURCE, tmp_path, "T", BAR)
    with page(browser, (tmp_path / "runs.html").as_uri() + EVERY_COLUMN) as opened:
        for name in ("train_accuracy", "gap", "time_to_overfit", "commit"):
            assert column(opened, name)[0] == "–"
        assert "NaN" not in opened.inner_text("body")


def test_columns_sort_both_ways_by_their_values(opened: Page) -> None:
    accuracies = sorted(float(row["test_accuracy"]) for row in rows())
    for expected in (accuracies[:50], accuracies[:-51:-1]):
        opened.get_by_role("button", name="Test", exact=True).click()
        assert column(opened, "test_accuracy") == [f"{100 * value:.2f} %" for value in expected]
    heads = opened.locator("th[aria-sort]")
    assert heads.count() == 1
    assert heads.get_attribute("aria-sort") == "descending"


def test_filters_leave_what_fits_and_the_address_keeps_them(opened: Page, browser: Browser) -> None:
    wanted = [row for row in rows() if row["model"] == "inception" and row["corruption"] == "random-labels"]
    filters = opened.locator("#filters")
    filters.get_by_label("Model").select_option("inception")
    filters.get_by_label("Corruption").select_option("random-labels")
    assert opened.inner_text("#shown") == f"Runs 1 to {len(wanted)} of {len(wanted)} found, among {len(rows())}"
    assert set(column(opened, "model")) == {"inception"}
    opened.get_by_label("Search").fill("flip rotate")
    assert column(opened, "regularizer") == ["flip+rotate"]
    with page(browser, opened.url) as again:
        assert column(again, "regularizer") == ["flip+rotate"]
        assert again.get_by_label("Search").input_value() == "flip rotate"
        again.get_by_role("button", name="Show all").click()
        again.wait_for_function(f"document.getElementById('shown').textContent.endsWith('of {len(rows())}')")
    opened.get_by_label("Search").fill("no such run")
    assert opened.inner_text("#shown") == f"No run is like this, among {len(rows())}"


def test_columns_are_chosen_with_the_keyboard_and_kept_in_the_address(opened: Page, browser: Browser) -> None:
    usual = [title for name, (title, _) in COLUMNS.items() if name not in ASIDE]
    assert opened.locator("#heads th").all_inner_texts() == ["Curve", *usual]
    assert not opened.get_by_label("Seconds").is_visible()
    opened.locator("#columns summary").press("Enter")
    opened.get_by_label("Seconds").press("Space")
    opened.locator("#choices").get_by_label("Corruption").press("Space")
    chosen = [title for title in [*usual, "Seconds"] if title != "Corruption"]
    assert opened.locator("#heads th").all_inner_texts() == ["Curve", *chosen]
    assert opened.evaluate("document.activeElement.value") == "corruption", "the keyboard stays where it was"
    assert barriers(opened) == []
    with page(browser, opened.url) as again:
        assert again.locator("#heads th").all_inner_texts() == ["Curve", *chosen]
        again.locator("#columns summary").click()
        again.get_by_role("button", name="Usual").click()
        assert again.locator("#heads th").all_inner_texts() == ["Curve", *usual]
        assert "columns" not in again.url
    for address, shown in (("#columns=", ["Curve"]), ("#columns=toString,model", ["Curve", "Model"])):
        with page(browser, opened.url.partition("#")[0] + address) as odd:
            assert odd.locator("#heads th").all_inner_texts() == shown


def test_a_phone_shows_the_columns_without_scrolling_sideways(browser: Browser, site: Path) -> None:
    with page(browser, (site / "runs.html").as_uri() + EVERY_COLUMN, PHONE) as opened:
        opened.locator("#columns summary").click()
        assert opened.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert barriers(opened) == []


def test_parts_of_the_table_follow_each_other(opened: Page) -> None:
    opened.get_by_text("Columns", exact=True).click()
    opened.get_by_role("button", name="All", exact=True).click()
    first = column(opened, "recipe_digest")
    assert opened.get_by_role("button", name="Previous").is_disabled()
    opened.get_by_role("button", name="Next").click()
    assert opened.inner_text("#shown").startswith("Runs 51 to 100 of ")
    assert not set(first) & set(column(opened, "recipe_digest"))


def test_ticked_runs_have_curves_that_say_what_they_show(opened: Page, browser: Browser) -> None:
    opened.get_by_label("with learning curve").check()
    ticks = opened.locator("#rows input[type=checkbox]")
    for number in range(2):
        ticks.nth(number).check()
    assert opened.locator("#plot .curve").count() == 2
    dashes = opened.locator("#plot .curve").evaluate_all("lines => lines.map(l => l.getAttribute('stroke-dasharray'))")
    assert len(set(dashes)) == 2, "told apart without colour"
    picture = opened.locator("#plot svg")
    assert str(picture.get_attribute("aria-label")).startswith("Test accuracy by epoch. 1: digits/")
    assert opened.locator("#commands code").first.inner_text().startswith("snakemake --force runs/digits/digits/")
    opened.get_by_label("Measure").select_option("train_loss")
    assert "Training loss, evaluated by epoch." in str(picture.get_attribute("aria-label"))
    assert barriers(opened) == []
    with page(browser, opened.url) as again:
        assert again.locator("#plot .curve").count() == 2
        again.get_by_role("button", name="Clear").click()
        assert not again.locator("#curves").is_visible()


def test_curves_are_told_apart_however_many_there_are(opened: Page) -> None:
    opened.get_by_label("with learning curve").check()
    ticks = opened.locator("#rows input[type=checkbox]")
    for number in range(13):
        ticks.nth(number).check()
    looks = opened.locator("#plot .curve").evaluate_all(
        "lines => lines.map(line => line.style.stroke + ' ' + line.getAttribute('stroke-dasharray'))"
    )
    assert len(looks) == 13
    assert len(set(looks)) == 13


def test_an_address_that_names_nothing_shows_everything(browser: Browser, site: Path) -> None:
    """Also what every object of JavaScript has."""
    with page(browser, (site / "runs.html").as_uri() + "#curves=constructor,x&sort=toString&measure=valueOf") as opened:
        assert opened.inner_text("#shown") == f"Runs 1 to 50 of {len(rows())}"
        assert not opened.locator("#curves").is_visible()


def test_ten_thousand_runs_are_no_trouble(results: Results, tmp_path: Path, browser: Browser) -> None:
    import pandas as pd

    many = pd.concat([results.cells.assign(seed=seed) for seed in range(25)], ignore_index=True)
    write_runs_page(Results(PARAMS, many, results.histories), SOURCE, tmp_path, "T", BAR)
    with page(browser, (tmp_path / "runs.html").as_uri()) as opened:
        assert opened.inner_text("#shown") == f"Runs 1 to 50 of {len(many):,}"
        taken = opened.evaluate(
            "() => { const start = performance.now(); document.querySelector('#heads button').click();"
            " return performance.now() - start; }"
        )
    assert taken < 2000, "milliseconds to sort and draw; about a hundred where nothing else runs"


def test_no_file_of_the_page_names_another_place() -> None:
    folder = ROOT / "src" / "rethinking" / "article"
    for file in (*(folder / "explorer").iterdir(), *(folder / "frame").iterdir()):
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text, file
