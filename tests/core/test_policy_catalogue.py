"""What is told of the rules is what they do: pages, fields that they read, numbers."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from enigm_testkit.authorities import NOW
from enigm_testkit.requests import ALICE, BOB, Scene
from enigm_testkit.scenes import (
    first_root,
    manifest_product,
    manifest_release,
    next_root,
    payload_product,
    payload_release,
    payload_roles,
)
from enigm_testkit.waivers import WAIVER_TERMS, waiver
from enigm_tuf.errors import EnigmTufError
from enigm_tuf.model.policy import read_policy
from enigm_tuf.policy.catalogue import FIELDS, family_of, leaves, numbers_of, pages
from enigm_tuf.policy.engine import CATALOGUE
from enigm_tuf.policy.question import Question, SigningKey
from enigm_tuf.policy.rules.meta import MetaRule
from enigm_tuf.policy.rules.quorum import QuorumRule


def copied() -> Scene:
    """A key with copies is about to sign."""
    scene = payload_release()
    scene.signer = SigningKey("a" * 64, "wrapped-backup", NOW)
    scene.policy += "\n[backup]\nrestore_proof_days = 30\n"
    return scene


def waived() -> Scene:
    """Two people waive a rule."""
    scene = payload_release()
    scene.policy += WAIVER_TERMS
    scene.ballots += [waiver(ALICE), waiver(BOB)]
    return scene


SCENES: list[Callable[[], Scene]] = [
    first_root,
    next_root,
    payload_product,
    payload_release,
    payload_roles,
    manifest_product,
    manifest_release,
    copied,
    waived,
]


class Watched:
    """A policy that notes which of its fields are read."""

    def __init__(self, policy: Any, read: set[str]) -> None:
        self._policy, self._read = policy, read

    def __getattr__(self, name: str) -> Any:
        self._read.add(name)
        return getattr(self._policy, name)


def fields_read() -> dict[str, set[str]]:
    """By rule, what it was seen to read of the policy in any scene."""
    seen: dict[str, set[str]] = defaultdict(set)
    for make in SCENES:
        question = make().question()
        for rule, answer in CATALOGUE:
            watched: Any = Watched(question.policy, seen[rule])
            with suppress(EnigmTufError):
                answer(replace(question, policy=watched))
    return seen


def test_a_rule_reads_the_fields_that_it_is_said_to_read() -> None:
    seen = fields_read()
    said = {rule: {path.partition(".")[0] for path in FIELDS.get(rule, ())} for rule, _ in CATALOGUE}
    assert {rule: seen[rule] for rule, _ in CATALOGUE} == said


def test_every_field_of_a_policy_is_read_by_some_rule_or_by_the_authority() -> None:
    read = set().union(*fields_read().values())
    assert set(leaves_of_top()) - read == set()


def leaves_of_top() -> set[str]:
    policy = read_policy(copied().policy.encode(), "policy")
    return {path.partition(".")[0] for path in leaves(policy)} - {"schema"}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.rule)
def test_every_rule_has_a_page(page: Any) -> None:
    assert len(page.paragraph) > 100
    assert page.paragraph.endswith(".")
    assert page.evidence.endswith(".")
    assert page.family in {"REQUEST", "QUORUM", "KEY", "TEST", "META", "TRANSITION", "ARTIFACT"} | {
        "TIME",
        "RATE",
        "CEREMONY",
        "SOURCE",
        "GATE",
        "WAIVER",
    }


def test_the_exception_to_a_class_of_rules_is_known() -> None:
    assert family_of(QuorumRule.QUORUM_VETO) == "QUORUM"
    assert {page.rule for page in pages() if page.family == "TEST"} == {"APPROVAL-KNOWN"}


def test_numbers_of_a_rule_are_those_of_the_request() -> None:
    question: Question = payload_release().question()
    assert "actions.release.approvals = 2" in numbers_of(QuorumRule.QUORUM_COUNT, question.policy, question)
    assert numbers_of(MetaRule.META_EXPIRY, question.policy, question) == (
        "expiry.payload.minimum = 1",
        "expiry.payload.maximum = 400",
    )


def test_without_a_request_all_numbers_are_told() -> None:
    policy = payload_release().question().policy
    assert len(numbers_of(MetaRule.META_EXPIRY, policy)) == 4
    assert "actions.root.partitions = engineering, security" in numbers_of(QuorumRule.QUORUM_PARTITION, policy)
