"""What can be wrong with a remote, in sentences."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rethinking.errors import UserError


def remote_named(repository: Any, name: str | None) -> tuple[str, Any]:
    """Return the name and the object store of a remote, DVC's default one where None.

    Raises UserError if there is no such remote.
    """
    from dvc.config import ConfigError, NoRemoteError

    known = ", ".join(repository.config["remote"])
    chosen = name or repository.config["core"].get("remote")
    if not chosen:
        raise UserError(f"no remote is chosen; name one with REMOTE=..., there is {known or 'none: see docs/data.md'}")
    if chosen not in repository.config["remote"]:
        raise UserError(f"remote: found '{chosen}', must be one of {known}; `dvc remote add` adds one (docs/data.md)")
    try:
        return chosen, repository.cloud.get_remote_odb(chosen)
    except (ConfigError, NoRemoteError) as error:
        raise UserError(f"remote '{chosen}' is not set up as it should be: {error} (docs/data.md)") from error


@contextmanager
def remote_problems(name: str, store: Any) -> Iterator[None]:
    """Turn what the libraries for S3, SSH and HTTP raise into one sentence that says what is wrong with the remote."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        place = store.fs.unstrip_protocol(store.path)
        raise UserError(f"remote '{name}' ({place}) {_what_is_wrong(error)} Nothing here was changed") from error


def require_access(name: str, store: Any, object_name: str) -> None:
    """Raise UserError unless the remote answers when asked for an object, be it that it does not hold it.

    DVC asks whole lists at once and takes an HTTP server that is away, or refuses, for one that holds nothing.
    """
    path = store.oid_to_path(object_name)
    with remote_problems(name, store), suppress(FileNotFoundError):
        if store.fs.protocol in ("http", "https"):
            store.fs.fs.cat_file(path, start=0, end=1)  # the library behind it takes any answer to `info` for a no
        else:
            store.fs.info(path)


def _what_is_wrong(error: BaseException) -> str:
    """Return the end of a sentence, from an exception of any of the libraries behind DVC's remotes."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    said = str(error).rstrip(".") or type(error).__name__
    refused = {"PermissionError", "NoCredentialsError", "PermissionDenied"}
    if kinds & refused or getattr(error, "status", None) in (401, 403):
        return f"refuses access ({said}): give it credentials as docs/data.md says."
    unreachable = {"ConnectionError", "TimeoutError", "gaierror", "ClientConnectionError", "HTTPClientError"}
    if kinds & unreachable or "connect" in said.lower():
        return f"cannot be reached ({said}): check its address, and the network."
    if "FileNotFoundError" in kinds:
        return f"is not there ({said}): make it, or mend its address with `dvc remote modify`."
    return f"cannot be used ({said})."
