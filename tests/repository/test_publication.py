"""Publication is whole or not there: killed anywhere, raced, on a full disk, with strangers in the tree."""

import subprocess
import sys
from pathlib import Path

import pytest

from enigm_testkit.killing import killed_at
from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import ConflictError, RefusedError, StateError
from enigm_tuf_repository.durable import file_sha256
from enigm_tuf_repository.locking import exclusive
from enigm_tuf_repository.publication import Held, unseen
from enigm_tuf_repository.publishing import kind_of, require_known
from enigm_tuf_repository.stores.directory import DirectoryStore


def tree(published: Path) -> dict[str, bytes]:
    """Every file that a client could fetch."""
    files = (path for path in published.rglob("*") if path.is_file() and ".incoming" not in path.parts)
    return {str(path.relative_to(published)): path.read_bytes() for path in files}


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
@pytest.mark.slow
def test_a_publication_killed_at_any_file_operation_leaves_the_old_release_and_completes_when_run_again(
    gated: Vendor, tmp_path: Path
) -> None:
    whole = gated.copied_to(tmp_path / "whole")
    whole.done("release", "publish", "phone-1.0")
    operation, killed = 0, True

    while killed:
        vendor = gated.copied_to(tmp_path / f"killed-at-{operation}")
        killed = killed_at(operation, vendor, "release", "publish", "phone-1.0")
        assert vendor.device_sees() in {None, "1.0"}, f"killed at operation {operation}"
        vendor.done("release", "publish", "phone-1.0")
        assert tree(vendor.published) == tree(whole.published), f"killed at operation {operation}, then run again"
        assert list((vendor.published / ".incoming").iterdir()) == []
        operation += 1

    assert operation > 20, "the kill reached every file operation"


def test_the_timestamp_comes_last(gated: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    real = Path.replace

    def noted(self: Path, to: Path) -> Path:
        names.append(str(to))
        return real(self, to)

    monkeypatch.setattr(Path, "replace", noted)

    gated.done("release", "publish", "phone-1.0")

    published = [name.removeprefix(f"{gated.published}/") for name in names if name.startswith(str(gated.published))]
    kinds = [name.split(".", 1)[1] if name.startswith("metadata") else kind_of(name) for name in published]
    assert kinds == [
        "payloads",
        "chunks",
        "decisions",  # of two payload custodians, and one of the manifest authority; and the list of the three
        "decisions",
        "decisions",
        "decisions",
        "manifests",
        "phone.payload.json",
        "phone.manifest.json",
        "snapshot.json",
        "json",  # metadata/timestamp.json
    ]


def test_the_second_of_two_publishers_conflicts(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    vendor.up_to(vendor.prepare_release("1.0"), "verify", "gate")
    vendor.done("timestamp")
    before = tree(vendor.published)

    assert vendor.run("release", "publish", "phone-1.0") == 2

    told = capsys.readouterr().err
    assert "something else was published since it was verified" in told
    assert "hint: run `enigm-repo release verify phone-1.0` again" in told
    assert tree(vendor.published) == before
    for step in ("verify", "gate", "publish"):
        vendor.done("release", step, "phone-1.0")
    assert vendor.device_sees() == "1.0"


def test_two_people_at_once_cannot_change_one_workspace(gated: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    with exclusive(gated.workspace.path, "enigm-repo"):
        assert gated.run("product", "add", "tablet", "--channel", "stable") == 2

    assert "another enigm-repo is at work" in capsys.readouterr().err
    gated.done("product", "add", "tablet", "--channel", "stable")


def test_two_publishers_at_once_cannot_both_be_at_work(gated: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    with DirectoryStore(gated.published).session():
        assert gated.run("release", "publish", "phone-1.0") == 2

    assert "another publisher is at work" in capsys.readouterr().err
    gated.done("release", "publish", "phone-1.0")


_ON_A_SMALL_DISK = """
mount -t tmpfs -o size=1m tmpfs "$1/disk" && cp -r "$1/repository/published/." "$1/disk" || exit 99
mount --bind "$1/disk" "$1/repository/published" || exit 99
"$2" -m enigm_tuf_repository release publish phone-1.0 --repository "$1/repository"
echo "exit $?"
cp -r "$1/repository/published" "$1/full"
mount -o remount,size=16m "$1/disk"
"$2" -m enigm_tuf_repository release publish phone-1.0 --repository "$1/repository"
echo "exit $?"
cp -r "$1/repository/published" "$1/roomy"
"""


def test_a_full_disk_is_one_clear_line_and_the_old_release_stays_whole(gated: Vendor) -> None:
    before = tree(gated.published)
    (gated.path / "disk").mkdir()
    # a mount namespace of its own: nothing stays mounted, and those who are not root may do it too
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", _ON_A_SMALL_DISK, "sh"]

    result = subprocess.run([*command, str(gated.path), sys.executable], capture_output=True, text=True, check=False)

    error, hint = result.stderr.splitlines()
    assert error.startswith("error: ")
    assert "No space left on device" in error
    assert hint.startswith("hint: nothing that was published before has changed")
    assert [line for line in result.stdout.splitlines() if line.startswith("exit")] == ["exit 2", "exit 0"]
    assert tree(gated.path / "full") == before, "the old release, whole, and nothing half written"
    assert list((gated.path / "full" / ".incoming").iterdir()) == []
    assert gated.device_sees(gated.path / "full") is None
    assert gated.device_sees(gated.path / "roomy") == "1.0"


@pytest.mark.rule("PUBLISHED-TREE", "accept")
def test_a_tree_without_strangers_is_published(gated: Vendor) -> None:
    gated.done("release", "publish", "phone-1.0")


@pytest.mark.rule("PUBLISHED-TREE", "reject")
@pytest.mark.parametrize(
    "name", ["1.evil.json", "3.snapshot.json", "evil.json", "02.targets.json", "0.targets.json", "1.timestamp.json"]
)
def test_an_extra_published_file_that_nobody_signed_is_refused(
    gated: Vendor, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (gated.published / "metadata" / name).write_bytes(b"{}")

    assert gated.run("release", "publish", "phone-1.0") == 3

    assert f"PUBLISHED-TREE: published/metadata/{name}" in capsys.readouterr().err
    assert gated.device_sees() is None


@pytest.mark.rule("PUBLISHED-TREE", "accept")
def test_every_version_up_to_the_newest_is_known() -> None:
    names = [*(f"{version}.a.payload.json" for version in range(1, 12)), "1.root.json", "timestamp.json", "9.b.json"]
    require_known(reversed(names), {"a.payload": 11, "root": 1, "timestamp": 7}, {"9.b.json"}, "published")


@pytest.mark.rule("PUBLISHED-TREE", "reject")
@pytest.mark.parametrize(
    "name",
    [
        *("12.a.payload.json", "0.root.json", "01.root.json", "٣.a.payload.json", "².root.json", "-1.root.json"),
        *("+1.root.json", "1 .root.json", "1.root", "1.root.json.json", "1.json", ".root.json", "root.json", ""),
        *("7.timestamp.json", "9" * 5_000 + ".root.json", "1.root.json\n", "1.Root.json"),
    ],
)
def test_no_other_name_is_known(name: str) -> None:
    with pytest.raises(RefusedError, match="PUBLISHED-TREE") as caught:
        require_known(["z.json", name, "1.root.json"], {"a.payload": 11, "root": 1, "timestamp": 7}, (), "published")
    assert caught.value.subject == f"published/metadata/{min(name, 'z.json')}"


def test_a_created_file_never_changes(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "published")
    (tmp_path / "one").write_bytes(b"one")
    (tmp_path / "two").write_bytes(b"two")

    with store.session():
        for name in ("one", "one"):
            store.create("targets/file", tmp_path / name, file_sha256(tmp_path / name), unseen)
        with pytest.raises(ConflictError, match="published already, with other bytes"):
            store.create("targets/file", tmp_path / "two", file_sha256(tmp_path / "two"), unseen)

    assert store.fetch("targets/file", 3) == b"one"


def test_a_swap_needs_what_was_there(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "published")

    with store.session():
        store.replace("timestamp.json", b"one", None)
        one = store.read("timestamp.json")
        with pytest.raises(ConflictError):
            store.replace("timestamp.json", b"two", None)
        with pytest.raises(ConflictError):
            store.replace("timestamp.json", b"two", Held(b"zero", {"sha256": "0" * 64}))
        store.replace("timestamp.json", b"two", one)
        with pytest.raises(ConflictError):
            store.replace("timestamp.json", b"three", one)

    assert store.fetch("timestamp.json", 3) == b"two"


def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StateError, match="Not a directory"), DirectoryStore(tmp_path / "file" / "published").session():
        pass


@pytest.mark.rule("TREE-WHOLE", "accept")
def test_a_record_is_published_after_the_one_that_it_was_signed_on_top_of(prepared: Vendor) -> None:
    prepared.up_to("phone-1.0", "verify", "gate")
    second = _second_product(prepared)

    prepared.done("release", "publish", "phone-1.0")
    for step in ("verify", "gate", "publish"):
        prepared.done("release", step, second)

    assert prepared.device_sees() == "1.0"


@pytest.mark.rule("TREE-WHOLE", "reject")
def test_a_record_is_not_published_before_the_one_that_it_was_signed_on_top_of(
    prepared: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared.up_to("phone-1.0", "verify", "gate")
    second = _second_product(prepared)
    before = tree(prepared.published)

    assert prepared.run("release", "publish", second) == 3

    assert "TREE-WHOLE: metadata/2.phone." in capsys.readouterr().err
    assert tree(prepared.published) == before


def _second_product(vendor: Vendor) -> str:
    vendor.done("product", "add", "tablet", "--channel", "stable")
    vendor.up_to("product-tablet", "verify", "gate")
    return "product-tablet"


def test_a_publication_that_died_after_its_last_write_is_recognised_under_a_newer_timestamp(gated: Vendor) -> None:
    record = gated.workspace.record("phone-1.0") / "record.json"
    before = record.read_bytes()
    gated.done("release", "publish", "phone-1.0")
    record.write_bytes(before)  # as if it had died just before it noted what it had done
    gated.done("timestamp")

    gated.done("release", "publish", "phone-1.0")

    assert "out already" in gated.record("phone-1.0").steps[-1].findings[0].evidence
    assert gated.device_sees() == "1.0"
