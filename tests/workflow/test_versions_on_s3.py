"""Versions at a remote that is a real S3 server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from project import Project
from remotes import S3, s3_server
from versioned import PRESET, SMOKE, fails, files

pytestmark = pytest.mark.slow

# DVC fetches small objects in parallel; what it says of a server that is away is not what is tested here.
QUICK = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server("reproduction") as server:
        yield server


def use_s3(project: Project, server: S3) -> None:
    for words in (
        ("remote", "add", "--local", "s3", f"s3://{server.bucket}/rethinking"),
        ("remote", "modify", "--local", "s3", "endpointurl", server.endpoint),
    ):
        assert project.command("dvc", *words).returncode == 0


def test_push_and_pull_through_s3(origin: Project, s3: S3, tmp_path: Path) -> None:
    source = origin.copy_of_all(tmp_path / "source")
    use_s3(source, s3)
    answer = source.command("rethinking", "push", *PRESET, "--remote", "s3", **s3.credentials)
    assert answer.returncode == 0, answer.stderr
    again = source.command("rethinking", "push", *PRESET, "--remote", "s3", **s3.credentials)
    assert "0 objects were new to it" in again.stdout

    clone = origin.clone_to(tmp_path / "clone")
    use_s3(clone, s3)
    answer = clone.command("rethinking", "pull", *PRESET, "--remote", "s3", **s3.credentials)
    assert answer.returncode == 0, answer.stderr
    assert clone.to_do(*SMOKE) == {}
    assert files(clone.root / "weights") == files(origin.root / "weights")


@pytest.mark.parametrize(
    ("credentials", "sentence"),
    [
        ({"AWS_ACCESS_KEY_ID": "stranger", "AWS_SECRET_ACCESS_KEY": "guess"}, "refuses access"),
        ({}, "refuses access"),
    ],
)
def test_s3_refuses_strangers(
    pulled: Project, s3: S3, tmp_path: Path, credentials: dict[str, str], sentence: str
) -> None:
    clone = pulled.copy_of_all(tmp_path / "clone")
    use_s3(clone, s3)
    for command in ("push", "pull"):
        shutil.rmtree(clone.root / ".dvc/cache") if command == "pull" else None
        before = files(clone.root / "runs")
        said = fails(clone.command("rethinking", command, *PRESET, "--remote", "s3", **QUICK, **credentials))
        assert sentence in said
        assert files(clone.root / "runs") == before
    assert clone.to_do(*SMOKE) == {}


def test_an_s3_server_that_is_away(pulled: Project, tmp_path: Path) -> None:
    clone = pulled.copy_of_all(tmp_path / "clone")
    with s3_server("reproduction") as server:
        use_s3(clone, server)
    shutil.rmtree(clone.root / ".dvc/cache")
    said = fails(clone.command("rethinking", "pull", *PRESET, "--remote", "s3", **QUICK, **server.credentials))
    assert "cannot be reached" in said
    assert f"127.0.0.1:{server.port}" in said
    assert clone.to_do(*SMOKE) == {}
