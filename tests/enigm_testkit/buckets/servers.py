"""The servers. Each is a context manager that yields a Bucket, and leaves no process behind."""

import base64
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import obstore
from obstore.store import S3Store

from enigm_testkit.buckets.environment import azurite, servers

_UP = 60  # seconds
_DOWN = 1  # nothing in them is worth more


@dataclass(frozen=True)
class Bucket:
    """A running store. ``settings`` are further lines of ``[store]``; ``environment`` has its credentials.

    ``public`` is the URL of the tree for those who are nobody, where the server gives it to them.
    """

    url: str
    endpoint: str
    environment: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    public: str = ""

    def through(self, port: int) -> "Bucket":
        """The same behind a proxy on loopback."""
        scheme, _, rest = self.endpoint.partition("://")
        _, slash, path = rest.partition("/")
        endpoint = f"{scheme}://127.0.0.1:{port}{slash}{path}"
        return Bucket(self.url, endpoint, self.environment, self.settings, self.public)

    def toml(self, **more: str) -> str:
        """``[store]`` for repository.toml."""
        lines = {"url": self.url, "endpoint": self.endpoint, **self.settings} | more
        return "\n[store]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in lines.items())


@contextmanager
def moto(folder: Path) -> Iterator[Bucket]:
    """moto, for speed."""
    port = free_port()
    with running_process([servers() / "bin/moto_server", "-H", "127.0.0.1", "-p", str(port)], folder, port):
        yield s3_bucket(port)


@contextmanager
def seaweedfs(folder: Path) -> Iterator[Bucket]:
    """A real one: master, volumes, filer and S3 gateway in one process. Anybody may read."""
    master, volume, filer, s3 = (_pair_of_ports() for _ in range(4))
    key, secret = new_key()
    admin = {"name": "admin", "credentials": [{"accessKey": key, "secretKey": secret}]}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    anybody = {"name": "anonymous", "actions": ["Read"]}
    (folder / "data").mkdir(parents=True)
    (folder / "s3.json").write_text(json.dumps({"identities": [{**admin, "actions": actions}, anybody]}))
    command: list[str | Path] = [
        servers() / "bin/weed",
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
    ]
    command += [f"-master.port={master}", f"-volume.port={volume}", "-filer", f"-filer.port={filer}"]
    command += ["-s3", f"-s3.port={s3}", f"-s3.config={folder / 's3.json'}"]
    command += ["-master.volumeSizeLimitMB=1000", "-volume.max=50"]
    with running_process(command, folder, s3):
        yield s3_bucket(s3, (key, secret))


@contextmanager
def rclone(folder: Path) -> Iterator[Bucket]:
    """Ignores both conditions."""
    port, (key, secret) = free_port(), new_key()
    (folder / "data" / "bucket").mkdir(parents=True)
    command: list[str | Path] = [
        servers() / "bin/rclone",
        "serve",
        "s3",
        folder / "data",
        "--addr",
        f"127.0.0.1:{port}",
    ]
    with running_process([*command, "--auth-key", f"{key},{secret}"], folder, port):
        yield s3_bucket(port, (key, secret), make=False)


@contextmanager
def localbucket(folder: Path) -> Iterator[Bucket]:
    """Ignores If-Match."""
    port = free_port()
    (folder / "data" / "bucket").mkdir(parents=True)
    with running_process([servers() / "bin/localbucket", "--port", str(port), folder / "data"], folder, port):
        yield s3_bucket(port, make=False)


@contextmanager
def azure(folder: Path) -> Iterator[Bucket]:
    """Azurite, Microsoft's own stand-in for Azure Blob Storage."""
    port, key = free_port(), base64.b64encode(os.urandom(32)).decode()
    command: list[str | Path] = [
        *azurite(),
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        str(port),
        "--location",
        folder / "data",
    ]
    options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    with running_process([*command, *options], folder, port, {"AZURITE_ACCOUNTS": f"vendor:{key}"}):
        endpoint = f"http://127.0.0.1:{port}/vendor"
        client = "BlobServiceClient(sys.argv[1], credential=sys.argv[2]).create_container('bucket')"
        code = f"import sys; from azure.storage.blob import BlobServiceClient; {client}"
        subprocess.run([servers() / "bin/python", "-c", code, endpoint, key], check=True)
        yield Bucket("az://vendor/bucket/os", endpoint, {"AZURE_STORAGE_ACCOUNT_KEY": key})


def new_key() -> tuple[str, str]:
    """An access key and its secret, made up for this run."""
    return os.urandom(8).hex(), os.urandom(20).hex()


def s3_bucket(port: int, credentials: tuple[str, str] = ("nobody", "asks"), *, make: bool = True) -> Bucket:
    """A bucket called ``bucket`` behind an S3 server, made by a signed request unless it is there."""
    endpoint = f"http://127.0.0.1:{port}"
    key, secret = credentials
    environment = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
    if make:
        store = S3Store(
            "bucket",
            endpoint=endpoint,
            region="us-east-1",
            access_key_id=key,
            secret_access_key=secret,
            client_options={"allow_http": True},
        )
        urlopen(Request(obstore.sign(store, "PUT", "", timedelta(minutes=5)), method="PUT")).close()  # noqa: S310
    return Bucket("s3://bucket/os", endpoint, environment, {"region": "us-east-1"}, f"{endpoint}/bucket/os")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _pair_of_ports() -> int:
    """SeaweedFS takes each port and the one 10,000 above it."""
    while True:
        port = free_port() % 10_000 + 20_000
        with socket.socket() as low, socket.socket() as high:
            try:
                low.bind(("127.0.0.1", port))
                high.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            return port


@contextmanager
def running_process(
    command: Sequence[str | Path], folder: Path, port: int, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """In a process group of its own, since some of them start others."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        try:
            wait_for(port, process, folder / "log")
            yield
        finally:
            end(process)


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(_UP * 20):
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"not up in {_UP} s: {log.read_text(errors='replace')[-2000:]}")


def end(process: "subprocess.Popen[bytes]") -> None:
    """The group, by its id; at once if it does not go."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        try:
            process.wait(_DOWN if how == signal.SIGTERM else None)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _toml(value: str) -> str:
    return value if value in {"true", "false"} or value.isdecimal() else json.dumps(value)
