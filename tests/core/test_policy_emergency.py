"""An emergency is a release under an action of its own: more people, in a ceremony, and never a flag."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from enigm_testkit.authorities import NOW
from enigm_testkit.requests import ALICE, BOB, CAROL, QUORUM, Scene, ballot
from enigm_testkit.scenes import manifest_release, payload_release
from enigm_testkit.waivers import WAIVER_TERMS, waiver
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.ceremony import CeremonyType
from enigm_tuf.model.policy import read_policy
from enigm_tuf.policy.question import OpenCeremony, SigningKey

SIGNER = SigningKey("a" * 64, "non-extractable", None)
THREE = QUORUM.replace("2", "3")


def emergency(scene: Scene, quorum: str = THREE, hours: int = 4) -> Scene:
    """The policy knows emergencies, and this is one."""
    scene.policy = scene.policy.replace("[thresholds]", f"[actions.emergency]\n{quorum}\n[thresholds]")
    head, found, tail = scene.policy.rpartition("emergency = 0")
    assert found
    scene.policy = f"{head}emergency = {hours}{tail}"
    scene.action = "emergency"
    return scene


@pytest.mark.parametrize("make", [payload_release, manifest_release])
def test_it_needs_more_approvals_than_a_release(make: Callable[[], Scene]) -> None:
    scene = emergency(make())
    assert scene.refused_by() == ["QUORUM-COUNT"]
    scene.ballots += [ballot(CAROL)]
    assert scene.refused_by() == []


def test_everything_else_is_asked_as_of_a_release() -> None:
    scene = emergency(payload_release())
    scene.ballots += [ballot(CAROL)]
    del scene.targets("phone.payload").targets["payloads/phone/1.0/ota.zip"]
    assert scene.refused_by() == ["TRANSITION-PRODUCT"]


def signed_in(*ceremonies: tuple[CeremonyType, timedelta]) -> Scene:
    """An emergency that is being signed while these are open, since so long."""
    scene = emergency(payload_release())
    scene.ballots += [ballot(CAROL)]
    scene.signer = SIGNER
    scene.ledger["ceremonies"] = tuple(
        OpenCeremony(f"{number:032x}", kind, NOW - since) for number, (kind, since) in enumerate(ceremonies)
    )
    return scene


@pytest.mark.parametrize("others", [(), (("routine-sign", timedelta(0)),)])
def test_it_is_signed_in_a_ceremony_of_its_own(others: tuple[tuple[CeremonyType, timedelta], ...]) -> None:
    assert signed_in(("emergency", timedelta(hours=4)), *others).refused_by() == []


@pytest.mark.parametrize(
    "ceremonies",
    [(), (("routine-sign", timedelta(0)),), (("emergency", timedelta(hours=4, seconds=1)), ("revoke", timedelta(0)))],
)
def test_in_another_s_it_is_not(ceremonies: tuple[tuple[CeremonyType, timedelta], ...]) -> None:
    assert signed_in(*ceremonies).refused_by() == ["CEREMONY-OPEN"]


@pytest.mark.rule("WAIVER-RULE", "reject")
@pytest.mark.parametrize(("rule", "refused"), [("CEREMONY-OPEN", ["WAIVER-RULE"]), ("TIME-FREEZE", [])])
def test_nobody_waives_its_ceremony_whatever_the_policy_lists(rule: str, refused: list[str]) -> None:
    scene = signed_in(("emergency", timedelta(0)))
    scene.policy += WAIVER_TERMS.replace("GATE-TESTS", "CEREMONY-OPEN")
    scene.ballots += [waiver(ALICE, rule), waiver(BOB, rule)]
    assert scene.refused_by() == refused


@pytest.mark.parametrize(
    ("quorum", "hours", "told"),
    [
        (QUORUM, 4, "actions.emergency.approvals: an emergency needs more approvals than a release, which needs 2"),
        (THREE.replace(', "security"', ""), 4, "actions.emergency.partitions: must have security, as for a release"),
        (THREE, 0, "ceremony.open_hours.emergency: an emergency is signed in a ceremony: not 0"),
    ],
)
def test_a_policy_whose_emergency_is_no_stricter_than_a_release_is_not_read(quorum: str, hours: int, told: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_policy(emergency(payload_release(), quorum, hours).policy.encode(), "policy")
    assert told in str(caught.value)
