"""The policy file: TOML read strictly, so that what is misconfigured refuses to start."""

from collections.abc import Callable

import pytest

from enigm_testkit.requests import QUORUM, policy_toml
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.policy import read_policy


def test_a_policy_of_either_authority_is_read() -> None:
    assert set(read_policy(policy_toml("release").encode(), "policy").thresholds) == {"root", "payload"}
    assert set(read_policy(policy_toml("manifest").encode(), "policy").expiry) >= {"targets", "snapshot", "manifest"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("schema = 1", "schema = 1\nforce = true", "force: unknown field"),
        ("schema = 1", "schema = 2", "schema: must be 1, is 2"),
        ("request_hours = 72", "", "request_hours: missing field"),
        ("request_hours = 72", "request_hours = 72\nrequest_hours = 72", "not TOML"),
        ("request_hours = 72", "request_hours = true", "request_hours: must be an integer, is a boolean"),
        ("request_hours = 72", "request_hours = 72.0", "request_hours: must be an integer"),
        ("request_hours = 72", "request_hours = inf", "request_hours: must be an integer"),
        ("request_hours = 72", "request_hours = 0", "request_hours: must lie in"),
        ("\nroot = 2", "\nroot = 0", "thresholds.root: must lie in"),
        ("\nroot = 2", "\ntimestamp = 2", "thresholds.timestamp: must be root, targets"),
        ("[actions.root]\napprovals = 2", "[actions.root]\napprovals = 0", "actions.root.approvals: must lie in"),
        (
            f"[actions.root]\n{QUORUM}",
            f"[actions.roots]\n{QUORUM}",
            "actions.roots: must be root, recovery, product, retire, release, roles, rollout, emergency, inventory",
        ),
        ("[expiry.root]\nminimum = 1", "[expiry.root]\nminimum = 401", "expiry.root: minimum may not exceed maximum"),
        (f"[actions.release]\n{QUORUM}", "", "actions.release: missing: no rule is left without its numbers"),
        (f"[actions.inventory]\n{QUORUM}", "", "actions.inventory: missing"),
        ("[expiry.payload]\nminimum = 1\nmaximum = 400\n", "", "expiry.payload: missing"),
        ("\npayload = 2", "", "thresholds.payload: missing"),
        ("request_hours = 72", "request_hours = 2026-11-26T12:00:00", "request_hours: must be an integer"),
        ('environment = "staging"', 'environment = "test"', "environment: must be one of"),
    ],
)
def test_a_policy_with_one_wrong_thing_is_refused_by_its_field(old: str, new: str, told: str) -> None:
    text = policy_toml("release")
    assert old in text
    with pytest.raises(MalformedError) as caught:
        read_policy(text.replace(old, new, 1).encode(), "policy")
    assert told in str(caught.value)


@pytest.mark.parametrize("change", [lambda data: data + b"\xff", lambda data: data + b" " * 2**24])
def test_a_policy_that_is_no_text_or_too_long_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(MalformedError, match="policy"):
        read_policy(change(policy_toml("release").encode()), "policy")
