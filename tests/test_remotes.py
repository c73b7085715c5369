"""The remotes of docs/data.md, set up by the very commands that stand there, against real servers."""

import hashlib
import random
import re
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from project import SOURCE, Project
from remotes import HOST, IMPATIENT, Store, http_server, program, s3_server, ssh_server, unused_port

TEXT = (SOURCE / "docs" / "data.md").read_text(encoding="utf-8")
S3, SSH, HTTP, FOLDER = "S3-compatible storage", "SSH", "HTTP", "A common folder, on a cluster or NFS"
DEFAULT_REMOTE = "~/.cache/rethinking-generalization"
LOCAL_CONFIG = ".dvc/config.local"
VERSIONED = ("articles/smoke", "data/digits/random-labels", "data/digits/true", "runs/smoke", "weights/smoke")


def blocks(heading: str) -> list[str]:
    """Return the commands that stand below a heading of docs/data.md, block by block."""
    (section,) = re.findall(rf"^### {re.escape(heading)}\n(.*?)(?=^##)", TEXT, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^```sh\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Place:
    """What a reader of docs/data.md has: a server, and what to write for the examples in the commands."""

    store: Store
    own: dict[str, str]
    secret: str
    """The one of them that opens the door, as it stands in .dvc/config.local."""
    wrong_secret: str

    def filled(self, commands: str) -> str:
        """Return the commands as this reader types them."""
        for example, own in self.own.items():
            commands = commands.replace(example, own)
        return commands


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    """A place for each kind of server, by its heading."""
    folder = tmp_path_factory.mktemp("servers")
    with (
        s3_server("our-data") as s3,
        ssh_server(folder / "ssh", folder / "keys") as ssh,
        http_server(folder / "http", password="open-sesame") as http,
    ):
        s3_own = {
            "my-bucket": s3.bucket,
            "https://s3.example.org": s3.endpoint,
            "my-key-id": s3.key_id,
            "my-secret": s3.secret,
        }
        ssh_own = {
            "storage.example.org:22": f"{HOST}:{ssh.port}",
            "user me": f"user {ssh.user}",
            "~/.ssh/id_ed25519": str(ssh.key_file),
        }
        http_own = {
            "https://data.example.org": http.url,
            "user me": f"user {http.user}",
            "my-password": http.password,
        }
        yield {
            S3: Place(s3, s3_own, s3.secret, "a-guess"),
            SSH: Place(ssh.store, ssh_own, str(ssh.key_file), str(ssh.stranger_key_file)),
            HTTP: Place(http.store, http_own, http.password, "a-guess"),
        }


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout that has recorded a few dozen small files, in nested and hidden folders as a run leaves them."""
    project = Project.check_out_to(tmp_path_factory.mktemp("original") / "project")
    draw = random.Random(0)
    cells = [f"digits/{model}/true/none/seed-{seed}" for model in ("alexnet", "mlp-1x512") for seed in (1, 2, 3)]
    files = [
        *(f"runs/smoke/{cell}/{name}" for cell in cells for name in ("metrics.json", ".snakemake/metrics.json")),
        *(f"weights/smoke/{cell}/weights.safetensors" for cell in cells),
        *(f"{folder}/{name}" for folder in VERSIONED for name in ("file", ".snakemake/file", "with space/ü")),
    ]
    for name in files:
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw.randbytes(draw.randrange(1, 20_000)))
    typed(project, f"dvc add --quiet {' '.join(VERSIONED)}")
    project.commit("Record a preset")
    return project


def typed(project: Project, commands: str, *, succeeds: bool = True) -> str:
    """Type commands into a shell of their own in the project's folder, and return what they print."""
    answer = project.command("bash", "-euc", commands, **IMPATIENT)
    assert (answer.returncode == 0) == succeeds, commands + answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


def clone(project: Project, root: Path) -> Project:
    """Clone as another user would, on another machine: nothing but Git's files is shared."""
    project.git("clone", "--quiet", str(project.root), str(root))
    return Project(root)


def content(project: Project) -> dict[str, str]:
    """Return path -> checksum of every file in the versioned folders."""
    return {
        str(path.relative_to(project.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in VERSIONED
        for path in (project.root / folder).rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("heading", [S3, SSH, HTTP])
def test_what_one_pushes_another_pulls(
    heading: str, places: dict[str, Place], original: Project, tmp_path: Path
) -> None:
    """To a server that lets one in who has typed what the text says, and nobody else."""
    place = places[heading]
    set_up, *credentials = blocks(heading)
    mine = original.copy_of_all(tmp_path / "mine")
    typed(mine, place.filled(set_up))
    typed(mine, f"{place.filled(credentials[0])}\ndvc push --remote lab")
    pushed = content(mine)
    assert len(place.store.names()) == len(set(pushed.values())) + len(VERSIONED)  # each content, each folder's list

    other = clone(mine, tmp_path / "other")
    if heading == S3:  # its credentials can be given in two ways
        typed(other, place.filled(credentials[1]))
    else:
        shutil.copy(mine.root / LOCAL_CONFIG, other.root / LOCAL_CONFIG)
    with other.edited(LOCAL_CONFIG, place.secret, place.wrong_secret):
        refused = typed(other, "rethinking pull --preset smoke --remote lab", succeeds=False)
    assert "refuses access" in refused
    assert content(other) == {}
    typed(other, "rethinking pull --preset smoke --remote lab")
    assert content(other) == pushed

    for folder in (*VERSIONED, ".dvc/cache"):
        shutil.rmtree(other.root / folder)
    typed(other, "dvc pull --remote lab")
    assert content(other) == pushed


def test_a_common_folder_takes_from_its_group_and_a_plain_web_server_gives(original: Project, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    mine = original.copy_of_all(tmp_path / "mine")
    (set_up,) = blocks(FOLDER)
    typed(mine, set_up.replace("/shared/rethinking", str(folder)))
    typed(mine, "rethinking push --preset smoke --remote lab")
    assert all(path.stat().st_mode & stat.S_IWGRP for path in folder.rglob("*") if path.is_dir())

    near = clone(mine, tmp_path / "near")
    typed(near, "dvc pull --remote lab")
    assert content(near) == content(mine)

    serve, add = blocks(HTTP)[2:]
    port = unused_port()
    for example, own in (("python", sys.executable), ("8000", f"{port} --bind {HOST}"), (DEFAULT_REMOTE, str(folder))):
        serve = serve.replace(example, own)
    far = clone(original, tmp_path / "far")
    with program(*shlex.split(serve), port=port):
        typed(far, add.replace("the-other-machine:8000", f"{HOST}:{port}"))
        typed(far, "dvc pull --remote lab")
    assert content(far) == content(mine)


def test_every_way_to_add_a_remote_is_tried_here() -> None:
    headings = re.findall(r"^### (.*)$", TEXT, flags=re.MULTILINE)
    assert {heading for heading in headings if "dvc remote add" in "".join(blocks(heading))} == {S3, SSH, HTTP, FOLDER}
