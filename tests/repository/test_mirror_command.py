"""``mirror``: a copy that a device can be sent to at any moment, and that nobody can set back or fill otherwise."""

import shutil
from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor, make_vendor
from enigm_testkit.web_log import served
from enigm_tuf_repository.cli import Edges, main
from enigm_tuf_repository.integrity.checking import Known, check_tree
from enigm_tuf_repository.integrity.tree import DirectoryTree

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def shipped(released: Vendor, tmp_path: Path) -> Path:
    return Path(shutil.copy(released.published / "metadata/1.root.json", tmp_path / "shipped.json"))


def copy(vendor: Vendor, source: object, directory: Path, root: Path) -> int:
    return main(["mirror", str(source), str(directory), "--root", str(root)], Edges(vendor.clock))


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not str(path.relative_to(folder)).startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_copy_is_whole_and_follows(released: Vendor, shipped: Path, tmp_path: Path) -> None:
    directory = tmp_path / "copy"
    assert copy(released, released.published, directory, shipped) == 0
    assert released.device_sees(published=directory) == "1.0"
    assert check_tree(DirectoryTree(directory), Known("staging")).damage == []
    released.publish(released.prepare_release("1.1"))
    before = tree(directory)
    assert copy(released, released.published, directory, shipped) == 0
    assert released.device_sees(published=directory) == "1.1"
    assert tree(directory).items() >= {path: data for path, data in before.items() if "timestamp" not in path}.items()
    assert copy(released, released.published, directory, shipped) == 0, "with nothing new"


def test_a_copy_over_http(released: Vendor, shipped: Path, tmp_path: Path) -> None:
    with served(tmp_path / "nginx", released.published) as server:
        assert copy(released, server.url, tmp_path / "copy", shipped) == 0
    assert released.device_sees(published=tmp_path / "copy") == "1.0"


def test_a_source_that_was_set_back_is_refused(
    released: Vendor, shipped: Path, tmp_path: Path, capsys: Captured
) -> None:
    old = shutil.copytree(released.published, tmp_path / "old")
    released.publish(released.prepare_release("1.1"))
    assert copy(released, released.published, tmp_path / "copy", shipped) == 0
    before = tree(tmp_path / "copy")
    assert copy(released, old, tmp_path / "copy", shipped) == 3
    assert "error: STORE-MIRROR" in capsys.readouterr().err
    assert tree(tmp_path / "copy") == before


@pytest.mark.parametrize("name", ["*.ota.zip", "*.chunks", "*.stable.json", "2.phone.payload.json", "2.snapshot.json"])
def test_one_other_byte_in_the_source_reaches_no_copy(
    name: str, released: Vendor, shipped: Path, tmp_path: Path
) -> None:
    assert copy(released, released.published, tmp_path / "copy", shipped) == 0
    before = tree(tmp_path / "copy")
    (path,) = released.published.rglob(name)
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(bytes(data))
    assert copy(released, released.published, tmp_path / "fresh", shipped) in {2, 3}
    assert not (tmp_path / "fresh/metadata/timestamp.json").exists(), "nobody is sent to what is not whole"
    assert tree(tmp_path / "copy") == before


def test_another_vendors_root_is_refused(released: Vendor, tmp_path: Path) -> None:
    other = make_vendor(tmp_path / "other")
    other.done("init", "--config", str(other.path / "repository.toml"))
    other.publish("root-1")
    assert copy(released, released.published, tmp_path / "copy", other.published / "metadata/1.root.json") == 3
    assert tree(tmp_path / "copy") == {}


def test_a_tired_engineer_is_told_what_is_wrong(
    released: Vendor, shipped: Path, tmp_path: Path, capsys: Captured
) -> None:
    for source, directory, told in (
        (released.workspace.path, tmp_path / "copy", "no published tree"),
        (released.published, released.published / "copy", "lies in the tree that it would be a copy of"),
        ("htp://example.com", tmp_path / "copy", "no published tree"),
    ):
        assert copy(released, source, directory, shipped) == 2
        assert told in capsys.readouterr().err
    assert copy(released, released.published, tmp_path / "copy", tmp_path / "absent.json") == 2
