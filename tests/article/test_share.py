"""A link to the article is shown with the main figure, by those who show links with an image."""

import re
from pathlib import Path

import pytest
from PIL import Image

from rethinking.article.share import HEIGHT, NAME, WIDTH, add_share_image
from rethinking.params_file import load_params
from rethinking.results.frame import Results, load_results
from rethinking.studies.registry import experiments

SOURCE = Path(__file__).resolve().parents[2]
PREVIEW = '<html><head>\n<title>A</title>\n<meta property="og:title" content="A">\n</head><body></body></html>\n'
# As Quarto 1.7 offers the first figure of a page by itself.
QUARTO = PREVIEW.replace(
    "</head>",
    '<meta property="og:image" content="_generated/figures/x.svg">\n<meta property="og:image:alt" content="X">\n'
    '<meta name="twitter:image" content="_generated/figures/x.svg">\n'
    '<meta name="twitter:card" content="summary">\n</head>',
)


@pytest.fixture(scope="module")
def results() -> Results:
    params = load_params(SOURCE / "params.yaml", "digits")
    return load_results(params, SOURCE / "results/digits", experiments(params))


def heads(results: Results, site: Path, address: str = "") -> list[dict[str, str]]:
    """Return the metadata of the two pages with the image added."""
    for name, text in {"preview": PREVIEW, "quarto": QUARTO}.items():
        (site / f"{name}.html").write_text(text)
    add_share_image(results.fresh(), site, "A title", address)
    found = []
    for name in ("preview", "quarto"):
        pairs = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', (site / f"{name}.html").read_text())
        assert len(dict(pairs)) == len(pairs), "each is said once"
        found.append(dict(pairs))
    return found


def test_pages_of_both_renderers_name_the_same_image(results: Results, tmp_path: Path) -> None:
    preview, quarto = heads(results, tmp_path)
    assert preview == quarto
    assert preview["og:image"] == NAME
    assert preview["twitter:card"] == "summary_large_image"
    assert preview["og:image:alt"]
    assert preview["og:title"] == "A"


def test_the_image_is_a_small_png_of_the_size_that_is_said(results: Results, tmp_path: Path) -> None:
    head, _ = heads(results, tmp_path)
    with Image.open(tmp_path / NAME) as image:
        assert image.format == "PNG"
        assert image.size == (WIDTH, HEIGHT) == (int(head["og:image:width"]), int(head["og:image:height"]))
        assert len(image.convert("RGB").getcolors(2**20) or []) > 50, "something is drawn on it"
    assert (tmp_path / NAME).stat().st_size < 300_000


def test_the_same_results_give_the_same_image(results: Results, tmp_path: Path) -> None:
    heads(results, tmp_path)
    first = (tmp_path / NAME).read_bytes()
    heads(results, tmp_path)
    assert (tmp_path / NAME).read_bytes() == first


def test_where_the_site_has_an_address_the_images_is_absolute(results: Results, tmp_path: Path) -> None:
    for head in heads(results, tmp_path, "https://example.org/article/"):
        assert head["og:image"] == f"https://example.org/article/{NAME}"
