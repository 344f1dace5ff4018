"""``prune``: what no device can ask for goes, and nothing else ever does."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf_repository import release_preparing

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def _grown(stages: Callable[[str], Vendor], tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    """A manifest keeps two releases here; four were published, two days apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release_preparing, "KEPT_RELEASES", 2)
        vendor = stages("released").copied_to(tmp_path_factory.mktemp("grown") / "vendor")
        for version in ("1.1", "1.2", "1.3"):
            before = files(vendor)
            vendor.clock.advance(timedelta(days=2))
            vendor.publish(vendor.prepare_release(version))
            made_now(vendor, files(vendor) - before)
    return vendor


def made_now(vendor: Vendor, paths: set[str]) -> None:
    """By the vendor's clock, which is ahead of the machine's."""
    now = vendor.clock.now().timestamp()
    for path in paths:
        os.utime(vendor.published / path, (now, now))


@pytest.fixture
def vendor(_grown: Vendor, tmp_path: Path) -> Vendor:
    return _grown.copied_to(tmp_path / "vendor")


def prunable(vendor: Vendor, capsys: Captured, *options: str) -> dict[str, Any]:
    capsys.readouterr()
    vendor.done("prune", "--json", *options)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def files(vendor: Vendor) -> set[str]:
    tree = (path for path in vendor.published.rglob("*") if path.is_file() and ".incoming" not in path.parts)
    return {str(path.relative_to(vendor.published)) for path in tree}


def test_a_dry_run_takes_nothing_away(vendor: Vendor, capsys: Captured) -> None:
    before = files(vendor)
    said = prunable(vendor, capsys, "--grace-days", "1")
    assert said["bytes"] == sum((vendor.published / item["path"]).stat().st_size for item in said["files"]) > 2_000_000
    assert files(vendor) == before
    vendor.done("prune", "--grace-days", "1")
    assert "would be deleted: run it again with --delete" in capsys.readouterr().out


def test_only_what_nobody_needs_goes_and_the_tree_is_whole(vendor: Vendor, capsys: Captured) -> None:
    vendor.clock.advance(timedelta(days=1))
    before = files(vendor)
    said = prunable(vendor, capsys, "--grace-days", "1", "--delete")
    gone = {item["path"] for item in said["files"]}
    assert files(vendor) == before - gone
    kept = sorted(path for path in files(vendor) if path.startswith("metadata/"))
    assert kept == [
        "metadata/1.root.json",
        "metadata/1.targets.json",
        "metadata/5.phone.manifest.json",
        "metadata/5.phone.payload.json",
        "metadata/5.snapshot.json",
        "metadata/timestamp.json",
    ]
    payloads = sorted(path.split("/")[3] for path in files(vendor) if path.endswith(".zip"))
    assert payloads == ["1.2", "1.3"], "those that the manifest in force offers"
    vendor.done("timestamp")
    assert vendor.device_sees() == "1.3"
    vendor.done("verify")
    assert prunable(vendor, capsys, "--grace-days", "1")["files"] == []


def test_what_was_in_force_within_the_grace_stays(vendor: Vendor, capsys: Captured) -> None:
    """A day ago 1.2 was the newest: a device may be at that snapshot, and fetch 1.1."""
    gone = {item["path"] for item in prunable(vendor, capsys, "--grace-days", "1", "--delete")["files"]}
    assert "metadata/3.snapshot.json" in gone, "it was replaced two days ago"
    assert not {"metadata/4.snapshot.json", "metadata/4.phone.manifest.json", "metadata/4.phone.payload.json"} & gone
    assert {path.split("/")[3] for path in gone if path.endswith(".zip")} == {"1.0"}
    vendor.done("verify")


def test_releases_go_on_after_it(vendor: Vendor, capsys: Captured) -> None:
    prunable(vendor, capsys, "--grace-days", "1", "--delete")
    vendor.publish(vendor.prepare_release("1.4"))
    assert vendor.device_sees() == "1.4"
    vendor.done("verify")


def test_a_file_that_goes_without_being_pruned_is_still_damage(vendor: Vendor, capsys: Captured) -> None:
    prunable(vendor, capsys, "--grace-days", "1", "--delete")
    (payload,) = (vendor.published / "targets/payloads/phone/1.2").glob("*.zip")
    payload.unlink()
    assert vendor.run("verify") == 3


def test_killed_half_way_it_is_run_again(vendor: Vendor, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, left = Path.unlink, [3]

    def unlink(self: Path, missing_ok: bool = False) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(5, "Input/output error", str(self))
        whole(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    assert vendor.run("prune", "--grace-days", "1", "--delete") == 2
    monkeypatch.undo()
    vendor.done("verify")
    prunable(vendor, capsys, "--grace-days", "1", "--delete")
    assert prunable(vendor, capsys, "--grace-days", "1")["files"] == []
    vendor.done("verify")


def test_a_stray_file_is_left_for_verify(vendor: Vendor, capsys: Captured) -> None:
    for name in ("metadata/9.snapshot.json", "targets/payloads/phone/1.0/stray.zip"):
        (vendor.published / name).write_bytes(b"x")
    gone = {item["path"] for item in prunable(vendor, capsys, "--grace-days", "1", "--delete")["files"]}
    assert not {"metadata/9.snapshot.json", "targets/payloads/phone/1.0/stray.zip"} & gone


@pytest.mark.parametrize(("days", "told"), [("0", "--grace-days 0: must be 1 to 3650"), ("-5", "must be 1 to 3650")])
def test_a_tired_engineer_who_wants_no_grace_is_told_why(
    days: str, told: str, vendor: Vendor, capsys: Captured
) -> None:
    assert vendor.run("prune", "--grace-days", days, "--delete") == 2
    assert told in capsys.readouterr().err


def test_a_bucket_is_not_pruned(vendor: Vendor, capsys: Captured) -> None:
    config = vendor.workspace.configuration_file
    config.write_text(config.read_text() + '\n[store]\nurl = "s3://updates/phones"\nendpoint = "http://127.0.0.1:1"\n')
    assert vendor.run("prune") == 2
    assert "error:" in capsys.readouterr().err
