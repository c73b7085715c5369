"""What other sites show of a link to the article: the main figure as an image, and the metadata that point to it.

Put into finished pages, whoever has rendered them. Quarto by itself offers the first figure of a page, which is an SVG,
and such sites show none.
"""

import html
import re
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rethinking.results.frame import Results
from rethinking.results.style import style
from rethinking.studies.randomisation.figures.overview import DRAWING

NAME = "share.png"
WIDTH, HEIGHT = 1200, 630
"""Pixels: the format that Open Graph's readers crop nothing of."""

_ALTERNATIVE = "Accuracy on training and test examples after training on true and on random labels, one row a model."
_MARGIN, _TITLE = 24, 64  # pixels: around everything, and what the title takes
_IMAGE = re.compile(r'<meta (?:property|name)="(?:og:image|twitter:image|twitter:card)[\w:-]*"[^>]*>\n?')


def add_share_image(results: Results, site: Path, title: str, address: str = "") -> None:
    """Draw the main figure into `site` as an image of WIDTH by HEIGHT pixels, and name it in each page's head.

    `address` is the one under which the site is published: readers of such metadata ask for an absolute one.
    """
    with style():
        pixels = _drawn(DRAWING.draw(DRAWING.points(results)))
        dots = 100
        card = Figure(figsize=(WIDTH / dots, HEIGHT / dots), dpi=dots)
        card.text(0.5, 1 - (_MARGIN + _TITLE / 2) / HEIGHT, f"{title} ({results.params.preset})",
                  fontsize=24, fontweight="bold", ha="center", va="center")  # fmt: skip
        card.figimage(pixels, (WIDTH - pixels.shape[1]) // 2, _MARGIN)
        # Nothing that changes from run to run or with the version of what draws.
        card.savefig(site / NAME, dpi=dots, metadata={"Software": None})
    place = f"{address.rstrip('/')}/{NAME}" if address else NAME
    properties = {"": place, ":type": "image/png", ":width": WIDTH, ":height": HEIGHT, ":alt": _ALTERNATIVE}
    head = "".join(
        f'<meta property="og:image{key}" content="{html.escape(str(value))}">\n' for key, value in properties.items()
    )
    head += '<meta name="twitter:card" content="summary_large_image">\n'
    for page in site.glob("*.html"):
        text = _IMAGE.sub("", page.read_text(encoding="utf-8"))
        page.write_text(text.replace("</head>", f"{head}</head>", 1), encoding="utf-8")


def _drawn(figure: Figure) -> NDArray[np.uint8]:
    """Return a figure of its own proportions as (height, width, 4) pixels, as large as the place below the title."""
    width, height = figure.get_size_inches()
    figure.set_dpi(min((WIDTH - 2 * _MARGIN) / width, (HEIGHT - 2 * _MARGIN - _TITLE) / height))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib is typed but for these two
    return np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
