"""Includes and variables, and where they went wrong."""

from pathlib import Path

import pytest

from rethinking.article.shortcodes import expand
from rethinking.errors import UserError


def project(folder: Path, **files: str) -> Path:
    """Write `index`, `sections__a`, ... as index.qmd, sections/a.qmd, ... and return the main document."""
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/')}.qmd"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (folder / "_variables.yml").write_text(
        "run:\n  seconds: 41.50\n  note: 'two words'\nempty:\nlist: [1, 2]\n", encoding="utf-8"
    )
    return folder / "index.qmd"


def text(main: Path) -> str:
    return expand(main, main.parent).text


def failure(main: Path) -> str:
    with pytest.raises(UserError) as caught:
        expand(main, main.parent)
    return str(caught.value)


def test_a_number_stands_as_it_was_written(tmp_path: Path) -> None:
    main = project(tmp_path, index="It took {{< var run.seconds >}} s, {{<var run.note>}}.")
    assert text(main) == "It took 41.50 s, two words.\n"


def test_every_path_is_relative_to_the_main_document(tmp_path: Path) -> None:
    main = project(
        tmp_path,
        index="{{< include sections/outer.qmd >}}",
        sections__outer="outer\n\n{{< include sections/inner.qmd >}}\n\n{{< include /sections/root.qmd >}}",
        sections__inner="inner",
        sections__root="root",
    )
    assert text(main).split() == ["outer", "inner", "root"]
    (tmp_path / "sections" / "outer.qmd").write_text("\n{{< include inner.qmd >}}", encoding="utf-8")
    assert failure(main).startswith(f"{tmp_path / 'sections' / 'outer.qmd'}:2: the include inner.qmd ")


def test_what_follows_an_include_is_a_new_paragraph(tmp_path: Path) -> None:
    main = project(tmp_path, index="{{< include a.qmd >}}\nafter", a="included")
    assert text(main) == "included\n\nafter\n"


@pytest.mark.parametrize(
    "code",
    [
        "Write `{{< var nothing >}}` so.",
        "Write `` a ` {{< var nothing >}} `` so.",
        "```\n{{< include nothing.qmd >}}\n```",
        "~~~~ text\n~~~\n{{< kbd x >}}\n~~~~",
    ],
)
def test_code_stays_as_it_is(tmp_path: Path, code: str) -> None:
    assert text(project(tmp_path, index=code)) == f"{code}\n"


def test_three_braces_write_a_shortcode(tmp_path: Path) -> None:
    main = project(tmp_path, index="{{{< var nothing >}}} and `{{{< var nothing >}}}`")
    assert text(main) == "{{< var nothing >}} and `{{< var nothing >}}`\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{{< var run.minutes >}}", "the variable run.minutes is not in _variables.yml"),
        ("{{< var run >}}", "the variable run is no single value"),
        ("{{< var list >}}", "the variable list is no single value"),
        ("{{< var empty >}}", "the variable empty is no single value"),
        ("{{< include missing.qmd >}}", "the include missing.qmd does not exist"),
        ("{{< include index.qmd >}}", "index.qmd includes itself"),
        ("see {{< include missing.qmd >}}", "an include stands alone on its line"),
        ("{{< video x.mp4 >}}", "the shortcode {{< video x.mp4 >}} is not supported"),
        ("{{< var a b >}}", "the shortcode {{< var a b >}} is not supported"),
        ("{{< var 'a >}}", 'the shortcode "var \'a" cannot be read'),
        ("```{python}", "an executable python cell"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    main = project(tmp_path, index=f"first\n\n{line}\n")
    assert failure(main).startswith(f"{main}:3: {reason}")


def test_an_error_in_an_include_names_the_include(tmp_path: Path) -> None:
    main = project(tmp_path, index="\n{{< include sections/a.qmd >}}\n", sections__a="x\n{{< var none >}}")
    assert failure(main).startswith(f"{tmp_path / 'sections' / 'a.qmd'}:2: ")


def test_an_included_file_has_no_front_matter(tmp_path: Path) -> None:
    main = project(tmp_path, index="{{< include a.qmd >}}", a="---\ntitle: x\n---\n")
    assert failure(main).startswith(f"{tmp_path / 'a.qmd'}:1: ")


def test_a_problem_is_found_at_the_whole_word_outside_code(tmp_path: Path) -> None:
    main = project(tmp_path, index="```\n@fig-a\n```\n@fig-ab\n@fig-a-b\n\nsee @fig-a.")
    with pytest.raises(UserError, match=r"index\.qmd:7: here"):
        expand(main, tmp_path).fail("@fig-a", "here")


def test_unreadable_variables_are_an_error(tmp_path: Path) -> None:
    main = project(tmp_path, index="x")
    (tmp_path / "_variables.yml").write_text("a: [", encoding="utf-8")
    assert "_variables.yml is no readable YAML" in failure(main)
