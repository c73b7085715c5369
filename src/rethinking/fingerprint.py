"""What code a result depends on, as one short text that changes when, and only when, that code does.

The modules are found by following the imports of a few roots, so there is no list that could go stale. Each module
counts through its syntax tree without docstrings: comments, layout and documentation change nothing.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = __name__.partition(".")[0]


@cache
def fingerprint(*roots: str) -> str:
    """Return 16 hexadecimal digits over the syntax trees of all modules of this package that `roots` import.

    `roots` are full module names. Imports inside functions count; imports by computed name do not: name the module
    they reach as a root.
    """
    digest = hashlib.sha256()
    for module, tree in modules(*roots).items():
        digest.update(f"{module} {tree}\n".encode())
    return digest.hexdigest()[:16]


def modules(*roots: str) -> dict[str, str]:
    """Return, for each module that `roots` import, 8 hexadecimal digits over its syntax tree.

    What `fingerprint` sums up, module by module, so that a change can be named.
    """
    return {module: _tree_digest(module)[:8] for module in dependencies(*roots)}


def dependencies(*roots: str) -> list[str]:
    """Return the sorted names of all modules of this package that importing `roots` may execute, `roots` included."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imports(module)
            waiting += [parent for parent in [module.rpartition(".")[0]] if parent]
    return sorted(found)


@cache
def _source(module: str) -> Path | None:
    # Not importlib's find_spec, which imports the packages above the module, and with them torch.
    place = Path(__file__).parent.joinpath(*module.split(".")[1:])
    candidates = (place / "__init__.py", place.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


@cache
def _tree(module: str) -> ast.Module:
    source = _source(module)
    if source is None:
        raise ModuleNotFoundError(f"no module named {module}")
    return ast.parse(source.read_text(encoding="utf-8"))


@cache
def _imports(module: str) -> tuple[str, ...]:
    found: list[str] = []
    for node in _executed(_tree(module)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            # `from package import name`: the name may be a module of its own or something the package defines.
            found += [name for alias in node.names if _exists(name := f"{node.module}.{alias.name}")]
    return tuple(name for name in found if name.partition(".")[0] == PACKAGE)


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


@cache
def _exists(module: str) -> bool:
    return module.partition(".")[0] == PACKAGE and _source(module) is not None


@cache
def _tree_digest(module: str) -> str:
    tree = _WithoutDocumentation().visit(_tree(module))
    return hashlib.sha256(_described(tree).encode()).hexdigest()


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
