"""What a module's source says to `fingerprint`: what it imports, and what it does, as a digest of its syntax tree.

A command asks this of up to 250 modules, which takes a second to find out. It is therefore kept where Python keeps the
compiled modules, and holds for as long as the source is the same, byte for byte.
"""

import ast
import hashlib
import json
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import NamedTuple


class Syntax(NamedTuple):
    """What the source of one module says."""

    imports: list[str]
    """Full names of the modules that it imports, inside functions too."""
    names: list[str]
    """Full names of what it takes from modules: `package.name`, a module or something that the package defines."""
    digest: str
    """SHA-256 in hexadecimal digits of its syntax tree without docstrings."""


def syntax(source: Path) -> Syntax:
    """Return what a module's source says. Raises SyntaxError if it is no Python, and OSError if it cannot be read."""
    text = source.read_bytes()
    key = hashlib.sha256(_READER + text).hexdigest()
    kept = Path(cache_from_source(str(source))).with_suffix(".syntax")
    # What another process is writing, or could not finish, has no valid checksum; what cannot be kept is read again.
    with suppress(OSError, zlib.error):
        found = json.loads(zlib.decompress(kept.read_bytes()))
        if found.pop("key") == key:
            return Syntax(**found)
    read = _read(ast.parse(text, str(source)))
    if not sys.dont_write_bytecode:
        with suppress(OSError):
            kept.parent.mkdir(exist_ok=True)
            # Compressed for the checksum, and so that who searches the folder for a word finds sources alone.
            kept.write_bytes(zlib.compress(json.dumps({"key": key, **read._asdict()}).encode()))
    return read


_READER = hashlib.sha256(Path(__file__).read_bytes()).digest()
"""Of this very file: what an older version of it has kept says nothing."""


def _read(tree: ast.Module) -> Syntax:
    imports: list[str] = []
    names: list[str] = []
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    described = _described(_WithoutDocumentation().visit(tree))
    return Syntax(imports, names, hashlib.sha256(described.encode()).hexdigest())


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below `node`, those left out that only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            waiting: list[ast.AST] = list(child.orelse)
        else:
            waiting = [child]
        for other in waiting:
            yield other
            yield from _executed(other)


def _described(node: object) -> str:
    """Return a syntax tree as text, the same in every version of Python.

    `ast.dump` will not do: versions differ in which empty fields they show, and new ones add fields that stay empty in
    code that does not use them (`type_params` in 3.12).
    """
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return f"{type(node).__name__}({', '.join(f'{name}={_described(value)}' for name, value in fields)})"
    if isinstance(node, list):
        return f"[{', '.join(map(_described, node))}]"
    return repr(node)


class _WithoutDocumentation(ast.NodeTransformer):
    """Drops strings that stand as statements: docstrings, of attributes too."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Return None, which removes the statement, for a bare string."""
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node
