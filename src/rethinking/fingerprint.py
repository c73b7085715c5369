"""What code a result depends on, as one short text that changes when, and only when, that code does.

The modules are found by following the imports of a few roots, so there is no list that could go stale. Each module
counts through its syntax tree without docstrings: comments, layout and documentation change nothing.
"""

import hashlib
from functools import cache
from pathlib import Path

from rethinking.syntax import Syntax, syntax

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
    return {module: _syntax(module).digest[:8] for module in dependencies(*roots)}


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
def _syntax(module: str) -> Syntax:
    source = _source(module)
    if source is None:
        raise ModuleNotFoundError(f"no module named {module}")
    return syntax(source)


@cache
def _imports(module: str) -> list[str]:
    read = _syntax(module)
    found = read.imports + [name for name in read.names if _ours(name) and _source(name) is not None]
    return [name for name in found if _ours(name)]


def _ours(name: str) -> bool:
    return name.partition(".")[0] == PACKAGE
