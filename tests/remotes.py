"""Real servers that hold what DVC pushes: S3, SSH and HTTP, on free ports of this machine, stopped when a test ends.

Each refuses strangers: S3 an unknown key, SSH another user's key, HTTP a missing password.
"""

import asyncio
import base64
import http.client
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import asyncssh
import boto3  # type: ignore[import-untyped]

HOST = "127.0.0.1"
SECONDS_TO_START = 30
# For commands that use these servers: nobody on this machine need be asked twice, or through a proxy, and a machine of
# Amazon's has no credentials to lend. Without this, botocore tries a port where nobody listens for ten seconds.
IMPATIENT = {
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": HOST,
    "no_proxy": HOST,
}


def unused_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Store(Protocol):
    """What lies on a server, for a test to count and to damage. Names are paths on the server."""

    def names(self) -> set[str]:
        """Return the names of all objects."""

    def write(self, name: str, content: bytes) -> None:
        """Overwrite an object."""

    def remove(self, name: str) -> None:
        """Delete an object."""


@dataclass(frozen=True)
class Folder:
    """Objects as files of a folder, as SSH and HTTP servers keep them."""

    path: Path

    def names(self) -> set[str]:
        return {str(path.relative_to(self.path)) for path in self.path.rglob("*") if path.is_file()}

    def write(self, name: str, content: bytes) -> None:
        path = self.path / name
        path.unlink()  # DVC makes what it puts into a local folder read-only
        path.write_bytes(content)

    def remove(self, name: str) -> None:
        (self.path / name).unlink()


@dataclass(frozen=True)
class S3:
    """An S3 server with one bucket, open to one key."""

    port: int
    bucket: str
    key_id: str
    secret: str

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def credentials(self) -> dict[str, str]:
        """The environment variables that let one in."""
        return {"AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret}

    def _bucket(self) -> Any:
        return _aws("resource", "s3", self.endpoint, self.key_id, self.secret).Bucket(self.bucket)

    def names(self) -> set[str]:
        return {summary.key for summary in self._bucket().objects.all()}

    def write(self, name: str, content: bytes) -> None:
        self._bucket().Object(name).put(Body=content)

    def remove(self, name: str) -> None:
        self._bucket().Object(name).delete()


def _aws(kind: str, service: str, endpoint: str, key_id: str, secret: str) -> Any:
    """Return boto3's client or resource of a service."""
    return getattr(boto3, kind)(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
    )


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def program(*words: str, port: int) -> Iterator[None]:
    """Run a program that serves on a port of this machine; enter once it answers, end it on leaving."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not _answers(port):
            assert process.poll() is None, f"{words} ended by itself with status {process.returncode}"
            assert time.monotonic() < deadline, f"{words} does not answer on port {port} within {SECONDS_TO_START} s"
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def s3_server(bucket: str) -> Iterator[S3]:
    """Serve S3 with an empty bucket (moto's server, as a process of its own)."""
    port = unused_port()
    with program(sys.executable, "-m", "moto.server", "--host", HOST, "--port", str(port), port=port):
        endpoint = f"http://{HOST}:{port}"
        iam = _aws("client", "iam", endpoint, "anyone", "anything")
        iam.create_user(UserName="reader")
        policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
        iam.put_user_policy(UserName="reader", PolicyName="all-of-s3", PolicyDocument=policy)
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        server = S3(port, bucket, key["AccessKeyId"], key["SecretAccessKey"])
        server._bucket().create()
        _check_keys_from_now_on(port)
        yield server


def _check_keys_from_now_on(port: int) -> None:
    """Have moto check every request's signature and the permissions of its key."""
    connection = http.client.HTTPConnection(HOST, port)
    connection.request("POST", "/moto-api/reset-auth", body="0")
    assert connection.getresponse().status == HTTPStatus.OK
    connection.close()


@dataclass(frozen=True)
class SSH:
    """An SSH server with SFTP that lets in one user with one key; `/` is `store.path`."""

    port: int
    user: str
    key_file: Path
    stranger_key_file: Path
    store: Folder


@contextmanager
def ssh_server(folder: Path, keys: Path) -> Iterator[SSH]:
    """Serve a folder by SFTP (asyncssh, in a thread); the keys are made in the folder `keys`."""
    files = {name: keys / name for name in ("host", "user", "stranger")}
    for path in (folder, keys):
        path.mkdir(parents=True, exist_ok=True)
    for file in files.values():
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(file)
        file.chmod(0o600)
    allowed = asyncssh.import_authorized_keys(
        asyncssh.read_private_key(files["user"]).export_public_key().decode("ascii")
    )

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            HOST,
            0,
            server_host_keys=[files["host"]],
            authorized_client_keys=allowed,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=os.fsencode(folder)),
        )

    async def stop(acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        await acceptor.wait_closed()

    try:
        acceptor = asyncio.run_coroutine_threadsafe(start(), loop).result(SECONDS_TO_START)
        try:
            yield SSH(acceptor.get_port(), "reader", files["user"], files["stranger"], Folder(folder))
        finally:
            asyncio.run_coroutine_threadsafe(stop(acceptor), loop).result(SECONDS_TO_START)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass(frozen=True)
class HTTP:
    """An HTTP server that takes and gives files, with a user's name and password if it asks for them."""

    port: int
    store: Folder
    user: str = "reader"
    password: str = ""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


class _Files(http.server.SimpleHTTPRequestHandler):
    """Gives a folder's files as Python's own server does, and stores what is PUT, making folders as needed."""

    expected: str | None = None

    def do_GET(self) -> None:
        if self._authorized():
            super().do_GET()

    def do_HEAD(self) -> None:
        if self._authorized():
            super().do_HEAD()

    def do_PUT(self) -> None:
        part = Path(self.translate_path(f"{self.path}.part"))
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:  # the body is read even if it is refused, or the client would see no answer
            self._receive(file)
        if self._authorized():
            part.replace(self.translate_path(self.path))
            self.send_response(HTTPStatus.CREATED)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            part.unlink()

    def _receive(self, file: Any) -> None:
        if "Content-Length" in self.headers:
            file.write(self.rfile.read(int(self.headers["Content-Length"])))
            return
        while size := int(self.rfile.readline(), 16):  # chunks: each with its size in a line before it
            file.write(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()

    def _authorized(self) -> bool:
        if self.expected is None or self.headers.get("Authorization") == self.expected:
            return True
        self.send_response(HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", 'Basic realm="data"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: pytest would show it with every failure."""


class _Server(http.server.ThreadingHTTPServer):
    # DVC opens many connections at once; whom a full queue turns away asks again a second later.
    request_queue_size = 128


@contextmanager
def http_server(folder: Path, password: str = "") -> Iterator[HTTP]:
    """Serve a folder that takes PUT, in a thread; with a password, strangers get 401."""
    folder.mkdir(parents=True, exist_ok=True)
    basic = base64.b64encode(f"{HTTP.user}:{password}".encode()).decode("ascii")

    class Handler(_Files):
        expected = f"Basic {basic}" if password else None

        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

    with _Server((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield HTTP(server.server_address[1], Folder(folder), password=password)
        finally:
            server.shutdown()
            thread.join()
