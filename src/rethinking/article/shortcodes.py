"""The article's sources with `{{< include >}}` and `{{< var >}}` expanded, every line remembering its origin.

Paths follow Quarto 1.7 (`src/core/handlers/include-standalone.ts`): an include is as if its text were copied
into the main document, so a path inside an included file, of another include or of a figure, is relative to
the main document; a leading `/` means the project root.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from rethinking.errors import UserError

_FENCE = re.compile(r"\s*(`{3,}|~{3,})(.*)$")
_CELL = re.compile(r"\{+\s*([A-Za-z]+)")  # ```{python}: code that Quarto would execute
_ESCAPED = re.compile(r"\{(\{\{<.*?>\}\})\}")  # {{{< var x >}}} stands for the shortcode itself, as in Quarto
# A code span is found before a shortcode, so that a shortcode inside one stays as written.
_CODE_OR_SHORTCODE = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`))"
    r"|\{(?P<escaped>\{\{<.*?>\}\})\}"
    r"|\{\{<\s*(?P<call>.*?)\s*>\}\}"
)
_INCLUDE_LINE = re.compile(r"\s*\{\{<\s*(include\b.*?)\s*>\}\}\s*$")


@dataclass(frozen=True)
class Line:
    """One line of the expanded text, and where it was written."""

    text: str
    file: Path
    number: int
    literal: bool = False  # inside a code block

    def fail(self, sentence: str) -> NoReturn:
        """Raise a UserError that begins with this line's file and number."""
        raise UserError(f"{self.file}:{self.number}: {sentence}")


@dataclass(frozen=True)
class Source:
    """The whole expanded text of a document."""

    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The text to hand to pandoc."""
        return "".join(f"{line.text}\n" for line in self.lines)

    def fail(self, needle: str, sentence: str) -> NoReturn:
        """Raise a UserError at the first line that contains `needle` as a whole word outside code."""
        whole = re.compile(re.escape(needle) + (r"(?![\w-])" if needle[-1:].isalnum() else ""))
        for line in self.lines:
            if not line.literal and whole.search(line.text):
                line.fail(sentence)
        raise UserError(f"{self.lines[0].file}: {sentence}" if self.lines else sentence)


def expand(main: Path, project: Path) -> Source:
    """Return the document `main` of the Quarto project `project` with all includes and variables expanded.

    Raises UserError with file and line at a missing or circular include, an undefined variable, an unknown
    shortcode, an executable cell, or a front matter in an included file.
    """
    variables = _read_variables(project / "_variables.yml")

    def path_of(line: Line, name: str) -> Path:
        path = project / name.lstrip("/") if name.startswith("/") else main.parent / name
        if not path.is_file():
            line.fail(f"the include {name} does not exist: {path} is missing (paths are relative to {main})")
        return path

    def expanded(file: Path, outer: tuple[Path, ...]) -> Iterator[Line]:
        for line in _read_lines(file):
            if line.literal:
                yield replace(line, text=_ESCAPED.sub(r"\1", line.text))
                continue
            if outer and line.number == 1 and line.text.rstrip() == "---":
                line.fail(f"an included file has no front matter; put it into {main}")
            if found := _INCLUDE_LINE.match(line.text):
                arguments = _arguments(line, found.group(1))
                if len(arguments) != 2:
                    line.fail("include takes one path: {{< include sections/_name.qmd >}}")
                path = path_of(line, arguments[1])
                if path in (*outer, file):
                    line.fail(f"{arguments[1]} includes itself")
                yield from expanded(path, (*outer, file))
                yield replace(line, text="")  # an include ends its paragraph, as in Quarto
            else:
                yield replace(line, text=_expand_line(line, variables))

    return Source(tuple(expanded(main, ())))


def _read_lines(file: Path) -> Iterator[Line]:
    """Yield the lines of a file, those of code blocks marked literal; executable cells are refused."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read as UTF-8 text: {error}") from error
    fence = ""
    for number, content in enumerate(text.splitlines(), 1):
        line = Line(content, file, number, literal=bool(fence))
        found = _FENCE.match(content)
        if found and not fence and "`" not in found.group(2):
            fence = found.group(1)
            line = replace(line, literal=True)
            if cell := _CELL.match(found.group(2)):
                line.fail(f"an executable {cell.group(1)} cell: the article executes nothing")
        elif found and fence and found.group(1).startswith(fence) and not found.group(2).strip():
            fence = ""
        yield line


def _expand_line(line: Line, variables: Any) -> str:
    def replacement(found: re.Match[str]) -> str:
        if found.group("code") is not None:
            return _ESCAPED.sub(r"\1", found.group("code"))
        if found.group("escaped") is not None:
            return found.group("escaped")
        name, *arguments = _arguments(line, found.group("call")) or [""]
        if name == "var" and len(arguments) == 1:
            return _variable(line, variables, arguments[0])
        if name == "include":
            line.fail("an include stands alone on its line")
        line.fail(f"the shortcode {found.group(0)} is not supported; use include and var only")

    return _CODE_OR_SHORTCODE.sub(replacement, line.text)


def _arguments(line: Line, call: str) -> list[str]:
    try:
        return shlex.split(call)
    except ValueError as error:
        line.fail(f"the shortcode {call!r} cannot be read: {error}")


def _variable(line: Line, variables: Any, key: str) -> str:
    value = variables
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, str) and value:
        return value
    if value is None:
        line.fail(f"the variable {key} is not in _variables.yml")
    line.fail(f"the variable {key} is no single value; name one of the values below it")


def _read_variables(file: Path) -> Any:
    """Return the nested mapping of `_variables.yml`, every number as the text written there: 0.10."""
    if not file.exists():
        return {}
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file} is no readable YAML: {error}") from error
