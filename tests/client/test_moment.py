"""What device.toml and the caller say of the moment, on the command line."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf_client.cli import Edges, main

BASE = """environment = "staging"
product = "phone"
hardware_id = "phone-a"
channel = "stable"
device_id = "device-1"
cohorts = []
url = "http://127.0.0.1:9"
"""


class Offline:
    """A device that reads a bundle."""

    def __init__(self, vendor: Vendor, path: Path, extra: str = "") -> None:
        self.vendor = vendor
        self.device = path / "device"
        self.bundle = path / "phone.enigmbundle"
        (path / "device.toml").write_text(BASE + extra)
        root = str(vendor.published / "metadata/1.root.json")
        assert self.run("init", "--root", root, "--config", str(path / "device.toml")) == 0
        if not self.bundle.exists():
            vendor.done("bundle", "phone", "--channel", "stable", "--out", str(self.bundle))

    def run(self, *arguments: str) -> int:
        return main([*arguments, "--device", str(self.device)], Edges(self.vendor.clock))

    def asked(self, *arguments: str) -> int:
        return self.run(*arguments, "--bundle", str(self.bundle))


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    data = json.loads(capsys.readouterr().out)
    assert isinstance(data, dict)
    return {line["control"]: line for line in data["report"]}


def test_a_device_without_a_network_updates_from_a_bundle(
    released: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Offline(released, tmp_path)
    for verb in ("check", "fetch", "install"):
        assert device.asked(verb) == 0, capsys.readouterr().err
    assert "1.0 installed" in capsys.readouterr().out
    assert (device.device / "slots/current/payload").stat().st_size > 1_000_000


def test_a_bundle_expires_as_its_metadata_does(
    released: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Offline(released, tmp_path)
    released.clock.advance(timedelta(days=60))
    assert device.asked("check") == 3
    assert "EXPIRED" in capsys.readouterr().err


def test_a_bundle_older_than_what_the_device_knows_is_refused(
    released: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Offline(released, tmp_path)
    released.prepare_release("2.0")
    released.publish("phone-2.0")
    newer = tmp_path / "newer.enigmbundle"
    released.done("bundle", "phone", "--channel", "stable", "--out", str(newer))
    assert device.run("check", "--bundle", str(newer)) == 0
    assert device.asked("check") == 3
    assert "ROLLBACK-TIMESTAMP" in capsys.readouterr().err


def test_a_wrong_byte_in_a_bundle_is_refused_where_it_is(
    released: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Offline(released, tmp_path)
    data = bytearray(device.bundle.read_bytes())
    data[data.index(b"payload payload") + 100_000] ^= 1
    device.bundle.write_bytes(data)
    assert device.asked("check") == 0
    assert device.asked("fetch") == 3
    assert "CHUNK-HASH" in capsys.readouterr().err


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_bundle_that_was_cut_off_is_an_error_in_one_line(
    released: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str], keep: int
) -> None:
    device = Offline(released, tmp_path)
    device.bundle.write_bytes(device.bundle.read_bytes()[:keep])
    assert device.asked("check") == 2
    (line,) = capsys.readouterr().err.splitlines()[:1]
    assert line.startswith("error: ")


def test_a_bundle_that_is_not_there_is_named(
    released: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Offline(released, tmp_path)
    assert device.run("check", "--bundle", str(tmp_path / "none")) == 2
    assert "none: no such file" in capsys.readouterr().err


def test_a_bundle_of_a_channel_without_a_release_is_not_written(
    released: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released.run("bundle", "phone", "--channel", "beta", "--out", str(tmp_path / "x")) == 2
    assert "channel beta of product phone has no release yet" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("toml", "arguments", "control", "verdict"),
    [
        ("", [], "battery", "not-checked"),
        ("minimum_battery_percent = 50\n", ["--battery", "49"], "battery", "refuse"),
        ("minimum_battery_percent = 50\n", ["--battery", "50"], "battery", "pass"),
        ("minimum_battery_percent = 50\n", ["--charging"], "battery", "pass"),
        ("", ["--free-bytes", "1000"], "space", "refuse"),
        ("", [], "space", "pass"),
        ("enrolled = false\n", [], "enrolment", "refuse"),
        ('maintenance_window = "00:00-23:59"\n', [], "maintenance-window", "pass"),
    ],
)
def test_the_moment_is_judged_and_an_offer_waits_for_it(
    released: Vendor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    toml: str,
    arguments: list[str],
    control: str,
    verdict: str,
) -> None:
    device = Offline(released, tmp_path, toml)
    capsys.readouterr()
    assert device.asked("check", "--json", *arguments) == 0
    assert report(capsys)[control]["verdict"] == verdict


def test_a_device_without_a_clock_is_judged_at_its_floor_and_told_so(
    released: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Offline(released, tmp_path, 'clock = "none"\n')
    capsys.readouterr()
    released.clock.advance(timedelta(days=60))
    assert device.asked("check", "--json") == 0
    assert report(capsys)["freshness"]["verdict"] == "not-checked"
    assert device.run("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["latest_time"] is not None, "issued raised the floor"


@pytest.mark.parametrize("hours", ["24:00-25:00", "1:00-5:00", "01:00"])
def test_hours_that_are_none_are_named(
    released: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str], hours: str
) -> None:
    (tmp_path / "device.toml").write_text(BASE + f'maintenance_window = "{hours}"\n')
    root = str(released.published / "metadata/1.root.json")
    arguments = ["init", "--root", root, "--config", str(tmp_path / "device.toml")]
    assert main([*arguments, "--device", str(tmp_path / "device")], Edges(released.clock)) == 2
    assert "maintenance_window: must be hours" in capsys.readouterr().err


@pytest.mark.parametrize("level", ["101", "-1", "half"])
def test_a_level_that_is_none_is_named(
    released: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str], level: str
) -> None:
    device = Offline(released, tmp_path)
    with pytest.raises(SystemExit) as exit_status:
        device.asked("check", f"--battery={level}")
    assert exit_status.value.code == 2
    assert "does not lie in 0..100" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_crash(released: Vendor, tmp_path: Path) -> None:
    device = Offline(released, tmp_path)
    command = [sys.executable, "-m", "enigm_tuf_client", "status", "--device", str(device.device)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as status:
        assert status.stdout
        status.stdout.close()
        assert status.stderr
        assert status.stderr.read() == b""
    assert status.returncode == 0
