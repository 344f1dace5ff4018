"""ROLLOUT-ONLY and ROLLOUT-MONOTONIC: who is offered a release changes alone, and never to fewer but by a halt."""

from dataclasses import replace as replace_scene
from datetime import timedelta
from typing import Any

import pytest

from enigm_testkit.authorities import NOW, make_role
from enigm_testkit.requests import Scene
from enigm_testkit.scenes import MANIFEST, OLD_OTA, halt, listed, manifest, offer, ota, release
from enigm_tuf.model.manifest import Release, Rollout, Stage, write_manifest
from enigm_tuf.model.value import replace

HOUR = timedelta(hours=1)
HALF = Rollout(NOW - 24 * HOUR, (Stage(0, 10), Stage(24, 50), Stage(48, 100)), (), halted=False)
"""It reaches half of the devices since this very moment."""


def rollout(before: Rollout, after: Rollout, **changes: Any) -> Scene:
    """The manifest authority is asked to change the rollout of 1.1; ``changes`` replace other fields of it."""
    scene = replace_scene(halt(), action="rollout")
    scene.context = {"phone.payload": make_role({OLD_OTA: ota("1.0"), "payloads/phone/1.1/ota.zip": ota("1.1")}, 2)}
    return offered(scene, [newest(before), release("1.0")], [replace(newest(after), **changes), release("1.0")])


def newest(plan: Rollout) -> Release:
    return replace(release("1.1"), rollout=plan)


def offered(scene: Scene, before: list[Release], after: list[Release]) -> Scene:
    scene.earlier = {MANIFEST: write_manifest(manifest(*before))}
    role = scene.before["phone.manifest"]
    role.targets[MANIFEST] = listed(MANIFEST, scene.earlier[MANIFEST])  # type: ignore[union-attr]
    offer(scene, manifest(*after))
    return scene


@pytest.mark.rule("ROLLOUT-ONLY", "accept")
def test_a_rollout_that_changes_alone_passes_every_rule() -> None:
    scene = rollout(HALF, replace(HALF, halted=True))
    assert scene.refused_by() == []
    assert scene.said("META-ROLES") == "phone.manifest, snapshot"
    assert scene.said("ROLLOUT-ONLY") == f"{MANIFEST}, 1.1"
    assert scene.said("ROLLOUT-MONOTONIC") == "1.1: 50 % to halted"


@pytest.mark.rule("ROLLOUT-ONLY", "reject")
@pytest.mark.parametrize("changes", [{"release_notes": "Really."}, {"mandatory": True}])
def test_anything_else_that_changes_with_it_is_refused(changes: dict[str, Any]) -> None:
    assert rollout(HALF, replace(HALF, halted=True), **changes).refused_by() == ["ROLLOUT-ONLY"]


def test_two_rollouts_at_once_are_refused() -> None:
    other = replace(release("1.0"), rollout=replace(release("1.0").rollout, halted=True))
    halted = newest(replace(HALF, halted=True))
    scene = offered(rollout(HALF, HALF), [newest(HALF), release("1.0")], [halted, other])
    assert scene.refused_by() == ["ROLLOUT-ONLY"]


def test_a_rollout_that_changes_nothing_is_refused() -> None:
    assert "ROLLOUT-ONLY" in rollout(HALF, HALF).refused_by()


def test_a_release_that_comes_or_goes_with_it_is_refused() -> None:
    scene = rollout(HALF, HALF)
    scene.context["phone.payload"].targets["payloads/phone/1.2/ota.zip"] = ota("1.2")  # type: ignore[union-attr]
    offer(scene, manifest(release("1.2"), newest(HALF), release("1.0")))
    assert scene.refused_by() == ["ROLLOUT-ONLY"]
    assert offered(rollout(HALF, HALF), [newest(HALF), release("1.0")], [newest(HALF)]).refused_by() == ["ROLLOUT-ONLY"]


def test_a_payload_role_that_moves_with_it_is_refused() -> None:
    scene = rollout(HALF, replace(HALF, halted=True))
    role = scene.context.pop("phone.payload")
    role.version = 3
    scene.others = {"phone.payload": role}  # type: ignore[dict-item]
    scene.snapshot.meta["phone.payload.json"].version = 3
    assert scene.refused_by() == ["ROLLOUT-ONLY"]


def test_the_release_authority_is_never_asked_for_one() -> None:
    from enigm_testkit.scenes import payload_release

    scene = payload_release()
    scene.action = "rollout"
    assert "META-ROLES" in scene.refused_by()


def test_a_policy_without_a_quorum_for_it_lets_nobody_do_it() -> None:
    scene = rollout(HALF, replace(HALF, halted=True))
    scene.policy = scene.policy.replace("[actions.rollout]", "[actions.recovery2]").replace("recovery2", "x")
    scene.policy = scene.policy.replace('[actions.x]\napprovals = 2\npartitions = ["engineering", "security"]\n', "")
    assert "REQUEST-SCOPE" in scene.refused_by()


def reaching(*stages: Stage, start: Any = HALF.start, **changes: Any) -> Rollout:
    return replace(HALF, start=start, stages=stages, **changes)


@pytest.mark.rule("ROLLOUT-MONOTONIC", "accept")
@pytest.mark.parametrize(
    "after",
    [
        reaching(Stage(0, 10), Stage(24, 50)),  # paused
        reaching(Stage(0, 10), Stage(24, 51), Stage(48, 100)),  # a larger share
        reaching(Stage(0, 100)),
        reaching(Stage(0, 0), halted=True),  # a halt may hold any plan
    ],
)
def test_as_many_as_before_or_more_pass_and_so_does_a_halt(after: Rollout) -> None:
    assert rollout(HALF, after).refused_by() == []


@pytest.mark.rule("ROLLOUT-MONOTONIC", "reject")
def test_one_percent_less_than_is_reached_now_is_refused() -> None:
    assert rollout(HALF, reaching(Stage(0, 10), Stage(24, 49), Stage(48, 100))).refused_by() == ["ROLLOUT-MONOTONIC"]


def test_a_start_that_moves_behind_now_is_refused_once_somebody_was_reached() -> None:
    late = replace(HALF, start=NOW + HOUR)
    assert rollout(HALF, late).refused_by() == ["ROLLOUT-MONOTONIC"]
    assert rollout(replace(HALF, start=NOW + timedelta(seconds=1)), late).refused_by() == []


def test_the_stage_of_this_very_second_counts() -> None:
    less = reaching(Stage(0, 10), Stage(48, 100))
    assert rollout(HALF, less).refused_by() == ["ROLLOUT-MONOTONIC"]
    scene = rollout(HALF, less)
    scene.now = NOW - timedelta(seconds=1)
    assert "ROLLOUT-MONOTONIC" not in scene.refused_by()


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ((), ("staff",), True),
        (("staff", "beta"), ("beta",), True),
        (("staff",), ("beta", "staff"), False),
        (("staff",), (), False),
    ],
)
def test_no_cohort_is_left_out(before: tuple[str, ...], after: tuple[str, ...], refused: bool) -> None:
    scene = rollout(replace(HALF, cohorts=before), replace(HALF, cohorts=after))
    assert scene.refused_by() == (["ROLLOUT-MONOTONIC"] if refused else [])


def test_what_was_halted_goes_on_with_any_share() -> None:
    assert rollout(replace(HALF, halted=True), reaching(Stage(0, 1))).refused_by() == []


def test_it_holds_for_a_release_too() -> None:
    """Else a new release could take an older one away from half of the devices without a word."""
    scene = rollout(HALF, reaching(Stage(0, 1)))
    scene.action = "release"
    assert "ROLLOUT-MONOTONIC" in scene.refused_by()
