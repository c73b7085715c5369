"""What can be wrong with a remote, in sentences."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from rethinking.errors import UserError

SECONDS_TO_ANSWER = 10


def remote_named(repository: Any, name: str | None) -> tuple[str, Any]:
    """Return the name and the object store of a remote that answers and lets one in, DVC's default one where None.

    Raises UserError if there is no such remote, if it cannot be reached, and if it refuses.
    """
    from dvc.config import ConfigError, NoRemoteError

    known = ", ".join(repository.config["remote"])
    chosen = name or repository.config["core"].get("remote")
    if not chosen:
        raise UserError(f"no remote is chosen; name one with REMOTE=..., there is {known or 'none: see docs/data.md'}")
    if chosen not in repository.config["remote"]:
        raise UserError(f"remote: found '{chosen}', must be one of {known}; `dvc remote add` adds one (docs/data.md)")
    try:
        store = repository.cloud.get_remote_odb(chosen)
    except (ConfigError, NoRemoteError) as error:
        raise UserError(f"remote '{chosen}' is not set up as it should be: {error} (docs/data.md)") from error
    # Without it DVC keeps no index of the remote, by which an object that was lost there would count as there.
    store.tmp_dir = None
    with remote_problems(chosen, store):
        _require_answer(repository.config["remote"][chosen])
        _require_access(store)
    return chosen, store


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


def _require_answer(settings: Mapping[str, Any]) -> None:
    """Raise ConnectionError if nobody listens at a remote's address: the libraries may take minutes to find out."""
    address = urlsplit(str(settings.get("endpointurl") or settings["url"]))
    ports = {"http": 80, "https": 443, "ssh": 22}
    if address.hostname is None or address.scheme not in ports or (address.scheme != "ssh" and getproxies()):
        return
    port = settings.get("port") or address.port or ports[address.scheme]
    try:
        socket.create_connection((address.hostname, int(port)), timeout=SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise ConnectionError(f"{address.hostname}:{port}: {error.strerror or error}") from error


def _require_access(store: Any) -> None:
    """Raise what the remote's library does unless the remote says whether it holds an object, here one of no content.

    DVC asks for whole lists, and takes an HTTP server that refuses for one that holds nothing.
    """
    path = store.oid_to_path("d41d8cd98f00b204e9800998ecf8427e")
    if store.fs.protocol in ("http", "https"):
        store.fs.fs.exists(path, strict=True)
    elif store.fs.protocol == "s3":
        # Asked for an object, S3 does not say why it refuses, nor that there is no such bucket.
        store.fs.fs.call_s3("list_objects_v2", Bucket=path.split("/")[0], MaxKeys=1)
    else:
        store.fs.exists(path)


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
