"""``renew`` and ``timestamp``: what expires is signed anew in time, and nothing but versions and dates changes."""

import json
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf.audit import log
from enigm_tuf_repository import role_renewing
from enigm_tuf_repository.cli import Edges, main
from enigm_tuf_repository.standing import role_standings

UNITS = Path(__file__).parents[2] / "docs/systemd"
Captured = pytest.CaptureFixture[str]


def renew(vendor: Vendor, capsys: Captured, *options: str) -> dict[str, Any]:
    capsys.readouterr()
    vendor.done("renew", "--json", *options)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def published(vendor: Vendor, record: str) -> None:
    vendor.done("release", "attach", record, *vendor.answers(record, roles=True))
    for step in ("verify", "gate", "publish"):
        vendor.done("release", step, record)


def held(vendor: Vendor, role: str, version: int) -> dict[str, Any]:
    """What a role says, but for its version and dates."""
    signed: dict[str, Any] = json.loads((vendor.published / f"metadata/{version}.{role}.json").read_bytes())["signed"]
    return {name: value for name, value in signed.items() if name not in {"version", "expires"}}


def test_nothing_is_due_in_a_repository_that_was_just_signed(released: Vendor, capsys: Captured) -> None:
    assert renew(released, capsys)["record"] is None
    assert not list((released.workspace.path / "records").glob("renew-*"))


def test_what_is_due_is_signed_anew_and_published_like_a_release(released: Vendor, capsys: Captured) -> None:
    """Snapshot and manifest role live 30 days here, targets 180, the payload role 365."""
    released.clock.advance(timedelta(days=25))
    said = renew(released, capsys)
    assert said["elsewhere"] == {"timestamp": "enigm-repo timestamp"}
    assert released.record("renew-3").roles == {"phone.manifest": 3, "snapshot": 3}
    request = released.workspace.path / "records/renew-3/requests/manifest-roles.enigmreq"
    released.done("request", "lint", str(request))
    published(released, "renew-3")
    assert held(released, "phone.manifest", 3) == held(released, "phone.manifest", 2)
    assert released.device_sees() == "1.0"
    released.done("verify")
    assert renew(released, capsys)["record"] is None


def test_what_expires_within_the_days_that_were_named_is_asked_for_and_nothing_else(
    released: Vendor, capsys: Captured
) -> None:
    released.clock.advance(timedelta(days=10))
    assert renew(released, capsys, "--days", "19")["record"] is None
    renew(released, capsys, "--days", "20")
    assert set(released.record("renew-3").roles) == {"phone.manifest", "snapshot"}


def test_everything_that_is_delegated_can_be_renewed_at_once(released: Vendor, capsys: Captured) -> None:
    released.clock.advance(timedelta(days=310))  # all but root has expired, or is about to: the repository slept
    said = renew(released, capsys)
    assert released.record("renew-3").roles == {
        "phone.payload": 3,
        "phone.manifest": 3,
        "snapshot": 3,
        "targets": 2,
    }
    assert set(said["requests"]) == {"manifest", "release"}
    published(released, "renew-3")
    for role, version in (("phone.payload", 2), ("phone.manifest", 2), ("targets", 1)):
        assert held(released, role, version + 1) == held(released, role, version)
    released.done("verify")


def test_a_tired_engineer_who_asks_for_more_days_than_a_role_lives_is_told_so(
    released: Vendor, capsys: Captured
) -> None:
    for days in ("30", "0", "-1"):
        assert released.run("renew", "--days", days) == 2
        assert f"--days {days}: phone.manifest lives 30 days" in capsys.readouterr().err
    released.done("renew", "--days", "29")


def test_more_than_one_request_holds_is_done_in_turns(
    released: Vendor, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    released.done("product", "add", "tablet", "--channel", "stable")
    released.publish("product-tablet")
    monkeypatch.setattr(role_renewing, "REQUEST_ROLES", 2)
    assert log.REQUEST_ROLES == 20
    released.clock.advance(timedelta(days=25))
    said = renew(released, capsys)
    assert (len(said["left"]), set(released.record("renew-4").roles)) == (1, {"phone.manifest", "snapshot"})
    published(released, "renew-4")
    assert renew(released, capsys)["left"] == []
    assert set(released.record("renew-5").roles) == {"tablet.manifest", "snapshot"}


def test_a_role_that_gains_something_on_the_way_is_refused(released: Vendor, capsys: Captured) -> None:
    """Whoever owns the repository tries to slip a target in under a renewal."""
    released.clock.advance(timedelta(days=25))
    renew(released, capsys)
    request = released.workspace.path / "records/renew-3/requests/manifest-roles.enigmreq"
    data = request.read_bytes()
    request.write_bytes(data.replace(b"manifests/phone/stable.json", b"manifests/phone/stabl3.json"))
    assert released.run("request", "lint", str(request)) != 0


# --- timestamp ---


def version(vendor: Vendor) -> int:
    return next(
        item.version for item in role_standings(vendor.workspace, vendor.clock.now()) if item.role == "timestamp"
    )


def test_a_timer_renews_when_a_third_of_the_life_is_over_and_not_before(released: Vendor) -> None:
    life = timedelta(days=2)
    before = version(released)
    released.clock.advance(life / 3 - timedelta(seconds=1))
    released.done("timestamp", "--if-due")
    assert version(released) == before
    released.clock.advance(timedelta(seconds=1))
    released.done("timestamp", "--if-due")
    assert version(released) == before + 1


@dataclass
class Turns:
    """A pause that moves the clock, and ends the loop after some turns."""

    vendor: Vendor
    left: int
    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.vendor.clock.advance(timedelta(seconds=seconds))
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def loop(vendor: Vendor, turns: int) -> Turns:
    pause = Turns(vendor, turns)
    command = ["timestamp", "--loop", "--repository", str(vendor.workspace.path)]
    assert main(command, Edges(vendor.clock, pause)) == 2
    return pause


def test_a_loop_renews_all_its_life(released: Vendor, capsys: Captured) -> None:
    before = version(released)
    assert set(loop(released, 48).seconds) == {3600.0}
    assert version(released) == before + 2, "every 16 hours in the 48 of a timestamp's life"
    assert capsys.readouterr().err.count("is published, good until") == 2


def test_a_loop_outlives_a_signer_that_fails_for_a_while(released: Vendor, capsys: Captured) -> None:
    config = released.workspace.configuration_file
    text = config.read_text()
    config.write_text(text.replace("signer.py", "no-signer.py"))
    released.clock.advance(timedelta(days=1))
    assert set(loop(released, 2).seconds) == {60.0}
    assert "error: timestamp signer" in capsys.readouterr().err
    config.write_text(text)
    before = version(released)
    loop(released, 1)
    assert version(released) == before + 1


def test_of_jobs_that_run_at_once_one_renews_and_the_others_do_nothing(released: Vendor) -> None:
    before = version(released)
    released.clock.advance(timedelta(days=1))
    start = threading.Barrier(4)

    def job(number: int) -> int:
        del number
        start.wait()
        return released.run("timestamp", "--if-due")

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(job, range(4)))
    assert 0 in statuses
    assert set(statuses) <= {0, 2}, "2: another enigm-repo is at work"
    assert version(released) == before + 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.iterdir()))
def test_the_units_are_what_systemd_takes(unit: str, tmp_path: Path) -> None:
    """With a command that is there: systemd looks for it."""
    for path in UNITS.iterdir():
        text = path.read_text().replace("/opt/enigm/bin/enigm-repo", "/bin/true").replace("User=enigm", "User=root")
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", tmp_path / unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.glob("*.service")))
def test_the_commands_of_the_units_work(unit: str, released: Vendor) -> None:
    (line,) = [line for line in (UNITS / unit).read_text().splitlines() if line.startswith("ExecStart=")]
    command = line.removeprefix("ExecStart=/opt/enigm/bin/enigm-repo ").replace(
        "/srv/updates", str(released.workspace.path)
    )
    assert main(command.split(), Edges(released.clock)) == 0
