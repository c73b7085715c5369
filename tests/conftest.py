"""Data sets that several tests share. Session-scoped folders are for reading: copy what a test changes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import slurm
from project import Project
from rethinking.data.sources import fetch
from rethinking.locks import held

# Commands are started by the hundred: compiling all modules anew each time would double the tests' time.
sys.dont_write_bytecode = False

# A machine that is busy with something else makes no property false.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

# Lays out the original CIFAR-10 and MNIST files in torchvision's folders, where there is such a script.
UNPACK = Path(__file__).resolve().parents[2] / "shared" / "data" / "unpack.py"


def _unpacked(dataset: str, folder: Path) -> Path:
    if not UNPACK.is_file():
        pytest.skip(f"the original {dataset} files are not here: there is no {UNPACK}")
    subprocess.run([sys.executable, str(UNPACK), str(folder), dataset], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def digits_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root that holds the variant digits/true."""
    root = tmp_path_factory.mktemp("digits-root")
    fetch("digits", root, None)
    return root


@pytest.fixture(scope="session")
def cifar10_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the original CIFAR-10 files in torchvision's layout."""
    return _unpacked("cifar10", tmp_path_factory.mktemp("cifar10-mirror"))


@pytest.fixture(scope="session")
def mnist_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the original MNIST files in torchvision's layout."""
    return _unpacked("mnist", tmp_path_factory.mktemp("mnist-mirror"))


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """A Git checkout in which DVC has run the smoke preset to its end, all of it committed. Copy it to change it.

    Processes that run these tests together have one, each as a user of its own: the first to need it makes it.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "smoke-run"
    folder.mkdir(exist_ok=True)
    with held(folder / "lock", waiting=lambda: None):
        if not (folder / "made").exists():
            project = Project.check_out_to(folder / "project")
            answer = project.command("dvc", "repro", "reproduce@smoke")
            assert answer.returncode == 0, answer.stdout + answer.stderr
            project.commit("Run the smoke preset")
            (folder / "made").touch()
    return Project(folder / "project", tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def origin(smoke_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout whose smoke preset has run and was pushed to the default remote. Not to be changed."""
    project = smoke_run.copy_of_all(tmp_path_factory.mktemp("versions") / "origin")
    answer = project.command("rethinking", "push", "--preset", "smoke")
    assert answer.returncode == 0, answer.stderr
    return project


@pytest.fixture(scope="session")
def pulled(origin: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone of it elsewhere, with everything pulled. Tests put back what they change."""
    clone = origin.clone_to(tmp_path_factory.mktemp("elsewhere") / "clone")
    answer = clone.command("rethinking", "pull", "--preset", "smoke")
    assert answer.returncode == 0, answer.stderr
    return clone


@pytest.fixture(scope="module")
def cluster() -> Iterator[slurm.Cluster]:
    """A real Slurm cluster of two nodes with two (pretended) GPUs each."""
    if (missing := slurm.available()) is not None:
        pytest.skip(f"no Slurm cluster can be started here: {missing}")
    with slurm.slurm_cluster(nodes=2, gpus=2) as running:
        yield running
