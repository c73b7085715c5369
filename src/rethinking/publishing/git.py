"""Git, called as a person calls it, with its complaints as one sentence."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from rethinking.errors import UserError


def git(
    *words: str, root: Path = Path(), given: bytes | None = None, variables: Mapping[str, str] | None = None
) -> str:
    """Run git in `root` and return what it prints, without the last line's end.

    `given` is what it reads, `variables` what its environment has beside ours. Raises UserError where it fails.
    """
    return git_bytes(*words, root=root, given=given, variables=variables).decode().rstrip("\n")


def git_bytes(
    *words: str, root: Path = Path(), given: bytes | None = None, variables: Mapping[str, str] | None = None
) -> bytes:
    """Run git as `git` does, and return what it prints as it is."""
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=root,
            input=given,
            # A password that nobody is there to type fails at once.
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **(variables or {})},
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise UserError("git is not on PATH: install it") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(f"git {words[0]} failed: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout
