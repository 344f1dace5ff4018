"""enigm-update as a device's people run it, over real HTTP, with mistakes."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf_client.cli import Edges, main
from enigm_tuf_repository.cli.serve import make_server

CONFIGURATION = """environment = "staging"
product = "phone"
hardware_id = "phone-a"
channel = "stable"
device_id = "device-1"
cohorts = []
url = "{url}"
"""


class Folder:
    """A device's folder, its configuration, and the root that it ships with."""

    def __init__(self, vendor: Vendor, path: Path, url: str) -> None:
        self.device = path / "device"
        self.root = vendor.published / "metadata" / "1.root.json"
        self.config = path / "device.toml"
        self.config.write_text(CONFIGURATION.format(url=url))
        self._edges = Edges(vendor.clock)

    def run(self, *arguments: str) -> int:
        return main([*arguments, "--device", str(self.device)], self._edges)

    def init(self, root: Path | None = None) -> int:
        return self.run("init", "--root", str(root or self.root), "--config", str(self.config))


@pytest.fixture
def folder(released: Vendor, tmp_path: Path) -> Iterator[Folder]:
    with make_server(released.published, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Folder(released, tmp_path, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of error among what the test's own server says."""
    said = capsys.readouterr().err
    assert "Traceback" not in said
    (line,) = (line for line in said.splitlines() if line.startswith("error: "))
    return line


def test_a_device_goes_from_the_shipped_root_to_the_installed_release(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [folder.init(), folder.run("check"), folder.run("fetch"), folder.run("install")] == [0, 0, 0, 0]
    assert (folder.device / "slots/current/version").read_text().startswith("1.0 ")
    capsys.readouterr()
    assert folder.run("status", "--json") == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["installed"], status["roles"]["root"]["version"]) == ("1.0", 1)
    assert folder.run("fetch") == 2
    assert "nothing to do: up to date" in one_line(capsys)


def test_install_before_fetch_says_what_to_run(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.init()
    assert folder.run("install") == 2
    assert "hint: run enigm-update fetch first" in capsys.readouterr().err


def test_a_refusal_shows_the_report_names_the_rule_and_ends_with_three(
    folder: Folder, released: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.init()
    (released.published / "metadata" / "timestamp.json").write_bytes(folder.root.read_bytes())
    capsys.readouterr()
    assert folder.run("check", "--json") == 3
    said = capsys.readouterr()
    assert json.loads(said.out)["refused_by"] == "METADATA-TYPE"
    assert "error: METADATA-TYPE" in said.err


BAD_ROOTS: dict[str, Callable[[bytes], bytes]] = {
    "is the file cut off": lambda data: data[: len(data) // 2],
    "no NaN": lambda data: data.replace(b'"version": 1', b'"version": NaN').replace(b'"version":1', b'"version":NaN'),
    "the same key twice": lambda data: b'{"signed": {}, "signed": {}, ' + data[1:],
    "at most 512,000 bytes": lambda data: data + b" " * 600_000,
    "is the file cut off?": lambda data: data[:0],
}


@pytest.mark.parametrize("says", BAD_ROOTS)
def test_a_bad_root_is_one_line_and_leaves_no_device(
    folder: Folder, tmp_path: Path, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.root.json"
    bad.write_bytes(BAD_ROOTS[says](folder.root.read_bytes()))
    assert folder.init(bad) == 2
    line = one_line(capsys)
    assert says in line
    assert line.startswith(f"error: {bad}")
    assert not folder.device.exists()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('channel = "stable"', 'chanel = "stable"', "chanel: unknown field"),
        ('channel = "stable"', "", "channel: missing field"),
        ("cohorts = []", "cohorts = true", "cohorts: must be a list"),
        ('"staging"', '"live"', "environment: must be one of production, staging, development"),
        ("url = ", "url == ", "not TOML"),
    ],
)
def test_a_bad_configuration_is_one_line(
    folder: Folder, old: str, new: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.config.write_text(folder.config.read_text().replace(old, new))
    assert folder.init() == 2
    assert says in one_line(capsys)
    assert not folder.device.exists()


def test_a_device_is_initialised_once(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.init() == 0
    assert folder.init() == 2
    assert "is a device already" in one_line(capsys)


def test_a_folder_that_is_no_device_is_named(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.run("check") == 2
    assert "device.toml: no such file" in one_line(capsys)
