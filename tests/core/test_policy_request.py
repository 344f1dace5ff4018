"""REQUEST: is this request for this authority, now, for the first time, and does it follow what was signed last?"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from enigm_testkit.authorities import NOW, make_role
from enigm_testkit.scenes import OLD_OTA, first_root, manifest_release, ota, payload_release
from enigm_tuf.model.request import Previous
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.strict_json import sha256

SECOND = timedelta(seconds=1)


@pytest.mark.rule("REQUEST-SCOPE", "accept")
def test_a_request_for_this_authority_environment_action_and_policy_passes() -> None:
    assert payload_release().said("REQUEST-SCOPE") == "release, staging, release, policy version 1"
    assert payload_release().refused_by() == []


@pytest.mark.rule("REQUEST-SCOPE", "reject")
def test_a_request_for_another_environment_is_refused() -> None:
    scene = payload_release()
    scene.index["environment"] = "production"
    assert scene.refused_by() == ["REQUEST-SCOPE"]


@pytest.mark.parametrize("pin", [PolicyPin(1, "0" * 64), PolicyPin(2, payload_release().own_pin().sha256)])
def test_a_request_under_another_policy_is_refused(pin: PolicyPin) -> None:
    """Approvals name the policy too, so they no longer count."""
    scene = payload_release()
    scene.index["policy"] = pin
    assert scene.refused_by() == ["REQUEST-SCOPE", "QUORUM-COUNT", "QUORUM-PARTITION"]


def test_a_request_for_the_other_authority_is_refused() -> None:
    scene = payload_release()
    scene.index["authority"] = "manifest"
    assert scene.refused_by() == ["REQUEST-SCOPE", "META-ROLES"]


@pytest.mark.rule("REQUEST-TIME", "accept")
@pytest.mark.parametrize(
    "times",
    [
        {"created": NOW, "expires": NOW + timedelta(hours=72)},
        {"created": NOW - timedelta(hours=1), "expires": NOW + SECOND},
    ],
)
def test_a_request_made_now_or_about_to_expire_passes(times: dict[str, Any]) -> None:
    scene = payload_release()
    scene.index = times
    assert scene.refused_by() == []


@pytest.mark.rule("REQUEST-TIME", "reject")
@pytest.mark.parametrize(
    "times",
    [
        {"created": NOW + SECOND, "expires": NOW + timedelta(hours=72)},
        {"created": NOW - timedelta(hours=1), "expires": NOW},
        {"created": NOW, "expires": NOW + timedelta(hours=72) + SECOND},
    ],
)
def test_a_request_from_the_future_expired_or_living_too_long_is_refused(times: dict[str, Any]) -> None:
    scene = payload_release()
    scene.index = times
    assert scene.refused_by() == ["REQUEST-TIME"]


@pytest.mark.parametrize(("latest", "refusals"), [(NOW, []), (NOW + SECOND, ["REQUEST-TIME"])])
def test_a_clock_behind_the_log_is_refused(latest: datetime, refusals: list[str]) -> None:
    scene = payload_release()
    scene.ledger["last_time"] = latest
    assert scene.refused_by() == refusals


@pytest.mark.rule("REQUEST-REPLAY", "accept")
def test_a_sequence_above_the_last_one_passes() -> None:
    scene = payload_release()
    scene.ledger = {"last_sequence": 6, "signed": frozenset({"0" * 64})}
    assert scene.refused_by() == []


@pytest.mark.rule("REQUEST-REPLAY", "reject")
def test_a_sequence_that_was_used_is_refused() -> None:
    scene = payload_release()
    scene.ledger = {"last_sequence": 7}
    assert scene.refused_by() == ["REQUEST-REPLAY"]


def test_a_request_that_was_signed_before_is_refused() -> None:
    scene = payload_release()
    scene.ledger["signed"] = frozenset({scene.request().digest})
    assert scene.refused_by() == ["REQUEST-REPLAY"]


@pytest.mark.rule("REQUEST-REPLAY", "reject")
@pytest.mark.parametrize("under", ["another", "both", "this"])
def test_what_was_signed_under_another_request_is_refused(under: str) -> None:
    scene = payload_release()
    (proposal,) = scene.question().proposals.values()
    requests = {"another": {"0" * 64}, "both": {"0" * 64, scene.request().digest}, "this": {scene.request().digest}}
    own, others = sha256(proposal.data), frozenset({"2" * 64})
    scene.ledger["begun"] = {
        (proposal.role, own): frozenset(requests[under]),
        ("tablet.payload", own): others,
        (proposal.role, "1" * 64): others,
    }
    assert scene.refused_by() == ([] if under == "this" else ["REQUEST-REPLAY"])
    if under != "this":
        assert f"bytes that were signed under request {'0' * 64}" in scene.said("REQUEST-REPLAY")


@pytest.mark.rule("REQUEST-PREVIOUS", "accept")
def test_a_request_that_follows_the_head_passes() -> None:
    assert payload_release().said("REQUEST-PREVIOUS").startswith("phone.payload after version 2 (")
    assert first_root().said("REQUEST-PREVIOUS") == "root after nothing"


@pytest.mark.rule("REQUEST-PREVIOUS", "reject")
def test_a_digest_that_is_not_the_head_is_refused() -> None:
    scene = payload_release()
    scene.ledger["heads"] = {"phone.payload": Previous("phone.payload", 2, "0" * 64)}
    assert scene.refused_by() == ["REQUEST-PREVIOUS"]


def test_a_context_that_is_not_the_head_is_refused() -> None:
    """The index names the head, but what people are shown as the state before is something else."""
    scene = payload_release()
    shown = scene.context["phone.payload"] = make_role({OLD_OTA: ota("1.0")}, 2)
    shown.expires += SECOND
    assert scene.refused_by() == ["REQUEST-PREVIOUS"]


def test_a_skipped_version_is_refused() -> None:
    scene = payload_release()
    scene.proposals["phone.payload"].version = 4
    assert scene.refused_by() == ["REQUEST-PREVIOUS"]


def test_a_role_that_starts_above_version_1_is_refused() -> None:
    scene = first_root()
    scene.new_root.version = 2
    assert scene.refused_by() == ["REQUEST-PREVIOUS", "META-AUTHORITY"]


def test_a_previous_state_of_a_role_that_is_not_proposed_is_refused() -> None:
    scene = manifest_release()
    heads = scene.heads()
    scene.index["previous"] = (*heads.values(), Previous("targets", 1, "0" * 64))
    assert scene.refused_by() == ["REQUEST-PREVIOUS"]
