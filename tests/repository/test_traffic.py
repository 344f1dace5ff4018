"""``traffic`` is held to what a real nginx logs of a small fleet of real clients."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.vendor import Vendor
from enigm_testkit.web_log import served
from enigm_tuf.errors import MisuseError
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf_client.http import HttpFetcher
from enigm_tuf_client.installer import DirectorySlots
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.updater import Updater
from enigm_tuf_repository.traffic.model import Fleet

Captured = pytest.CaptureFixture[str]
DEVICES, RELEASES, CHECKS = 3, 2, 7


def asked(vendor: Vendor, capsys: Captured, devices: int, releases: int, checks: int) -> dict[str, Any]:
    capsys.readouterr()
    fleet = ["--devices", str(devices), "--releases", str(releases), "--days", str(checks), "--checks-per-day", "1"]
    vendor.done("traffic", "phone", "--channel", "stable", *fleet, "--json")
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def update(folder: Path, vendor: Vendor, url: str) -> str | None:
    """A device checks, and fetches and installs what it is offered; its version then."""
    store, slots = DirectoryStore(folder / "store"), DirectorySlots(folder / "slots")
    facts = DeviceFacts("staging", "phone", "phone-a", "stable", folder.name)
    updater = Updater(store=store, fetcher=HttpFetcher(url), facts=facts, clock=vendor.clock)
    check = updater.check()
    if check.refusal:
        raise check.refusal
    if check.offer:
        updater.install(check.offer, updater.fetch(check.offer, slots.place(check.offer.sha256)), slots)
    installed = store.load().installed.get("phone")
    return installed[0] if installed else None


def ships(folder: Path, vendor: Vendor) -> None:
    root = (vendor.published / "metadata/1.root.json").read_bytes()
    DirectoryStore(folder / "store").commit(DeviceState(metadata={"root": root}))


def test_it_is_what_a_real_server_counts(released: Vendor, tmp_path: Path, capsys: Captured) -> None:
    """Counts exactly, bytes within 5 % for each role. Devices check once a day; releases come on days 3 and 5."""
    said = asked(released, capsys, DEVICES, RELEASES, CHECKS)
    folders = [tmp_path / f"device-{number}" for number in range(DEVICES)]
    for folder in folders:
        ships(folder, released)
    with served(tmp_path / "nginx", released.published) as server:
        for day, version in enumerate(("1.0", "1.0", "1.1", "1.1", "1.2", "1.2", "1.2")):
            if day in {2, 4}:
                released.publish(released.prepare_release(version))
            assert {update(folder, released, server.url) for folder in folders} == {version}
            released.clock.advance(timedelta(hours=20))
            released.done("timestamp")
    requests, sizes = server.by_role()
    assert {row["role"]: row["requests"] for row in said["rows"]} == dict(requests)
    for row in said["rows"]:
        assert row["bytes"] == pytest.approx(sizes[row["role"]], rel=0.05), row["role"]


def test_a_device_with_nothing_new_makes_two_small_requests(released: Vendor, capsys: Captured) -> None:
    once = {row["role"]: row["requests"] for row in asked(released, capsys, 1, 0, 1)["rows"]}
    twice = {row["role"]: row["requests"] for row in asked(released, capsys, 1, 0, 2)["rows"]}
    assert {role: twice[role] - count for role, count in once.items() if twice[role] != count} == {
        "root (not found)": 1,
        "timestamp": 1,
    }


def test_the_table_and_the_picture_are_for_people(released: Vendor, tmp_path: Path, capsys: Captured) -> None:
    picture = tmp_path / "traffic.svg"
    fleet = ["--devices", "1000000", "--releases", "4"]
    released.done("traffic", "phone", "--channel", "stable", *fleet, "--plot", str(picture))
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:2] == ["timestamp", "120,000,000"] for line in lines)
    assert "requests a second on average" in lines[-2]
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text())
    assert "120,000,000" in texts
    assert texts.count("payload role") == 2
    assert released.run("traffic", "phone", "--channel", "stable", *fleet, "--plot", str(picture)) == 2
    assert "nothing is overwritten" in capsys.readouterr().err


TIRED: dict[str, tuple[list[str], str]] = {
    "no device": (["--devices", "0", "--releases", "1"], "devices: at least 1, is 0"),
    "more releases than checks": (["--devices", "5", "--releases", "30", "--days", "7"], "cannot find 30 releases"),
    "no day": (["--devices", "5", "--releases", "1", "--days", "0"], "--days 0: at least 1"),
    "a channel without a release": (["--devices", "5", "--releases", "1", "--channel", "beta"], "has no release yet"),
}


@pytest.mark.parametrize("name", TIRED)
def test_a_tired_engineer_is_told_what_is_wrong(name: str, released: Vendor, capsys: Captured) -> None:
    options, told = TIRED[name]
    assert released.run("traffic", "phone", "--channel", "stable", *options) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("make", [lambda: Fleet(1, 1, 1), lambda: Fleet(1, -1, 1)])
def test_a_fleet_that_cannot_be_is_refused(make: Callable[[], Fleet]) -> None:
    with pytest.raises(MisuseError):
        make()
