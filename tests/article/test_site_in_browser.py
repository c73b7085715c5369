"""Every page of the site, made of the recorded results of the preset digits, in a real Chromium without network."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from browser import DESK, PHONE, barriers, chromium, page
from playwright.sync_api import Browser

from rethinking.article import preview
from rethinking.article.assemble import assemble
from rethinking.article.site import complete
from rethinking.params_file import load_params
from rethinking.results.frame import load_results
from rethinking.studies.registry import experiments

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["index", "claims", "deviations", "reproduce", "runs"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `rethinking article` makes it where there is no Quarto."""
    folder = tmp_path_factory.mktemp("article")
    shutil.copytree(ROOT / "report", folder / "report", ignore=shutil.ignore_patterns("_generated", "_variables.yml"))
    (folder / "src").symlink_to(ROOT / "src")  # to which cards lead
    params, source = load_params(ROOT / "params.yaml", "digits"), ROOT / "results" / "digits"
    results = load_results(params, source, experiments(params))
    assemble(results, source, folder / "report")
    (folder / "site").mkdir()
    preview.render(folder / "report", folder / "site")
    complete(folder / "site", folder / "report", results.fresh(), source)
    return folder / "site"


def address(site: Path, name: str) -> str:
    return (site / f"{name}.html").as_uri()


def test_these_are_all_pages(site: Path) -> None:
    assert sorted(path.stem for path in site.glob("*.html")) == sorted(PAGES)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_keeps_people_out(browser: Browser, site: Path, name: str, theme: Literal["light", "dark"]) -> None:
    """By axe-core: contrast, landmarks, names of controls, headings, tables and more."""
    with page(browser, address(site, name), theme=theme) as opened:
        assert barriers(opened) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, site: Path, name: str) -> None:
    with page(browser, address(site, name), PHONE) as opened:
        assert opened.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert barriers(opened) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere_and_every_figure_is_described(browser: Browser, site: Path, name: str) -> None:
    with page(browser, address(site, name)) as opened:
        links = opened.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
        described = opened.eval_on_selector_all("img", "images => images.map(image => image.alt.trim())")
        broken = opened.eval_on_selector_all("img", "images => images.filter(i => !i.naturalWidth).map(i => i.src)")
    assert links
    assert [link for link in links if not leads(site, name, link)] == []
    assert broken == []
    assert all(len(text) > 40 for text in described)
    if name == "index":
        assert len(described) > 25


def test_a_verdict_leads_to_its_line_and_back(browser: Browser, site: Path) -> None:
    with page(browser, address(site, "index")) as opened:
        opened.click("#said-randomisation-random-labels-fitted a")
        assert opened.url == address(site, "claims") + "#claim-randomisation-random-labels-fitted"
        assert "random labels" in opened.inner_text(":target")
        opened.click("tr:has(:target) td a")
        assert opened.url == address(site, "index") + "#said-randomisation-random-labels-fitted"


def test_each_claim_stands_in_the_article_and_in_the_list(site: Path) -> None:
    said = re.findall('id="said-([^"]+)"', (site / "index.html").read_text(encoding="utf-8"))
    listed = re.findall('id="claim-([^"]+)"', (site / "claims.html").read_text(encoding="utf-8"))
    assert sorted(said) == sorted(listed)
    assert len(listed) > 100


def leads(site: Path, name: str, link: str) -> bool:
    """Whether a link of a page leads to a file of the site, and to something in it."""
    if re.match(r"https?://", link):
        return True
    file, _, identifier = link.partition("#")
    target = site / (file or f"{name}.html")
    return target.is_file() and (not identifier or f'id="{identifier}"' in target.read_text(encoding="utf-8"))


def test_the_keyboard_reaches_the_content_first(browser: Browser, site: Path) -> None:
    for name in PAGES:
        with page(browser, address(site, name)) as opened:
            opened.keyboard.press("Tab")
            opened.keyboard.press("Enter")
            assert opened.evaluate("document.activeElement.tagName") == "MAIN"


def test_the_theme_is_kept_from_page_to_page(browser: Browser, site: Path) -> None:
    with page(browser, address(site, "index")) as opened:
        opened.click("#theme")
        dark = opened.evaluate("getComputedStyle(document.body).backgroundColor")
        opened.goto(address(site, "runs"))
        assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == dark
        assert opened.inner_text("#theme") == "Light theme"
        assert opened.viewport_size == {"width": DESK[0], "height": DESK[1]}
