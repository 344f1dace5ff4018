"""``enigm-repo verify``: a whole tree is whole, and each way to damage one is found and named."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf.errors import ConflictError
from enigm_tuf_repository.integrity.checking import Known, check_tree
from enigm_tuf_repository.integrity.damage import Findings
from enigm_tuf_repository.integrity.tree import DirectoryTree

Captured = pytest.CaptureFixture[str]


def verify(vendor: Vendor, capsys: Captured, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit status and what ``--json`` says."""
    capsys.readouterr()
    status = vendor.run("verify", "--json", *options)
    return status, json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def _with_a_past(stages: Callable[[str], Vendor], tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    vendor = stages("released").copied_to(tmp_path_factory.mktemp("past") / "vendor")
    vendor.publish(vendor.prepare_release("1.1"))
    return vendor


@pytest.fixture
def tree(_with_a_past: Vendor, tmp_path: Path) -> Vendor:
    """Releases 1.0 and 1.1 are published, so that there is a past too."""
    return _with_a_past.copied_to(tmp_path / "vendor")


def payload(vendor: Vendor, version: str = "1.1") -> Path:
    (path,) = (vendor.published / f"targets/payloads/phone/{version}").glob("*.ota.zip")
    return path


def old_manifest(vendor: Vendor) -> Path:
    """The one that release 1.1 replaced."""
    digest = next(
        path for path in vendor.record("phone-1.0").steps[-1].digests if path.startswith("staged/targets/manifests/")
    )
    return vendor.published / digest.removeprefix("staged/")


@pytest.mark.rule("TREE-INTACT", "accept")
def test_a_published_tree_is_whole_and_all_of_it_was_looked_at(tree: Vendor, capsys: Captured) -> None:
    status, said = verify(tree, capsys)
    assert (status, said["damage"]) == (0, [])
    assert said["counts"] == {
        "roots": 1,
        "roles in force": 5,
        "older versions": 2 + 0 + 2 + 2,  # snapshot, targets, phone.manifest, phone.payload
        "target files": 4,
        "payloads offered": 2,
        "chunk files": 2,
        "decisions": 11,
        "indexes of decisions": 4,
        "bytes": sum(path.stat().st_size for path in (tree.published / "targets").rglob("*.*[pn]")),
        "records": 4,
    }


def test_for_people_it_is_a_table(tree: Vendor, capsys: Captured) -> None:
    tree.done("verify", "--root", str(tree.published / "metadata/1.root.json"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{tree.published}: no damage"
    assert any(line.startswith("target files") and line.endswith("4") for line in lines)


def test_roots_alone_are_a_whole_tree_too(rooted: Vendor, capsys: Captured) -> None:
    assert verify(rooted, capsys)[0] == 0


def test_a_tree_that_slept_until_all_of_it_expired_is_whole(tree: Vendor, capsys: Captured) -> None:
    tree.clock.advance(timedelta(days=1_000))
    assert verify(tree, capsys)[0] == 0


def _flip(path: Path) -> None:
    """One bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def _link(path: Path) -> None:
    """The right bytes, but elsewhere."""
    moved = path.parents[5] / "elsewhere"
    shutil.move(path, moved)
    path.symlink_to(moved)


def metadata(name: str) -> Callable[[Vendor], Path]:
    return lambda vendor: vendor.published / "metadata" / name


def chunks(vendor: Vendor) -> Path:
    return payload(vendor).with_name(f"{payload(vendor).name}.chunks")


DAMAGES: dict[str, tuple[Callable[[Vendor], Path], Callable[[Path], object], str]] = {
    "a payload with one other bit": (payload, _flip, "bytes"),
    "a payload that is one byte short": (payload, _cut, "bytes"),
    "a payload that is one byte long": (payload, _grow, "bytes"),
    "a payload that is gone": (payload, Path.unlink, "missing"),
    "a payload that is a link out of the tree": (payload, _link, "bytes"),
    "the payload of an older release": (lambda vendor: payload(vendor, "1.0"), _flip, "bytes"),
    "chunk digests with one other bit": (chunks, _flip, "chunks"),
    "chunk digests that are one byte long": (chunks, _grow, "chunks"),
    "chunk digests that are gone": (chunks, Path.unlink, "missing"),
    "a manifest that was replaced": (old_manifest, _flip, "bytes"),
    "a manifest that was replaced and is gone": (old_manifest, Path.unlink, "missing"),
    "a root with one other bit": (metadata("1.root.json"), _flip, "refused"),
    "a root that is gone": (metadata("1.root.json"), Path.unlink, "missing"),
    "a timestamp with one other bit": (metadata("timestamp.json"), _flip, "refused"),
    "a timestamp that is gone": (metadata("timestamp.json"), Path.unlink, "missing"),
    "a snapshot with one other bit": (metadata("3.snapshot.json"), _flip, "refused"),
    "a snapshot that is gone": (metadata("3.snapshot.json"), Path.unlink, "missing"),
    "targets that are gone": (metadata("1.targets.json"), Path.unlink, "missing"),
    "a manifest role with one other bit": (metadata("3.phone.manifest.json"), _flip, "refused"),
    "a payload role that is gone": (metadata("3.phone.payload.json"), Path.unlink, "missing"),
    "an older version with one other bit": (metadata("2.phone.payload.json"), _flip, "refused"),
    "an older snapshot with one other bit": (metadata("2.snapshot.json"), _flip, "refused"),
    "an older version that is gone": (metadata("2.phone.payload.json"), Path.unlink, "missing"),
}


@pytest.mark.rule("TREE-INTACT", "reject")
@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_and_named(name: str, tree: Vendor, capsys: Captured) -> None:
    which, damage, kind = DAMAGES[name]
    path = which(tree)
    damage(path)
    status, said = verify(tree, capsys)
    assert status == 3
    found = {(item["kind"], item["path"]) for item in said["damage"]}
    assert (kind, str(path.relative_to(tree.published))) in found
    assert "payloads/phone/1.0" in name or len({path for _, path in found}) < 4, "one damage is no avalanche"


EXTRAS = [
    "metadata/4.snapshot.json",  # newer than what is in force
    "metadata/0.snapshot.json",
    "metadata/03.snapshot.json",
    "metadata/1.tablet.payload.json",
    "metadata/2.root.json.bak",
    "targets/payloads/phone/1.1/ota.zip",  # without its digest
    "targets/payloads/phone/1.1/notes.chunks",
    "targets/manifests/phone/stable.json",
    "index.html",
    ".hidden/deep/er",
]


@pytest.mark.parametrize("name", EXTRAS)
def test_a_file_that_nothing_signed_accounts_for_is_extra(name: str, tree: Vendor, capsys: Captured) -> None:
    path = tree.published / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"{}")
    status, said = verify(tree, capsys)
    assert status == 3
    assert [(item["kind"], item["path"]) for item in said["damage"]] == [("extra", name)]


def test_names_that_no_terminal_should_see_are_made_harmless(tree: Vendor, capsys: Captured) -> None:
    (tree.published / "targets/\x1b[31mred").write_bytes(b"")
    (Path(os.fsdecode(os.fsencode(tree.published) + b"/targets/\xff"))).write_bytes(b"")
    status, said = verify(tree, capsys)
    assert status == 3
    assert sorted(item["path"] for item in said["damage"]) == ["targets/\ufffd", "targets/\ufffd[31mred"]


def test_a_root_that_devices_were_not_shipped_with_is_refused(tree: Vendor, tmp_path: Path, capsys: Captured) -> None:
    """Whoever owns the tree could replace all of it by one of their own."""
    new_vendor = make_vendor(tmp_path / "other")
    new_vendor.done("init", "--config", str(new_vendor.path / "repository.toml"))
    new_vendor.publish("root-1")
    other = new_vendor.published / "metadata/1.root.json"
    status, said = verify(tree, capsys, "--root", str(other))
    assert (status, said["damage"][0]["kind"]) == (3, "refused")
    shutil.rmtree(tree.published)
    shutil.copytree(new_vendor.published, tree.published)
    status, said = verify(tree, capsys)
    assert status == 3
    assert "not the root that devices were shipped with" in said["damage"][0]["what"]


def test_what_a_publication_leaves_when_it_is_cut_is_no_damage(tree: Vendor, capsys: Captured) -> None:
    record = tree.prepare_release("1.2")
    tree.up_to(record, "verify", "gate")
    shutil.copytree(tree.workspace.staged(record) / "targets", tree.published / "targets", dirs_exist_ok=True)
    status, said = verify(tree, capsys)
    assert (status, said["counts"]["files of open records"]) == (0, 3)
    (made,) = (tree.published / "targets/payloads/phone/1.2").glob("*.zip")
    _flip(made)
    assert verify(tree, capsys)[1]["damage"][0]["kind"] == "extra"


def test_a_record_that_says_something_else_than_the_tree_is_found(tree: Vendor, capsys: Captured) -> None:
    path = tree.workspace.record("phone-1.0") / "record.json"
    path.write_bytes(path.read_bytes()[:-3])
    shutil.rmtree(tree.workspace.record("phone-1.1"))
    register = tree.workspace.register_file
    register.write_text(register.read_text().replace('"open":[]', '"open":["phone-1.1"]'))
    status, said = verify(tree, capsys)
    assert status == 3
    assert {item["path"] for item in said["damage"]} == {"records/phone-1.0/record.json", "records/phone-1.1"}


def test_something_published_meanwhile_is_no_damage_but_a_reason_to_ask_again(tree: Vendor) -> None:
    record = tree.prepare_release("1.2")
    tree.up_to(record, "verify", "gate")

    class Busy(DirectoryTree):
        """Another machine publishes while the names are asked for."""

        def names(self, folder: str) -> Iterator[str]:
            tree.done("release", "publish", record)
            return super().names(folder)

    with pytest.raises(ConflictError, match="something was published while the tree was looked at"):
        check_tree(Busy(tree.published), Known("staging"))
    assert not check_tree(Busy(tree.published), Known("staging")).damage


def test_a_tired_engineer_in_the_wrong_directory_is_told_so(new_vendor: Vendor, capsys: Captured) -> None:
    new_vendor.done("init", "--config", str(new_vendor.path / "repository.toml"))
    assert new_vendor.run("verify") == 2
    assert "nothing is published yet" in capsys.readouterr().err


def test_damage_of_one_product_hides_none_of_another(tree: Vendor) -> None:
    tree.done("product", "add", "tablet", "--channel", "stable")
    tree.publish("product-tablet")
    _flip(tree.published / "metadata/1.tablet.payload.json")
    _flip(payload(tree))
    found: Findings = check_tree(DirectoryTree(tree.published), Known("staging"))
    assert [item.kind for item in found.damage] == ["bytes", "refused"]
