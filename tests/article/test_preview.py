"""The preview of a small report that uses every feature: `fixture/`."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rethinking.article import preview
from rethinking.article.assets import assets
from rethinking.article.preview import _convert
from rethinking.errors import UserError

FIXTURE = Path(__file__).parent / "fixture"
NBSP = "\u00a0"


class Page(HTMLParser):
    """What the tests ask of a page: its elements, its ids and the text under each id."""

    VOID = frozenset(("meta", "link", "img", "br", "hr", "col"))

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: dict[str, str] = {}
        self.links: dict[str, list[str]] = {}  # target -> texts
        self._open: list[tuple[str, str, str]] = []  # tag, id, href
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        self.elements.append((tag, attributes))
        if tag not in self.VOID:
            self._open.append((tag, attributes.get("id", ""), attributes.get("href", "")))
            if tag == "a":
                self.links.setdefault(attributes.get("href", ""), []).append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop()[0] == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        for tag, identifier, href in self._open:
            if identifier:
                self.text[identifier] = self.text.get(identifier, "") + data
            if tag == "a":
                self.links[href][-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    preview.render(FIXTURE, folder)
    return folder


@pytest.fixture(scope="module")
def page(site: Path) -> Page:
    return Page((site / "index.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def typst_source() -> str:
    with assets("preview") as opened:
        return _convert(FIXTURE, FIXTURE / "index.qmd", opened, "typst").text


def report(folder: Path, body: str, **settings: str) -> Path:
    """Return a report of one page with this body from line 5 on."""
    (folder / "_quarto.yml").write_text("bibliography: references.bib\nnumber-sections: true\n", encoding="utf-8")
    shutil.copyfile(FIXTURE / "references.bib", folder / "references.bib")
    (folder / "loss.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    header = "".join(f"{key}: {value}\n" for key, value in settings.items()) or "lang: en\n"
    (folder / "index.qmd").write_text(f"---\ntitle: T\n{header}---\n{body}\n", encoding="utf-8")
    return folder


def test_each_reference_has_its_number_and_leads_to_its_target(page: Page) -> None:
    assert page.links["#fig-curve"] == [f"Figure{NBSP}1", "1", f"Fig.{NBSP}1"]
    assert page.links["#fig-again"] == [f"Figure{NBSP}2"]
    assert page.links["#tbl-accuracy"] == ["1", f"Table{NBSP}1"]
    assert page.links["#tbl-sizes"] == [f"Table{NBSP}2"]
    assert page.links["#eq-risk"] == [f"Equation{NBSP}1"]
    assert f"Section{NBSP}2" in page.links["#sec-results"]
    assert f"Section{NBSP}2.3" in page.links["#sec-callouts"]
    assert page.links["#ref-zhang2017"] == ["Zhang et al. 2017"]


def test_every_link_within_the_page_leads_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in page.links if target.startswith("#")} <= set(ids)


def test_captions_and_headings_carry_the_numbers_that_references_name(page: Page) -> None:
    assert page.text["fig-curve"].strip() == f"Figure{NBSP}1: Training loss per epoch, true and random labels."
    assert page.text["tbl-accuracy"].startswith(f"\nTable{NBSP}1: Accuracy in percent; mean over 3 seeds.\n")
    assert page.text["tbl-sizes"].startswith(f"\nTable{NBSP}2: Sizes of the models\n")
    assert page.text["sec-results"] == "2 Results"
    assert page.text["references"] == "References"
    assert page.text["eq-risk"].endswith("(1)")


def test_the_pdf_has_the_same_headings_captions_and_references(page: Page, typst_source: str, site: Path) -> None:
    body = typst_source.replace("~", NBSP)
    for identifier in ("sec-introduction", "sec-results", "curves", "tables", "sec-callouts"):
        assert re.search(rf"^=+ {re.escape(page.text[identifier])}$", body, re.MULTILINE), identifier
    assert "numbering: none)[References]" in body
    caption = rf"(?:Figure|Table){NBSP}\d+: \w+"
    captions = set(re.findall(caption, " ".join(page.text.values())))
    assert len(captions) == 4
    assert set(re.findall(caption, body)) == captions
    reference = re.compile(rf"(\w+\.?{NBSP})?[\d.]+")
    references = {
        (target, text)
        for target, texts in page.links.items()
        for text in texts
        if reference.fullmatch(text) and re.match("#(fig|tbl|sec|eq)-", target)
    }
    assert len(references) == 10
    assert {
        (f"#{target}", text) for target, text in re.findall(r"#link\(<((?:fig|tbl|sec|eq)-[\w-]+)>\)\[([^\]]+)\]", body)
    } == references
    assert (site / "index.pdf").read_bytes().startswith(b"%PDF")


def test_variables_appear_and_code_does_not_expand(page: Page) -> None:
    html = " ".join(page.text.values())
    assert "reached 99.9 % on labels" in html
    assert "took 41.50 s with 3 seeds" in html
    assert "{{< var run.seconds >}}" in html


def test_a_figure_is_described_in_words(page: Page, site: Path) -> None:
    alt = [attributes["alt"] for attributes in page.all("img")]
    assert alt == ["Two falling lines; the random-label line falls later.", "The same two lines."]
    assert alt[0].encode() in (site / "index.pdf").read_bytes()


def test_nothing_is_loaded_from_elsewhere(page: Page, site: Path) -> None:
    loaded = [attributes.get("src", "") for _, attributes in page.elements]
    loaded += [attributes["href"] for attributes in page.all("link")]
    assert not any(re.match(r"(\w+:)?//", target) for target in loaded)
    for target in filter(None, loaded):
        assert target.startswith("data:") or (site / target).is_file()
    assert not re.search(r"url\(|@import", (site / "preview.css").read_text(encoding="utf-8"))
    assert not re.search(r"url\(|@import", (site / "frame.css").read_text(encoding="utf-8"))


def test_the_site_holds_nothing_else(site: Path) -> None:
    files = {str(file.relative_to(site)) for file in site.rglob("*") if file.is_file()}
    pages = {"index.html", "notes.html", "index.pdf"}
    assert files == pages | {"preview.css", "frame.css", "theme.js", "_generated/figures/loss.svg"}


def test_the_page_has_landmarks_and_one_title(page: Page) -> None:
    tags = [tag for tag, _ in page.elements]
    assert tags.count("h1") == tags.count("main") == tags.count("footer") == 1
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("a")[0]["href"] == "#content"
    assert [nav["aria-label"] for nav in page.all("nav")] == ["Pages", "Contents"]


def test_tables_say_what_heads_a_row_or_a_column_and_scroll_by_keyboard(page: Page) -> None:
    assert {attributes["scope"] for attributes in page.all("th")} == {"col", "row"}
    scrolling = [a for a in page.all("div") if a.get("class") == "table-scroll"]
    assert [(a["tabindex"], a["role"], a["aria-label"]) for a in scrolling] == [
        ("0", "region", "Table 1"),
        ("0", "region", "Table 2"),
    ]


def test_callouts_take_their_title_from_attribute_heading_or_kind(page: Page, typst_source: str) -> None:
    folded = page.all("details")[1]
    assert folded["class"] == "callout callout-note"
    assert "open" not in folded
    for title in ("Seeds are #emph[separate]", "Small data", "Tip"):
        assert f"[\n{title}\n]" in typst_source
    assert "small-data" not in page.text, "a callout's title is no section"


def test_both_say_that_they_are_a_preview(site: Path, typst_source: str) -> None:
    sentence = "Preview rendered with pandoc; Quarto was not found."
    assert sentence in (site / "index.html").read_text(encoding="utf-8")
    assert sentence in typst_source


def test_the_head_says_what_a_page_is_and_how_to_cite_the_article(page: Page, site: Path) -> None:
    named = {a.get("property") or a.get("name"): a["content"] for a in page.all("meta") if "content" in a}
    assert named["og:type"] == "article"
    assert named["og:title"] == named["citation_title"] == "Fitting random labels"
    assert named["og:description"] == "Losses & labels"
    assert named["og:site_name"] == "A small report"
    assert (named["citation_author"], named["citation_publication_date"]) == ("A. Reader", "2024-05-01")
    html = (site / "index.html").read_text(encoding="utf-8")
    (linked,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
    assert json.loads(linked) == {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "headline": "Fitting random labels",
        "description": "Losses & labels",
        "author": [{"name": "A. Reader"}],
        "datePublished": "2024-05-01",
        "inLanguage": "en",
    }
    notes = (site / "notes.html").read_text(encoding="utf-8")
    assert '<meta property="og:type" content="website">' in notes
    assert "citation_" not in notes, "what is cited is the article"


def test_no_title_ends_the_element_that_holds_it() -> None:
    text = preview._linked_data({"title": "On </script>"}, {"author": ["A. Reader", {"name": "B."}], "lang": "en"})
    assert "<" not in text
    assert json.loads(text)["headline"] == "On </script>"
    assert json.loads(text)["author"] == [{"name": "A. Reader"}, {"name": "B."}]


def test_pages_lead_to_each_other(page: Page, site: Path, typst_source: str) -> None:
    notes = Page((site / "notes.html").read_text(encoding="utf-8"))
    assert page.links["notes.html#sec-notes"] == ["notes"]
    assert notes.links["index.html#fig-curve"] == ["the loss"]
    assert notes.text["sec-notes"].split()[0] == "1", "each page counts from one"
    assert "More in the notes." in " ".join(typst_source.split()), "the PDF has one page and keeps the words"
    for here, current in ((page, "index.html"), (notes, "notes.html")):
        bar = [link for link in here.all("a") if link["href"] in ("index.html", "notes.html", "elsewhere.html")]
        assert [link["href"] for link in bar if "aria-current" in link] == [current]


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("[there](other.qmd)", "the link to other.qmd leads nowhere: there is no page other.qmd"),
        ("[there](second.qmd#sec-none)", "the link to second.qmd#sec-none leads nowhere: second.qmd has no #sec-none"),
    ],
)
def test_a_link_to_another_page_that_leads_nowhere_names_its_line(tmp_path: Path, link: str, reason: str) -> None:
    folder = report(tmp_path, f"\n{link}, [here](second.qmd#sec-b)")
    (folder / "second.qmd").write_text("---\ntitle: S\n---\n\n# B {#sec-b}\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        preview.check(folder)
    assert str(caught.value) == f"{tmp_path / 'index.qmd'}:6: {reason}"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [("href: none.qmd, text: None", "there is no page none.qmd"), ("href: index.qmd, icon: x", "needs href and text")],
)
def test_a_navigation_that_leads_nowhere_is_an_error(tmp_path: Path, entry: str, reason: str) -> None:
    folder = report(tmp_path, "x")
    settings = folder / "_quarto.yml"
    navigation = f"website:\n  navbar:\n    left:\n      - {{{entry}}}\n"
    settings.write_text(settings.read_text(encoding="utf-8") + navigation, encoding="utf-8")
    with pytest.raises(UserError, match=reason):
        preview.check(folder)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("see @fig-none.", "@fig-none refers to nothing"),
        ("see [@Tbl-none].", "@Tbl-none refers to nothing"),
        ("see -@sec-none.", "@sec-none refers to nothing"),
        ("see @eq-none.", "@eq-none refers to nothing"),
        ("as [@nobody1999] says", "the citation @nobody1999 is not in the bibliography"),
        ("@thm-main", "the citation @thm-main is not in the bibliography"),
        ("![Loss.](none.svg){#fig-a fig-alt='x'}", "the figure none.svg is not in the report"),
        ("![Loss.](../loss.svg){#fig-a fig-alt='x'}", "the figure ../loss.svg is not in the report"),
        ("![Loss.](https://example.org/a.svg){fig-alt='x'}", "the figure https://example.org/a.svg is not"),
        ("![Loss.](loss.svg){#fig-a}", "the figure fig-a needs fig-alt"),
        ("![Loss.](loss.svg){#fig-a fig-alt='x' width=3in}", "the width 3in"),
        ("![Loss.](loss.svg){#fig-a fig-alt='x' fig-align=left}", "an image with the attribute fig-align"),
        ("[there](#nowhere)", "the link to #nowhere leads nowhere"),
        ("::: {.panel-tabset}\nx\n:::", "the block ::: {panel-tabset} is not supported"),
        ("::: {#fig-a layout-ncol=2}\nx\n:::", "the block ::: {fig-a} is not supported"),
        ("::: {.callout-note icon=false}\nx\n:::", "a callout with the attribute icon"),
        ("::: {#tbl-a}\nno table\n:::", "tbl-a needs one table and then one paragraph"),
        ("a [b]{.aside} c", "a span with aside"),
        ("<b>bold</b>", "raw html is not supported"),
        ("$$\\nonsense{x}$$", "pandoc warns"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, body: str, reason: str) -> None:
    with pytest.raises(UserError) as caught:
        preview.check(report(tmp_path, f"\n{body}"))
    assert str(caught.value).startswith(f"{tmp_path / 'index.qmd'}:6: {reason}")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("# A {#sec-a .unnumbered}\n\n@sec-a", "@sec-a refers to a section without a number"),
        (
            "# A {#sec-a}\n\n[@zhang2017; @sec-a]",
            "cross references and citations stand in brackets of their own",
        ),
        ("# A\n\n# B {#sec-b}\n\n# C {#sec-b}", "sec-b is defined here and a second time"),
    ],
)
def test_an_error_names_the_line_that_errs_not_the_one_it_errs_about(tmp_path: Path, body: str, reason: str) -> None:
    with pytest.raises(UserError) as caught:
        preview.check(report(tmp_path, f"\n{body}"))
    assert str(caught.value).startswith(f"{tmp_path / 'index.qmd'}:8: {reason}")


@pytest.mark.parametrize(("setting", "value"), [("filters", "[a.lua]"), ("date", "today"), ("execute", "{echo: true}")])
def test_a_front_matter_that_only_quarto_understands_is_refused(tmp_path: Path, setting: str, value: str) -> None:
    with pytest.raises(UserError, match=r"index\.qmd:3: "):
        preview.check(report(tmp_path, "x", **{setting: value}))


def test_a_word_may_be_a_target_and_a_number_be_marked_as_given(tmp_path: Path) -> None:
    """Verdicts are targets that stand in the middle of sentences; either renders in both formats."""
    folder = report(tmp_path, "[46 %]{.given} and [said]{#said-x}, see [there](#said-x)")
    (tmp_path / "site").mkdir()
    preview.render(folder, tmp_path / "site")
    page = Page((tmp_path / "site" / "index.html").read_text(encoding="utf-8"))
    assert page.text["said-x"] == "said"
    assert page.links["#said-x"] == ["there"]


def test_a_comment_is_no_raw_html(tmp_path: Path) -> None:
    preview.check(report(tmp_path, "<!-- a word to the author -->"))


def test_references_get_a_heading_where_the_source_gives_none(tmp_path: Path) -> None:
    folder = report(tmp_path, "# One\n\nas [@zhang2017] says")
    with assets("preview") as opened:
        page = Page(_convert(folder, folder / "index.qmd", opened, "html").text)
    assert page.text["references"] == "References"
    assert "Zhang, Chiyuan" in page.text["refs"]


def test_an_unreadable_figure_is_an_error(tmp_path: Path) -> None:
    folder = report(tmp_path, "![Loss.](loss.svg){#fig-a fig-alt='x'}")
    (folder / "loss.svg").write_text("not a drawing", encoding="utf-8")
    (tmp_path / "site").mkdir()
    with pytest.raises(UserError, match="cannot be made a PDF"):
        preview.render(folder, tmp_path / "site")
