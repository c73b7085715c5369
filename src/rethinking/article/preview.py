"""The site without Quarto: the same sources through pandoc and one Lua filter, pages to HTML, the article to PDF."""

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rethinking.article.assets import assets, copy_frame
from rethinking.article.shortcodes import Source, expand
from rethinking.errors import UserError

_FRONT_MATTER = {
    *("title", "subtitle", "author", "date", "abstract", "keywords", "description", "lang", "bibliography"),
    *("csl", "format", "toc", "toc-depth", "number-sections", "link-citations", "citeproc"),
    "google-scholar",  # the preview has these entries in any case
}
# Where a project sets these, the page follows; what else stands in _quarto.yml concerns Quarto's own look.
_PROJECT = ("lang", "bibliography", "csl", "number-sections", "toc", "toc-depth", "author")


@dataclass(frozen=True)
class _Converted:
    source: Source
    text: str
    images: tuple[str, ...]  # relative to the project
    links: tuple[tuple[str, str, str], ...]  # to other pages: as written, the page's name, the identifier there or ""


def check(report: Path) -> None:
    """Raise UserError with file and line where the sources need what is missing or what the preview lacks."""
    with assets("preview") as folder:
        _pages(report, folder)


def render(report: Path, site: Path) -> None:
    """Write a page for each source, `index.pdf` and what they show into the existing folder `site`.

    `report` is a Quarto project with `_quarto.yml`, `index.qmd` and any number of other pages. Raises UserError as
    `check` does, and where a figure cannot be read.
    """
    with assets("preview") as folder:
        pages = _pages(report, folder)
        article = _convert(report, report / "index.qmd", folder, "typst")
        for image in {image: None for page in pages.values() for image in page.images}:
            (site / image).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(report / image, site / image)
        shutil.copyfile(folder / "preview.css", site / "preview.css")
        copy_frame(site)
        for name, page in pages.items():
            (site / f"{name}.html").write_text(page.text, encoding="utf-8")
        _compile(report, article.text, site)


def _pages(report: Path, folder: Path) -> dict[str, _Converted]:
    """Return every page by its name; links from one to another lead somewhere."""
    sources = sorted(report.glob("[!._]*.qmd"))
    pages = {path.stem: _convert(report, path, folder, "html") for path in sources}
    for page in pages.values():
        for written, name, identifier in page.links:
            if name not in pages:
                page.source.fail(written, f"the link to {written} leads nowhere: there is no page {name}.qmd")
            if identifier and f'id="{identifier}"' not in pages[name].text:
                page.source.fail(written, f"the link to {written} leads nowhere: {name}.qmd has no #{identifier}")
    return pages


def _convert(report: Path, page: Path, folder: Path, to: str) -> _Converted:
    source = expand(page, report)
    here = {f"{page.stem}.html": {"current": True}}
    bar = [entry | here.get(entry["href"], {}) for entry in navigation(report)]
    metadata = _metadata(report, source) | {"navigation": bar}
    template = "page.html" if to == "html" else "article.typ"
    with tempfile.TemporaryDirectory() as scratch:
        log, settings = Path(scratch, "log.json"), Path(scratch, "metadata.json")
        settings.write_text(json.dumps(metadata), encoding="utf-8")
        command = [
            *(_pandoc(), "--from=markdown", f"--to={to}", f"--template={folder / template}"),
            *(f"--lua-filter={folder / 'supported.lua'}", f"--lua-filter={folder / 'crossref.lua'}"),
            *("--citeproc", "--mathml", "--wrap=none", "--syntax-highlighting=none"),
            *(f"--metadata-file={settings}", f"--log={log}"),
            f"--data-dir={scratch}",  # nobody's own templates and defaults
        ]
        if metadata["toc"]:
            command += ["--toc", f"--toc-depth={metadata['toc-depth']}"]
        if "author" in metadata:  # pages without one, such as the list of claims, belong to the article that has
            command.append(f"--variable=linked-data={_linked_data(_front_matter(source), metadata)}")
        done = subprocess.run(
            command, input=source.text, cwd=report, capture_output=True, encoding="utf-8", check=False
        )
        images, links = _read_log(source, log)
    if done.returncode:
        raise UserError(f"{page} cannot be rendered by pandoc: {done.stderr.strip()}")
    return _Converted(source, done.stdout, images, links)


def _pandoc() -> str:
    import pypandoc  # only here: looking for its binary takes a moment

    return str(pypandoc.get_pandoc_path())


def _read_log(source: Source, log: Path) -> tuple[tuple[str, ...], tuple[tuple[str, str, str], ...]]:
    """Return the images that the document shows and its links to other pages; a warning of any kind is a UserError."""
    images, links = dict[str, None](), list[tuple[str, str, str]]()
    for entry in json.loads(log.read_text(encoding="utf-8")) if log.exists() else []:
        message = str(entry.get("message", entry.get("pretty", "")))
        ours = json.loads(message) if message.startswith("{") else {}
        if "image" in ours:
            images[ours["image"]] = None
        elif "page" in ours:
            links.append((ours["written"], ours["page"], ours["identifier"]))
        elif "needle" in ours:
            source.fail(ours["needle"], ours["sentence"])
        elif missing := re.search(r"citation (\S+) not found", message):
            source.fail(f"@{missing[1]}", f"the citation @{missing[1]} is not in the bibliography")
        # The filter reports duplicates too, and its needle leads to the line; pandoc's line numbers do not.
        elif entry.get("verbosity") == "WARNING" and entry.get("type") != "DuplicateIdentifier":
            sentence = " ".join(str(entry.get("pretty", entry)).split())
            source.fail(str(entry.get("contents", "")).strip(), f"pandoc warns: {sentence}")
    return tuple(images), tuple(links)


def navigation(report: Path) -> list[dict[str, Any]]:
    """Return the entries of the site's bar, `href` and `text`, as Quarto's `website: navbar: left:` lists them.

    Raises UserError if one leads nowhere or has more to it.
    """
    file, navbar = report / "_quarto.yml", website(report).get("navbar")
    entries = []
    for entry in (navbar.get("left") or []) if isinstance(navbar, dict) else []:
        if not (isinstance(entry, dict) and set(entry) == {"href", "text"}):
            raise UserError(f"{file}: website.navbar.left: each entry needs href and text and nothing else: {entry}")
        href = str(entry["href"])
        if href.endswith(".qmd") and not (report / href).is_file():
            raise UserError(f"{file}: website.navbar.left: there is no page {href}")
        entries.append({"href": re.sub(r"\.qmd$", ".html", href), "text": entry["text"]})
    return entries


def website(report: Path) -> dict[str, Any]:
    """Return what the project's settings say of its website."""
    file = report / "_quarto.yml"
    settings = _mapping(file, file.read_text(encoding="utf-8")).get("website")
    return settings if isinstance(settings, dict) else {}


def _metadata(report: Path, source: Source) -> dict[str, Any]:
    """Return what the page needs to know beside the text, the front matter before the project's settings."""
    project = _mapping(report / "_quarto.yml", (report / "_quarto.yml").read_text(encoding="utf-8"))
    header = _front_matter(source)
    settings: dict[str, Any] = {"toc": True, "toc-depth": 3, "number-sections": False, "lang": "en"}
    for place in (project, _html_options(project), _html_options(header), header):
        settings |= {key: place[key] for key in _PROJECT if key in place}
    if title := website(report).get("title"):
        settings["site-title"] = title
    return settings | {"link-citations": True}


def _linked_data(header: dict[str, Any], metadata: dict[str, Any]) -> str:
    """Return what search engines read of an article, in the vocabulary of schema.org, as JSON for a script element."""
    authors = metadata["author"] if isinstance(metadata["author"], list) else [metadata["author"]]
    names = [author["name"] if isinstance(author, dict) else author for author in authors]
    content = {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "headline": header["title"],
        "description": header.get("description"),
        "author": [{"name": name} for name in names],
        "datePublished": header.get("date"),
        "inLanguage": metadata["lang"],
    }
    known = {key: value for key, value in content.items() if value}
    return json.dumps(known, ensure_ascii=False, default=str).replace("<", "\\u003c")  # no text may end the element


def _front_matter(source: Source) -> dict[str, Any]:
    first = source.lines[0]
    if first.text.rstrip() != "---":
        first.fail("the article begins with a front matter between two lines ---, with at least a title")
    end = next((n for n, line in enumerate(source.lines) if n and line.text.rstrip() in ("---", "...")), 0)
    header = _mapping(first.file, "\n".join(line.text for line in source.lines[1:end]))
    for key in header:
        line = next((line for line in source.lines[:end] if line.text.startswith(str(key))), first)
        if key not in _FRONT_MATTER:
            allowed = ", ".join(sorted(_FRONT_MATTER))
            line.fail(f"the front matter's {key} is not supported; allowed are {allowed}")
        if key == "date" and header[key] in ("today", "now", "last-modified"):
            line.fail("a date that changes by itself is not supported; write it, or take it from a variable")
    if "title" not in header:
        first.fail("the front matter has no title")
    return header


def _html_options(settings: dict[str, Any]) -> dict[str, Any]:
    formats = settings.get("format")
    options = formats.get("html") if isinstance(formats, dict) else None
    return options if isinstance(options, dict) else {}


def _mapping(file: Path, text: str) -> dict[str, Any]:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{file} has YAML that cannot be read: {error}") from error
    return value if isinstance(value, dict) else {}


def _compile(report: Path, text: str, site: Path) -> None:
    import typst

    source = site / "index.typ"  # in the site, where its figures are
    source.write_text(text, encoding="utf-8")
    try:
        # The fonts inside the compiler only, so that the pages are the same on every machine.
        typst.compile(source, output=site / "index.pdf", root=site, ignore_system_fonts=True)
    except (typst.TypstError, RuntimeError) as error:
        raise UserError(f"{report / 'index.qmd'} cannot be made a PDF: {error}") from error
    finally:
        source.unlink()
