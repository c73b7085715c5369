"""Which change of code makes which results out of date: tried on copies of the source."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from rethinking.fingerprint import dependencies, fingerprint
from rethinking.params_file import load_params
from rethinking.runs import training_code
from rethinking.studies.registry import STUDIES, grid
from rethinking.syntax import _described

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "rethinking"

STUDY = "rethinking.studies.randomisation"
ROOTS = {
    **{model: ["rethinking.training.run", f"rethinking.models.{model}"] for model in ("alexnet", "inception", "mlp")},
    "collect": ["rethinking.results.frame"],
    "tables": [f"{STUDY}.tables"],
    "figure1a": [f"{STUDY}.figures.figure1a"],
    "overview": [f"{STUDY}.figures.overview"],
    "claims": [f"{STUDY}.claims"],
}
TRAINING = {"alexnet", "inception", "mlp"}
FIGURES = {"figure1a", "overview"}
RESULTS = FIGURES | {"collect", "tables", "claims"}

Edit = Callable[[Path], None]


def fingerprints(package: Path) -> dict[str, str]:
    """Return the roots' fingerprints in a copy of the package, by the copy's own code: it reads what lies beside it."""
    spec = spec_from_file_location(fingerprint.__module__, package / "fingerprint.py")
    assert spec is not None
    assert spec.loader is not None
    copied = module_from_spec(spec)
    spec.loader.exec_module(copied)
    return {name: copied.fingerprint(*roots) for name, roots in ROOTS.items()}


def replacing(old: str, new: str, name: str) -> Edit:
    def edit(package: Path) -> None:
        text = (package / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} is to hold {old!r} once"
        (package / name).write_text(text.replace(old, new), encoding="utf-8")

    return edit


def appending(line: str, name: str) -> Edit:
    def edit(package: Path) -> None:
        with open(package / name, "a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")

    return edit


def rewriting_every_comment_and_docstring(package: Path) -> None:
    """Print every module from its syntax tree: no comment, another layout; and document it anew."""
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                node.value.value = "Documented otherwise."
        path.write_text(f"# A new comment.\n\n\n{ast.unparse(tree)}\n", encoding="utf-8")


def touching_nothing(package: Path) -> None:
    """The copy lies elsewhere and is newer."""


EDITS: dict[str, tuple[Edit, set[str]]] = {
    "nothing": (touching_nothing, set()),
    "documentation": (rewriting_every_comment_and_docstring, set()),
    "alexnet": (appending("EXTRA = 1", "models/alexnet.py"), {"alexnet"}),
    "inception": (appending("EXTRA = 1", "models/inception.py"), {"inception"}),
    "initialisation": (appending("EXTRA = 1", "models/initialisation.py"), TRAINING),
    "loop": (
        replacing("    optimiser.step()", "    optimiser.step(); optimiser.step()", "training/steps.py"),
        TRAINING,
    ),
    "whitening": (replacing("correction=0", "correction=1", "data/images.py"), TRAINING),
    "corruptions": (appending("EXTRA = 1", "data/corruptions.py"), TRAINING | RESULTS),
    "sources": (appending("EXTRA = 1", "data/sources.py"), {"claims"}),
    "records": (appending("EXTRA = 1", "records.py"), TRAINING | RESULTS),
    "package": (appending("EXTRA = 1", "__init__.py"), TRAINING | RESULTS),
    "style": (
        replacing('"svg.fonttype": "path"', '"svg.fonttype": "none"', "results/style.py"),
        FIGURES,
    ),
    "figure": (appending("EXTRA = 1", "studies/randomisation/figures/figure1a.py"), {"figure1a"}),
    "what some figures share": (appending("EXTRA = 1", "studies/randomisation/figures/shared.py"), {"figure1a"}),
    "what all figures share": (appending("EXTRA = 1", "results/drawing.py"), FIGURES),
    "titles": (appending("EXTRA = 1", "results/titles.py"), RESULTS - {"collect"}),
    "threshold": (replacing("CHANCE = 0.1", "CHANCE = 0.11", "studies/randomisation/claims.py"), {"claims"}),
    "article": (appending("EXTRA = 1", "article/assemble.py"), set()),
    "command line": (appending("EXTRA = 1", "cli.py"), set()),
    "runs": (appending("EXTRA = 1", "runs.py"), set()),
}


def helping(value: int, imported: bool) -> Edit:
    """A module that is imported by another one, which MLPs import inside a function, or not at all."""

    def edit(package: Path) -> None:
        (package / "helper.py").write_text("from rethinking.further import VALUE\n", encoding="utf-8")
        (package / "further.py").write_text(f"VALUE = {value}\n", encoding="utf-8")
        if imported:
            appending("def late():\n    from rethinking import helper\n    return helper", "models/mlp.py")(package)

    return edit


HELPERS = {"unused": helping(1, False), "used": helping(1, True), "changed": helping(2, True)}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The fingerprints after each edit, and "before"."""
    folder = tmp_path_factory.mktemp("copies")
    original = folder / "before"
    shutil.copytree(SOURCE, original, ignore=shutil.ignore_patterns("*.pyc*"))
    after = {"before": fingerprints(original)}
    for name, edit in ({name: edit for name, (edit, _) in EDITS.items()} | HELPERS).items():
        edit(shutil.copytree(original, folder / name))
        after[name] = fingerprints(folder / name)
    return after


def different(one: dict[str, str], other: dict[str, str]) -> set[str]:
    return {name for name in ROOTS if one[name] != other[name]}


@pytest.mark.parametrize("name", EDITS)
def test_a_change_makes_only_what_depends_on_it_out_of_date(found: dict[str, dict[str, str]], name: str) -> None:
    _, changed = EDITS[name]
    assert different(found["before"], found[name]) == changed


def test_new_imports_are_followed_wherever_they_stand(found: dict[str, dict[str, str]]) -> None:
    assert different(found["before"], found["unused"]) == set()
    assert different(found["unused"], found["used"]) == {"mlp"}
    assert different(found["used"], found["changed"]) == {"mlp"}


def test_imports_for_type_checkers_are_not_followed(tmp_path: Path) -> None:
    """They are never executed: what a type is made of has no say in a result."""
    package = shutil.copytree(SOURCE, tmp_path / "package", ignore=shutil.ignore_patterns("*.pyc*"))
    helping(1, False)(package)
    before = fingerprints(package)
    appending("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass", "models/mlp.py")(package)
    with_block = fingerprints(package)
    assert different(before, with_block) == {"mlp"}
    mlp = package / "models/mlp.py"
    text = mlp.read_text().replace("    pass\n", "    from rethinking import helper\n")
    mlp.write_text(text)
    importing = fingerprints(package)
    helping(2, False)(package)
    assert different(importing, fingerprints(package)) == set()


def test_python_versions_agree() -> None:
    """Newer versions give syntax trees more fields, empty where the code does not use them."""

    class NewerFunction(ast.FunctionDef):
        _fields = (*ast.FunctionDef._fields, "type_params", "further")

    tree, newer = (ast.parse("def double(x):\n    return 2 * x\n") for _ in range(2))
    function = newer.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.__class__ = NewerFunction
    function.type_params, function.further = [], None  # type: ignore[attr-defined]
    assert _described(newer).replace("NewerFunction", "FunctionDef") == _described(tree)
    assert ast.dump(newer).replace("NewerFunction", "FunctionDef") != ast.dump(tree)


def test_order_of_the_roots_does_not_matter() -> None:
    roots = ["rethinking.models.mlp", "rethinking.training.run"]
    assert fingerprint(*roots) == fingerprint(*reversed(roots))


def test_a_root_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"rethinking\.models\.vgg"):
        fingerprint("rethinking.models.vgg")


def test_planning_takes_fingerprints_without_loading_torch() -> None:
    """The workflow asks for every cell's code each time it starts; torch would make that seconds."""
    program = (
        "import sys; from rethinking.fingerprint import fingerprint\n"
        "fingerprint('rethinking.training.run', 'rethinking.models.mlp')\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@pytest.mark.parametrize(
    ("preset", "architectures"),
    [
        ("paper", {"alexnet", "cnn", "inception", "mlp", "resnet"}),
        ("digits", {"alexnet", "cnn", "inception", "mlp"}),
    ],
)
def test_cells_of_one_architecture_share_their_code(preset: str, architectures: set[str]) -> None:
    params = load_params(ROOT / "params.yaml", preset)
    codes: dict[object, set[str]] = {}
    for cell in grid(params):
        recipe = params.recipe(cell)
        codes.setdefault(recipe.model["architecture"], set()).add(training_code(recipe))
    assert set(codes) == architectures
    assert all(len(found) == 1 for found in codes.values())
    assert len(set.union(*codes.values())) == len(architectures)


# --- a rule of the house: what is between a run and the article starts without torch ---


def torch_imports(*roots: str) -> list[str]:
    """Name the modules of the package that importing `roots` may execute and that import torch."""
    found = []
    for module in dependencies(*roots):
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names.append(node.module)
            if any(name.partition(".")[0] == "torch" or name == "safetensors.torch" for name in names):
                found.append(module)
    return found


def modules_in(folder: str) -> list[str]:
    paths = sorted((SOURCE / folder).glob("*.py"))
    return [".".join(path.relative_to(SOURCE.parent).with_suffix("").parts) for path in paths]


LIGHT = [
    *modules_in("results"),
    *modules_in("article"),
    *modules_in("trace"),
    *modules_in("versions"),
    *(
        study.module_name(part)
        for study in STUDIES.values()
        for part in (
            "design",
            "tables",
            "claims",
            *(["plots"] if study.plots else []),
            *(study.part("figure", name) for name in study.figures),
        )
    ),
    "rethinking.plan",
]


@pytest.mark.parametrize("module", LIGHT)
def test_nothing_between_a_run_and_the_article_imports_torch(module: str) -> None:
    assert torch_imports(module.removesuffix(".__init__")) == []


def test_training_does_import_torch() -> None:
    assert {"rethinking.training.loop", "rethinking.data.images"} <= set(torch_imports("rethinking.training.run"))
