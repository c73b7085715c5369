"""What other sites show of a link to the article: the main figure as an image, and the metadata that point to it.

Put into finished pages, whoever has rendered them. Quarto by itself offers the first figure of a page, which is an SVG,
and such sites show none.
"""

import html
import re
from pathlib import Path

from rethinking.results.frame import Results
from rethinking.results.style import style
from rethinking.studies.randomisation.figures.overview import DRAWING

NAME = "share.png"
WIDTH, HEIGHT = 1200, 630
"""Pixels: the format that Open Graph's readers crop nothing of."""

_ALTERNATIVE = "Accuracy on training and test examples after training on true and on random labels, two rows a model."
_INCHES_HIGH = 3.8  # so that text is as large, in proportion, as a reader of a small copy needs it
_IMAGE = re.compile(r'<meta (?:property|name)="(?:og:image|twitter:image|twitter:card)[\w:-]*"[^>]*>\n?')


def add_share_image(results: Results, site: Path, title: str, address: str = "") -> None:
    """Draw the main figure into `site` as an image of WIDTH by HEIGHT pixels, and name it in each page's head.

    `address` is the one under which the site is published: readers of such metadata ask for an absolute one.
    """
    with style():
        drawn = DRAWING.draw(DRAWING.points(results))
        drawn.set_size_inches(_INCHES_HIGH * WIDTH / HEIGHT, _INCHES_HIGH)
        for key in drawn.legends:  # above the panel is the title
            key.set_loc("outside lower center")
        drawn.suptitle(f"{title} ({results.params.preset})", fontsize=11, fontweight="bold")
        # Nothing that changes from run to run or with the version of what draws.
        drawn.savefig(site / NAME, dpi=HEIGHT / _INCHES_HIGH, metadata={"Software": None})
    place = f"{address.rstrip('/')}/{NAME}" if address else NAME
    properties = {"": place, ":type": "image/png", ":width": WIDTH, ":height": HEIGHT, ":alt": _ALTERNATIVE}
    head = "".join(
        f'<meta property="og:image{key}" content="{html.escape(str(value))}">\n' for key, value in properties.items()
    )
    head += '<meta name="twitter:card" content="summary_large_image">\n'
    for page in site.glob("*.html"):
        text = _IMAGE.sub("", page.read_text(encoding="utf-8"))
        page.write_text(text.replace("</head>", f"{head}</head>", 1), encoding="utf-8")
