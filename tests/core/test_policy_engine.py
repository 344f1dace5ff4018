"""The engine: every rule answers, only what passed can be signed, and what changes is told in full."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enigm_testkit.authorities import NOW, keyids, new_signer, spki_digest
from enigm_testkit.requests import BOB, Scene, ballot
from enigm_testkit.scenes import (
    MANIFEST,
    NEW_OTA,
    first_root,
    halt,
    listed,
    manifest_product,
    manifest_release,
    next_root,
    payload_release,
)
from enigm_tuf.audit.log import ENTRY_BYTES, AuditEntry, EntryType, write_entry
from enigm_tuf.errors import EnigmTufError, MalformedError, MisuseError, RefusedError
from enigm_tuf.model.request import RULE_OUTCOME
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.strict_json import canonical, sha256
from enigm_tuf.policy import engine
from enigm_tuf.policy.difference import difference
from enigm_tuf.policy.engine import (
    CATALOGUE,
    EVIDENCE_BYTES,
    ApprovedRequest,
    Decision,
    admit,
    approved_metadata,
    evaluate,
)
from enigm_tuf.policy.question import Question

PAYLOAD = "payloads/phone.payload.3.json"


def test_every_rule_of_the_catalogue_answers_even_after_a_refusal() -> None:
    scene = payload_release()
    scene.index["environment"] = "production"
    assert [outcome.rule for outcome in evaluate(scene.question()).outcomes] == [str(rule) for rule, _ in CATALOGUE]


def says(text: str, question: Question) -> str:
    del question
    return text


def evidence(monkeypatch: pytest.MonkeyPatch, *texts: str) -> list[str]:
    """Of a decision in which the rules of the catalogue say ``texts``, the last one again and again."""
    said = (*texts, *[texts[-1]] * (len(CATALOGUE) - len(texts)))
    rules = tuple((rule, partial(says, text)) for (rule, _), text in zip(CATALOGUE, said, strict=True))
    monkeypatch.setattr(engine, "CATALOGUE", rules)
    outcomes = evaluate(payload_release().question()).outcomes
    body = {"request_sha256": "0" * 64, "request_id": "r" * 64, "decided": NOW, "passed": True}
    told = {"rules": [RULE_OUTCOME.write(outcome) for outcome in outcomes]}
    entry = AuditEntry(10**9, NOW, EntryType.POLICY_EVALUATED, body | told)
    assert len(write_entry(entry)) <= ENTRY_BYTES
    return [item.evidence for item in outcomes]


@pytest.mark.parametrize("letter", ["a", '"', "\\", "é", "\U0001f511"])
def test_all_that_the_rules_say_fits_into_one_entry_of_the_log(monkeypatch: pytest.MonkeyPatch, letter: str) -> None:
    said = evidence(monkeypatch, letter * 4_000)
    assert set("".join(said)) == {letter}
    assert EVIDENCE_BYTES - 6 * len(said) < sum(len(text.encode()) for text in said) <= EVIDENCE_BYTES


def test_the_longest_texts_are_cut_and_the_others_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    said = evidence(monkeypatch, "a" * 4_000, "b" * 3_000, "c" * 100, "d" * 10)
    rest = EVIDENCE_BYTES - 100 - 10 * (len(said) - 3)
    assert [len(text) for text in said[:4]] == [rest // 2, rest // 2, 100, 10]


def test_where_there_is_room_for_all_of_it_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    room = (EVIDENCE_BYTES - len(CATALOGUE) + 2) // 2
    assert evidence(monkeypatch, "a" * room, "b" * room, "c")[:2] == ["a" * room, "b" * room]


def test_no_rule_stands_twice_in_the_catalogue() -> None:
    assert len({rule for rule, _ in CATALOGUE}) == len(CATALOGUE)


def test_a_decision_without_rules_is_no_pass() -> None:
    assert not Decision((), (), ()).passed


def test_an_admitted_request_gives_the_bytes_of_its_roles() -> None:
    approved = admit(payload_release().question())
    expected = canonical(approved.question.proposals["phone.payload"].signed.raw)
    assert approved_metadata(approved, "phone.payload").data == expected
    assert sorted(item.operator for item in approved.decision.counted) == ["alice", "bob"]


def test_a_role_that_is_not_in_the_request_has_no_bytes() -> None:
    with pytest.raises(MisuseError, match="no payload for role root"):
        approved_metadata(admit(payload_release().question()), "root")


def test_a_refused_request_is_not_admitted_and_the_first_rule_says_why() -> None:
    scene = payload_release()
    scene.ballots.pop()
    with pytest.raises(RefusedError, match="QUORUM-COUNT") as caught:
        admit(scene.question())
    assert caught.value.rule == "QUORUM-COUNT"


def test_nobody_makes_an_approved_request_by_hand() -> None:
    question = payload_release().question()
    with pytest.raises(MisuseError, match="never by hand"):
        ApprovedRequest(question, evaluate(question), _seal=object())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.replace(b",", b", ", 1), "canonical form"),
        (lambda data: data[:-1], "is the file cut off"),
        (lambda data: data.replace(b'"version":3', b'"version":3,"version":3'), "the same key twice"),
        (lambda data: data.replace(b'"version":3', b'"version":true'), "version: must be an integer, is bool"),
        (lambda data: data.replace(b'"version":3', b'"version":4'), "version: must be 3, as in its name, is 4"),
        (lambda data: data.replace(b'"_type":"targets"', b'"_type":"timestamp"'), "_type: must be one of"),
        (lambda data: data.replace(b'"_type":"targets"', b'"_type":"root"'), "keys: must be an object, is missing"),
        (lambda data: data.replace(b'"length":7', b'"length":1e1'), "no fractions or exponents"),
    ],
)
def test_bytes_that_are_not_exactly_their_metadata_are_refused(change: Any, told: str) -> None:
    scene = payload_release()
    data = canonical(scene.proposals["phone.payload"].to_dict())
    assert change(data) != data
    scene.members[PAYLOAD] = change(data)
    with pytest.raises(MalformedError) as caught:
        scene.question()
    assert PAYLOAD in str(caught.value)
    assert told in str(caught.value)


def test_two_versions_of_one_role_are_refused() -> None:
    scene = payload_release()
    second = scene.proposals["phone.payload"].to_dict() | {"version": 4}
    scene.members["payloads/phone.payload.4.json"] = canonical(second)
    with pytest.raises(MalformedError, match=r"phone.payload.4.json: .*second version"):
        scene.question()


@pytest.mark.parametrize("name", ["phone.payload", "phone.payload.x.json", "phone.payload.3.txt", "3.json"])
def test_a_payload_with_another_name_is_refused(name: str) -> None:
    scene = payload_release()
    scene.members[f"payloads/{name}"] = canonical(scene.proposals["phone.payload"].to_dict())
    with pytest.raises(MalformedError, match="must be named"):
        scene.question()


def mutations(scene: Scene) -> list[tuple[str, list[str | int]]]:
    """Every place in every payload of a request, by member and path."""
    found: list[tuple[str, list[str | int]]] = []

    def walk(member: str, value: Any, path: list[str | int]) -> None:
        found.append((member, path))
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, item in items:
            walk(member, item, [*path, name])

    for role, value in scene.proposals.items():
        walk(f"payloads/{role}.{value.version}.json", value.to_dict(), [])
    return found


def changed(document: Any, path: list[str | int], value: Any) -> Any:
    copy = json.loads(json.dumps(document))
    if not path:
        return value
    place = copy
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


SCENES = [next_root(), manifest_product(), payload_release(), manifest_release()]
PLACES = [(scene, member, path) for scene in SCENES for member, path in mutations(scene) if path]
OTHERS: list[Any] = [..., None, True, 0, -1, "", "x", [], {}, ["x"], {"x": 1}, "\x1b[2J", 2**53 - 1]


@given(st.sampled_from(PLACES), st.sampled_from(OTHERS))
@settings(max_examples=400, deadline=None)
def test_no_change_of_a_payload_gives_anything_but_an_answer_or_one_clear_error(
    place: tuple[Scene, str, list[str | int]], value: Any
) -> None:
    scene, member, path = place
    role = member.removeprefix("payloads/").rsplit(".", 2)[0]
    mutated = changed(scene.proposals[role].to_dict(), path, value)
    wrong = replace(scene, members={member: canonical(mutated)})
    with suppress(EnigmTufError):
        question = wrong.question()
        difference(question)
        evaluate(question)


def test_the_first_root_is_told_by_its_keys() -> None:
    scene = first_root()
    lines = difference(scene.question())
    assert "root: version none -> 1" in lines
    for signer in scene.cast.everybody():
        assert any(spki_digest(signer.public_key) in line for line in lines)
    assert "  root threshold none -> 2" in lines
    assert f"  + field {FIELD}.recovery.threshold: 3" in lines


def test_a_key_that_comes_and_a_key_that_goes_are_told() -> None:
    scene = next_root()
    new = new_signer().public_key
    old = scene.cast.root[2].public_key
    scene.new_root.keys[new.keyid] = new
    scene.new_root.roles["root"].keyids[2] = new.keyid
    scene.new_root.roles["root"].threshold = 3
    lines = difference(scene.question())
    assert any(line.startswith(f"  + root key {spki_digest(new)}") for line in lines)
    assert any(line.startswith(f"  - root key {spki_digest(old)}") for line in lines)
    assert "  root threshold 2 -> 3" in lines


def test_a_new_delegation_is_told_with_its_paths_threshold_and_keys() -> None:
    scene = manifest_product()
    (line,) = [item for item in difference(scene.question()) if "+ delegation phone.payload" in item]
    assert "['payloads/phone/*/*'], terminating True, 2 of " in line
    assert all(spki_digest(signer.public_key) in line for signer in scene.cast.payload)


def test_a_new_payload_is_told_with_its_record() -> None:
    scene = payload_release()
    (line,) = [item for item in difference(scene.question()) if "target" in item]
    assert line.startswith(f"  + target {NEW_OTA}: 7 bytes, sha256 {sha256(b'ota 1.1')}")
    assert "custom.build_id BUILD.1.1" in line
    assert "custom.rollback_index 1" in line


def test_a_change_that_no_text_shows_is_told_all_the_same() -> None:
    scene = payload_release()
    scene.targets("phone.payload").targets["payloads/phone/1.0/ota.zip"].hashes["sha512"] = "0" * 128
    assert any(line.startswith("  ~ target payloads/phone/1.0/ota.zip") for line in difference(scene.question()))


def test_a_new_release_and_a_halted_one_are_told() -> None:
    (line,) = [item for item in difference(manifest_release().question()) if item.startswith(MANIFEST)]
    assert line.startswith(f"{MANIFEST}: + release 1.1: build BUILD.1.1")
    (line,) = [item for item in difference(halt().question()) if item.startswith(f"{MANIFEST}: ~ release 1.0")]
    before, _, after = line.partition(" -> ")
    assert "HALTED" in after
    assert "HALTED" not in before


def test_expiry_is_told_from_old_to_new() -> None:
    scene = payload_release()
    scene.proposals["phone.payload"].expires += timedelta(days=1)
    assert "  expires 2026-12-23T20:00:00+00:00 -> 2026-12-24T20:00:00+00:00" in difference(scene.question())


@pytest.mark.parametrize("hidden", ["\x1b[2J", "\r", "\n", "\u202e", "\u200b"])
def test_nothing_in_a_request_can_paint_over_what_is_told(hidden: str) -> None:
    scene = payload_release()
    scene.targets("phone.payload").targets[f"a{hidden}"] = listed(f"a{hidden}", b"x")
    lines = difference(scene.question())
    assert not any(hidden in line for line in lines)
    assert any(f"<U+{ord(hidden[0]):04X}>" in line for line in lines)


def test_the_approvals_that_counted_are_kept_with_the_decision() -> None:
    scene = payload_release()
    scene.ballots += [ballot(BOB, sequence=9)]
    counted = evaluate(scene.question()).counted
    assert sorted(item.operator for item in counted) == ["alice", "bob"]


def test_a_root_key_that_is_named_but_missing_is_one_clear_refusal() -> None:
    scene = first_root()
    del scene.new_root.keys[keyids(scene.cast.root)[0]]
    assert scene.refused_by() == ["META-AUTHORITY", "TRANSITION-ROOT"]
