"""What an authority remembers, from the entries of its log alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.authorities.history import History, Memory, history_of
from enigm_tuf.errors import StateError
from enigm_tuf.model.request import Previous

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
A, B, C = "a" * 64, "b" * 64, "c" * 64
DIGEST = "d" * 64


def payload(role: str, *quorums: tuple[int, tuple[str, ...]]) -> dict[str, Any]:
    needs = [{"threshold": threshold, "keys": keys} for threshold, keys in quorums]
    return {"role": role, "version": 4, "sha256": "e" * 64, "quorums": needs}


def intent(role: str, key: str, payloads: list[dict[str, Any]]) -> tuple[EntryType, dict[str, Any]]:
    return EntryType.SIGN_INTENT, _signed(role, key) | {"payloads": payloads}


def performed(role: str, key: str) -> tuple[EntryType, dict[str, Any]]:
    return EntryType.SIGN_PERFORMED, _signed(role, key) | {"keyid": key, "signature": "00", "decision_sha256": DIGEST}


def refused(role: str | None) -> tuple[EntryType, dict[str, Any]]:
    return EntryType.SIGN_REFUSED, {
        "request_sha256": DIGEST,
        "request_id": "r",
        "role": role,
        "rule": "R",
        "reason": "",
    }


def judged(*people: str, request: str = DIGEST) -> list[tuple[EntryType, dict[str, Any]]]:
    """The policy said yes; these approved, but for the last, who waived a rule."""
    named = {"request_sha256": request, "request_id": "r"}
    rules = ({"rule": "R", "passed": True, "evidence": "", "waived": False},)
    who = [{"operator": name, "partition": "qa", "key": A, "device": name, "envelope_sha256": A} for name in people]
    terms = {"rule": "R", "reason": "", "expires": NOW}
    return [
        (EntryType.POLICY_EVALUATED, named | {"decided": NOW, "passed": True, "rules": rules}),
        *((EntryType.APPROVAL_COUNTED, named | {"decision": "APPROVE"} | item) for item in who[:-1]),
        *((EntryType.WAIVER_COUNTED, named | terms | item) for item in who[-1:]),
    ]


def recovered(outcome: str, intent: int) -> tuple[EntryType, dict[str, Any]]:
    found = {
        "intent": intent,
        "outcome": outcome,
        "reason": "",
        "finding_sha256": A,
        "operators": ("o",),
        "votes": (A,),
    }
    return EntryType.SIGN_RECOVERED, _signed("root", A) | found


def _signed(role: str, key: str) -> dict[str, Any]:
    request = {"request_sha256": DIGEST, "request_id": "r", "sequence": 7}
    return request | {"role": role, "version": 4, "sha256": "e" * 64, "key": key}


def history(*steps: tuple[EntryType, dict[str, Any]]) -> History:
    return history_of(numbered(*steps))


def numbered(*steps: tuple[EntryType, dict[str, Any]]) -> list[AuditEntry]:
    return [AuditEntry(number, NOW, kind, body) for number, (kind, body) in enumerate(steps, 1)]


TWO_OF_THREE = [payload("root", (2, (A, B, C)))]
TWO_ROLES = [payload("targets", (1, (A, B))), payload("snapshot", (1, (A, B)))]
BOTH_QUORUMS = [payload("root", (1, (A, B)), (1, (B, C)))]


def test_the_head_moves_when_the_quorum_is_met() -> None:
    once = (intent("root", A, TWO_OF_THREE), performed("root", A))
    assert history(*once).ledger().heads == {}
    ledger = history(*once, intent("root", B, TWO_OF_THREE), performed("root", B)).ledger()
    assert ledger.heads == {"root": Previous("root", 4, "e" * 64)}
    assert (ledger.signed, ledger.last_sequence, ledger.last_time) == (frozenset({DIGEST}), 7, NOW)


def test_one_key_that_signed_twice_is_one() -> None:
    twice = (intent("root", A, TWO_OF_THREE), performed("root", A)) * 2
    assert history(*twice).ledger().heads == {}


def test_a_key_that_may_not_sign_counts_for_nothing() -> None:
    stranger = (intent("root", "f" * 64, TWO_OF_THREE), performed("root", "f" * 64))
    assert history(intent("root", A, TWO_OF_THREE), performed("root", A), *stranger).ledger().heads == {}


def test_no_head_moves_before_every_payload_of_the_request_is_signed() -> None:
    first = (intent("targets", A, TWO_ROLES), performed("targets", A))
    assert history(*first).ledger().heads == {}
    both = (*first, intent("snapshot", B, TWO_ROLES), performed("snapshot", B))
    assert set(history(*both).ledger().heads) == {"targets", "snapshot"}


@pytest.mark.parametrize(("key", "done"), [(A, False), (C, False), (B, True)])
def test_a_new_root_needs_the_old_and_the_new_quorum(key: str, done: bool) -> None:
    steps = history(intent("root", key, BOTH_QUORUMS), performed("root", key))
    assert (steps.ledger().last_sequence == 7) is done


def test_the_signatures_of_a_key_are_found_by_role() -> None:
    steps = history(intent("targets", A, TWO_ROLES), performed("targets", A))
    assert set(steps.signed_by(DIGEST, A)) == {"targets"}
    assert steps.signed_by(DIGEST, B) == steps.signed_by("0" * 64, A) == {}


def backers(found: History) -> dict[str, datetime]:
    return {item.operator: item.time for item in found.ledger().backers[DIGEST]}


def test_whose_approval_or_waiver_counted_when_a_request_was_signed_is_remembered() -> None:
    begun, end = intent("root", A, TWO_OF_THREE), performed("root", A)
    once = [*judged("x", "y"), *judged("alice", "bob"), begun, end]
    assert backers(history(*once)) == {"alice": NOW, "bob": NOW}
    later = [AuditEntry(9, NOW + timedelta(days=1), *body) for body in judged("bob", "carol")]
    memory = Memory()
    for entry in [*numbered(*once), *later, *(AuditEntry(9, NOW, *body) for body in (begun, end))]:
        memory.see(entry)
    assert backers(memory.history()) == {"alice": NOW, "bob": NOW, "carol": NOW + timedelta(days=1)}


@pytest.mark.parametrize("result", [[], [refused("root")], [recovered("not-made", 4)]])
def test_what_counted_where_nothing_was_signed_is_not(result: list[tuple[EntryType, dict[str, Any]]]) -> None:
    found = history(*judged("alice", "bob"), intent("root", A, TWO_OF_THREE), *result)
    assert backers(found) == {}
    assert found.requests[DIGEST].signed_with == set()


@pytest.mark.parametrize("outcome", ["made", "unknown"])
def test_where_people_cannot_say_that_nothing_was_signed_it_counts_as_signed(outcome: str) -> None:
    found = history(*judged("alice", "bob"), intent("root", A, TWO_OF_THREE), recovered(outcome, 4))
    assert backers(found).keys() == {"alice", "bob"}
    assert found.requests[DIGEST].signed_with == {A}


def test_what_counted_for_another_request_is_not_this_ones() -> None:
    signed = (intent("root", A, TWO_OF_THREE), performed("root", A))
    assert backers(history(*judged("alice", "bob", request=B), *signed)) == {}


@pytest.mark.parametrize(
    ("result", "is_begun"),
    [
        (performed("root", A), True),
        (recovered("unknown", 1), True),
        (recovered("not-made", 1), False),
        (refused("root"), False),
    ],
)
def test_what_was_signed_or_may_be_is_begun_under_its_request(
    result: tuple[EntryType, dict[str, Any]], is_begun: bool
) -> None:
    found = history(intent("root", A, TWO_OF_THREE), result).ledger().begun
    assert found == ({("root", "e" * 64): frozenset({DIGEST})} if is_begun else {})


def test_what_is_begun_is_known_until_a_version_as_high_is_done() -> None:
    """Also where later requests for other roles are done."""

    def later(number: int, role: str) -> list[tuple[EntryType, dict[str, Any]]]:
        asked = [payload(role, (1, (A,))) | {"sha256": f"{number}" * 64}]
        of = {"request_sha256": f"{number}" * 64, "sequence": number}
        return [(kind, body | of) for kind, body in (intent(role, A, asked), performed(role, A))]

    half = [intent("root", A, TWO_OF_THREE), performed("root", A)]
    assert history(*half, *later(8, "a.payload")).ledger().begun["root", "e" * 64] == {DIGEST}
    found = history(*half, *later(8, "a.payload"), *later(9, "root"))
    assert found.requests.keys() == {"9" * 64}
    assert history(*later(8, "a.payload"), *later(9, "b.payload")).requests.keys() == {"9" * 64}


def test_an_intent_is_open_until_its_result() -> None:
    begun = intent("root", A, TWO_OF_THREE)
    found = history(begun).open_intent
    assert found is not None
    assert found.body == begun[1]
    assert history(begun, performed("root", A)).open_intent is None
    assert history(begun, refused("root")).open_intent is None


def test_a_refusal_of_something_else_leaves_an_intent_open() -> None:
    assert history(intent("root", A, TWO_OF_THREE), refused(None)).open_intent is not None


BEGUN, DONE = intent("root", A, TWO_OF_THREE), performed("root", A)
OTHER = intent("root", B, TWO_OF_THREE), performed("root", B)


@pytest.mark.parametrize("end", [DONE, refused("root"), recovered("made", 1)])
def test_after_its_result_the_next_intent_opens(end: tuple[EntryType, dict[str, Any]]) -> None:
    found = history(BEGUN, end, OTHER[0]).open_intent
    assert found is not None
    assert found.body["key"] == B


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([DONE], "entry 1: the result of an intent for root, which was not open"),
        ([BEGUN, OTHER[0]], "entry 2: an intent, while that in entry 1 is open"),
        ([BEGUN, BEGUN], "entry 2: an intent, while that in entry 1 is open"),
        ([BEGUN, refused(None), OTHER[0]], "entry 3: an intent, while that in entry 1 is open"),
        ([BEGUN, OTHER[1]], "entry 2: the result of an intent for root, which was not open"),
        ([BEGUN, refused("snapshot")], "entry 2: the result of an intent for snapshot, which was not open"),
        ([BEGUN, DONE, DONE], "entry 3: the result of an intent for root, which was not open"),
        ([BEGUN, recovered("made", 7)], "entry 2: recovers from entry 7, which was no open intent"),
    ],
)
def test_intents_and_results_that_cannot_follow_each_other_are_damage(
    steps: list[tuple[EntryType, dict[str, Any]]], told: str
) -> None:
    with pytest.raises(StateError, match=told):
        history(*steps)
