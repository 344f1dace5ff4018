"""``rollout``: from the command, through both rules of the authority, to which devices are offered a release."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf.model.manifest import Rollout, Stage
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.updater import Updater
from enigm_tuf_repository.rollout_effects import effect_rows
from enigm_tuf_repository.rollout_plans import Stopped, resumed

Captured = pytest.CaptureFixture[str]
HOUR = timedelta(hours=1)
FLEET = 30
PLAN = (
    '{start = "%s", stages = [{after_hours = 0, percent = 20}, {after_hours = 24, percent = 50}, '
    "{after_hours = 48, percent = 100}], cohorts = [], halted = false}"
)


@pytest.fixture(scope="module")
def _staged(stages: Callable[[str], Vendor], tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    vendor = stages("released").copied_to(tmp_path_factory.mktemp("staged") / "vendor")
    start = vendor.clock.now() + HOUR
    vendor.publish(vendor.prepare_release("1.1", rollout=PLAN % f"{start:%FT%TZ}"))
    return vendor


@pytest.fixture
def vendor(_staged: Vendor, tmp_path: Path) -> Vendor:
    """Release 1.1 starts in an hour with a fifth of the devices, and reaches half of them a day later, then all."""
    return _staged.copied_to(tmp_path / "vendor")


def offered(vendor: Vendor, version: str = "1.1") -> set[int]:
    """The devices of a small fleet that are offered the release, each with a store of its own."""
    found, root = set(), (vendor.published / "metadata/1.root.json").read_bytes()
    for number in range(FLEET):
        store = DirectoryStore(vendor.path / f"device-{number}")
        if not (vendor.path / f"device-{number}").exists():
            store.commit(DeviceState(metadata={"root": root}))
        facts = DeviceFacts("staging", "phone", "phone-a", "stable", f"device-{number}")
        check = Updater(store=store, fetcher=FileFetcher(vendor.published), facts=facts, clock=vendor.clock).check()
        if check.offer and check.offer.agreed.release.version == version:
            found.add(number)
    return found


def ask(verb: str, *options: str) -> list[str]:
    return ["rollout", verb, "phone", "--channel", "stable", *options]


def change(vendor: Vendor, verb: str, *options: str, capsys: Captured | None = None) -> dict[str, Any]:
    """Asked for, linted, signed and published; what ``--json`` says."""
    if capsys:
        capsys.readouterr()
    vendor.done(*ask(verb, *options), "--json")
    said: dict[str, Any] = json.loads(capsys.readouterr().out) if capsys else {}
    (record,) = [path.name for path in (vendor.workspace.path / "records").glob("rollout-*") if is_open(path)]
    vendor.done("request", "lint", str(vendor.workspace.record(record) / "requests/manifest.enigmreq"))
    vendor.publish(record)
    return said


def is_open(record: Path) -> bool:
    return len(json.loads((record / "record.json").read_text())["steps"]) < 8


def test_a_release_goes_through_its_whole_life(vendor: Vendor) -> None:
    """Started early, raised, paused, resumed, halted, resumed: nobody who was offered it is left but by the halt."""
    assert offered(vendor) == set()
    change(vendor, "start")
    vendor.done("timestamp")
    first = offered(vendor)
    assert 0 < len(first) < FLEET / 2, "about a fifth"
    change(vendor, "stage", "--percent", "40")
    raised = offered(vendor)
    assert first < raised < set(range(FLEET))
    change(vendor, "pause")
    vendor.clock.advance(47 * HOUR)
    vendor.done("timestamp")
    vendor.clock.advance(3 * HOUR)
    assert offered(vendor) == raised, "two days later, when all would have been reached"
    change(vendor, "resume")
    assert offered(vendor) == raised
    vendor.clock.advance(24 * HOUR)
    half = offered(vendor)
    assert raised <= half < set(range(FLEET))
    change(vendor, "halt")
    assert offered(vendor) == set(), "halted: not even those who were offered it"
    assert offered(vendor, "1.0") == set(range(FLEET)), "but the release before it"
    vendor.clock.advance(30 * HOUR)
    change(vendor, "resume")
    assert offered(vendor) == half, "as far as it had come"
    vendor.clock.advance(25 * HOUR)
    vendor.done("timestamp")
    assert offered(vendor) == set(range(FLEET))
    vendor.done("verify")


def test_the_effect_is_shown_before_anybody_is_asked(vendor: Vendor, capsys: Captured) -> None:
    vendor.clock.advance(2 * HOUR)
    capsys.readouterr()
    vendor.done(*ask("halt"), "--dry-run")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["FROM", "OFFERED", "TO", "WOULD", "BE", "OFFERED", "TO"]
    assert lines[2].split() == ["now", "20", "%", "nobody", "(halted)"]
    assert lines[3].endswith("50 %        nobody (halted)")
    assert lines[4].endswith("100 %       nobody (halted)")
    assert lines[-1] == "dry run: nothing is written"
    assert not list((vendor.workspace.path / "records").glob("rollout-*"))
    said = change(vendor, "halt", capsys=capsys)
    assert said["effect"][0] == {"from": "now", "before": "20 %", "after": "nobody (halted)"}
    assert said["record"] == "rollout-phone-4"


def test_only_one_authority_is_asked_and_one_word_changes(vendor: Vendor) -> None:
    before = manifest(vendor)
    change(vendor, "halt")
    after = manifest(vendor)
    assert [entry.authority for entry in vendor.record("rollout-phone-4").requests] == ["manifest"]
    assert after["releases"][0]["rollout"].pop("halted") is True
    assert before["releases"][0]["rollout"].pop("halted") is False
    assert after == before


def manifest(vendor: Vendor) -> dict[str, Any]:
    signed = json.loads(max((vendor.published / "metadata").glob("*.phone.manifest.json")).read_bytes())["signed"]
    digest = signed["targets"]["manifests/phone/stable.json"]["hashes"]["sha256"]
    found: dict[str, Any] = json.loads(
        (vendor.published / f"targets/manifests/phone/{digest}.stable.json").read_bytes()
    )
    return found


def test_an_older_release_is_changed_by_its_version(vendor: Vendor) -> None:
    change(vendor, "halt", "--version", "1.0")
    assert [item["rollout"]["halted"] for item in manifest(vendor)["releases"]] == [False, True]


TIRED = {
    "a product that is not there": (
        ["rollout", "halt", "fone", "--channel", "stable"],
        "no channel stable of a product fone",
    ),
    "a channel that is not there": (
        ["rollout", "halt", "phone", "--channel", "beta"],
        "no channel beta of a product phone",
    ),
    "a version that is not there": (["halt", "--version", "9"], "offers no version 9"),
    "fewer than are reached": (["stage", "--percent", "20"], "20 % are reached already"),
    "more than all": (["stage", "--percent", "101"], "--percent 101: must be 1 to 100"),
    "a start of what has begun": (["start"], "it is offered to 20 % already"),
    "a start in the past": (["start", "--at", "2020-01-01T00:00:00Z"], "is over"),
    "a start at no time": (["start", "--at", "tomorrow"], "--at tomorrow: "),
    "stages that shrink": (["resume", "--stages", "0:50,24:10"], "must be HOURS:PERCENT"),
    "stages that are none": (["resume", "--stages", "all"], "must be HOURS:PERCENT"),
    "a resume to fewer": (["resume", "--stages", "0:1,24:100"], "20 % are offered it now, and would be 1 %"),
    "a resume of what runs": (["resume"], "no record here has paused or halted it as it is now"),
}


@pytest.mark.parametrize("name", TIRED)
def test_a_tired_engineer_is_told_what_is_wrong(name: str, vendor: Vendor, capsys: Captured) -> None:
    vendor.clock.advance(2 * HOUR)
    arguments, told = TIRED[name]
    command = arguments if arguments[0] == "rollout" else ask(*arguments)
    assert vendor.run(*command) == 2
    assert told in capsys.readouterr().err
    assert not list((vendor.workspace.path / "records").glob("rollout-*"))


def test_what_is_halted_cannot_be_halted_or_paused_or_raised(vendor: Vendor, capsys: Captured) -> None:
    vendor.clock.advance(2 * HOUR)
    change(vendor, "halt")
    for verb, told in (("halt", "it is halted already"), ("pause", "it is halted"), ("start", "it is halted")):
        assert vendor.run(*ask(verb)) == 2
        assert told in capsys.readouterr().err
    assert vendor.run(*ask("stage", "--percent", "30")) == 2


def test_a_stage_that_has_begun_since_it_was_asked_for_is_refused_by_the_authority(
    vendor: Vendor, capsys: Captured
) -> None:
    """Paused at a fifth, and signed when half of the devices were offered it: asked for anew, it is half."""
    vendor.clock.advance(2 * HOUR)
    vendor.done(*ask("pause"))
    request = vendor.workspace.record("rollout-phone-4") / "requests/manifest.enigmreq"
    vendor.clock.advance(23 * HOUR)
    assert vendor.run("request", "lint", str(request)) == 3
    assert "ROLLOUT-MONOTONIC" in capsys.readouterr().out
    vendor.done(*ask("pause"))
    vendor.done("request", "lint", str(request))


def test_a_policy_without_the_action_is_named_before_anybody_is_asked(vendor: Vendor, capsys: Captured) -> None:
    file = vendor.workspace.policy_file("manifest")
    file.write_text(file.read_text().replace("[actions.rollout]", "[actions.recovery]", 1).replace(
        '[actions.recovery]\napprovals = 2\npartitions = ["engineering", "security"]\n\n', "", 1))  # fmt: skip
    assert vendor.run(*ask("halt")) == 2
    assert "no quorum for the action rollout" in capsys.readouterr().err


def test_a_resume_is_as_late_as_the_stop_was_long() -> None:
    from enigm_testkit.authorities import NOW

    plan = Rollout(NOW, (Stage(0, 10), Stage(24, 50), Stage(48, 100)), ("staff",), halted=False)
    again = resumed(Stopped(plan, NOW + 30 * HOUR), plan.cohorts, NOW + 100 * HOUR)
    assert again.stages == (Stage(0, 50), Stage(18, 100))
    assert effect_rows(plan, again, NOW + 100 * HOUR) == [
        ("now", "100 % of staff", "50 % of staff"),
        (f"{NOW + 118 * HOUR:%F %T}", "100 % of staff", "100 % of staff"),
    ]
    unbegun = resumed(Stopped(plan, NOW - HOUR), plan.cohorts, NOW + HOUR)
    assert (unbegun.start, unbegun.stages) == (NOW + HOUR, plan.stages)
