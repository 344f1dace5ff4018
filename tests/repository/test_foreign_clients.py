"""The published tree over real HTTP: unmodified python-tuf and tuf-js fetch and verify all of it."""

import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tuf.api.exceptions import DownloadLengthMismatchError, RepositoryError
from tuf.ngclient import Updater

from enigm_testkit.vendor import Vendor
from enigm_tuf_repository.cli.serve import make_server
from enigm_tuf_repository.role_building import hashed_name
from enigm_tuf_repository.staging import new_targets

TUF_JS = Path(__file__).parent / "tuf_js"
BIN = Path(sys.executable).parent  # node and npm of the locked environment, whatever the machine has
TARGETS = ["manifests/phone/stable.json", "payloads/phone/1.0/ota.zip", "payloads/phone/2.0/ota.zip"]


@pytest.fixture
def published(vendor: Vendor) -> Vendor:
    """Two releases are out."""
    vendor.publish(vendor.prepare_release("1.0", payload=b"first "))
    vendor.publish(vendor.prepare_release("2.0", payload=b"second "))
    return vendor


@pytest.fixture
def url(published: Vendor) -> Iterator[str]:
    """Where ``enigm-repo serve`` serves it."""
    with make_server(published.published, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def client(published: Vendor, tmp_path: Path) -> Path:
    """A client's folder with the shipped root."""
    folder = tmp_path / "client"
    (folder / "metadata").mkdir(parents=True)
    (folder / "targets").mkdir()
    shutil.copy(published.published / "metadata/1.root.json", folder / "metadata/root.json")
    return folder


def ngclient(client: Path, url: str) -> Updater:
    root = (client / "metadata/root.json").read_bytes()
    metadata, targets = str(client / "metadata"), str(client / "targets")
    return Updater(metadata, f"{url}/metadata/", targets, f"{url}/targets/", bootstrap=root)


def tuf_js(client: Path, url: str, *targets: str) -> subprocess.CompletedProcess[str]:
    folders = [str(client / "metadata"), url, str(client / "targets")]
    command = [str(BIN / "node"), str(TUF_JS / "fetch.mjs"), *folders, *targets]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def _tuf_js() -> None:
    """The npm package, as package-lock.json pins it."""
    if not (TUF_JS / "node_modules").is_dir():
        subprocess.run([str(BIN / "npm"), "ci", "--no-audit", "--no-fund"], cwd=TUF_JS, check=True, capture_output=True)


def test_ngclient_fetches_every_target(client: Path, url: str) -> None:
    updater = ngclient(client, url)
    updater.refresh()

    contents = []
    for path in TARGETS:
        info = updater.get_targetinfo(path)
        assert info is not None, path
        contents.append(Path(updater.download_target(info)).read_bytes())

    assert contents[1:] == [b"first 1.0", b"second 2.0"]


@pytest.mark.usefixtures("_tuf_js")
def test_tuf_js_fetches_every_target(client: Path, url: str) -> None:
    result = tuf_js(client, url, *TARGETS)

    assert result.returncode == 0, result.stderr
    contents = [Path(line).read_bytes() for line in result.stdout.splitlines()]
    assert contents[1:] == [b"first 1.0", b"second 2.0"]


@pytest.mark.usefixtures("_tuf_js")
def test_both_refuse_a_payload_that_was_swapped_on_the_server(published: Vendor, client: Path, url: str) -> None:
    _swap_payload(published)
    updater = ngclient(client, url)
    info = updater.get_targetinfo(TARGETS[2])
    assert info is not None

    with pytest.raises((RepositoryError, DownloadLengthMismatchError)):
        updater.download_target(info)
    assert tuf_js(client, url, TARGETS[2]).returncode != 0


@pytest.mark.parametrize("path", ["/", "/metadata/", "/.incoming/", "/%2e%2e/repository.toml", "/../register.json"])
def test_the_server_shows_files_of_the_tree_and_nothing_else(url: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}{path}")  # noqa: S310 - our own server

    assert refused.value.code == 404
    refused.value.close()


def test_serve_says_that_it_is_for_trying_out(published: Vendor) -> None:
    command = [sys.executable, "-m", "enigm_tuf_repository", "serve", "--port", "0", "--repository"]
    with subprocess.Popen([*command, str(published.workspace.path)], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        said = server.stderr.readline()
        with urllib.request.urlopen(f"{said.split()[0]}metadata/1.root.json") as answer:  # noqa: S310 - our own server
            assert answer.read() == (published.published / "metadata/1.root.json").read_bytes()
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=10) == 0

    assert "for trying out only" in said


def _swap_payload(published: Vendor) -> None:
    targets = new_targets(published.workspace, published.record("phone-2.0"))
    payload = next(target for target in targets if target.path == TARGETS[2])
    (published.published / "targets" / hashed_name(payload)).write_bytes(b"evil   2.0")
