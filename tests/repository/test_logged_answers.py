"""An answer is believed only if its signatures stand in the log that root pins for that authority."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enigm_testkit.custodians import answer, log_of, response_file
from enigm_testkit.vendor import Vendor
from enigm_tuf.audit.including import require_logged
from enigm_tuf.audit.notes import Note, NoteSigner, read_note
from enigm_tuf.audit.pins import PinnedLog, pinned_log
from enigm_tuf.audit.proofs import read_proof
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.request import AuditHead, SigningRequest, SigningResponse, make_response, unpack_response
from enigm_tuf.model.root_extension import AuditLogPin
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root
from enigm_tuf.model.value import replace as replace_value
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.verified import read_document

RECORD = "phone-1.0"
Members = dict[str, bytes]
Changed = tuple[SigningResponse, Members]
WITNESS = NoteSigner("witness.test/one", Ed25519PrivateKey.from_private_bytes(b"w" * 32))


def whole(vendor: Vendor, authority: str = "manifest") -> tuple[SigningRequest, SigningResponse, Members]:
    """An answer that would be accepted, as its members; change one thing."""
    request = vendor.request(RECORD, "manifest" if authority == "manifest" else "release")
    votes, key = vendor.votes(request), vendor.signers_of(request)[0]
    data = response_file(answer(request, key, votes, vendor.clock.now()), votes)
    response, envelopes, proofs = unpack_response(data, "answer")
    return request, response, envelopes | proofs


def attach(vendor: Vendor, response: SigningResponse, members: Members) -> int:
    path = vendor.write("answer.enigmresp", make_response(response, members))
    return vendor.run("release", "attach", RECORD, path)


def proof_names(members: Members) -> list[str]:
    return [name for name in members if name.startswith("audit/")]


def without_a_proof(response: SigningResponse, members: Members) -> Changed:
    del members[proof_names(members)[0]]
    return response, members


def one_proof_twice(response: SigningResponse, members: Members) -> Changed:
    first, second = proof_names(members)[:2]
    return response, members | {second: members[first]}


def of_another_head(response: SigningResponse, members: Members) -> Changed:
    return replace(response, audit=AuditHead(response.audit.entries + 1, response.audit.sha256)), members


def another_place(response: SigningResponse, members: Members) -> Changed:
    name = proof_names(members)[0]
    proof = replace(read_proof(members[name], name), index=1)
    return response, members | {name: proof.data}


@pytest.mark.parametrize("change", [without_a_proof, one_proof_twice, of_another_head, another_place])
def test_a_signature_without_its_own_proof_is_refused(
    prepared: Vendor, change: Callable[[SigningResponse, Members], Changed], capsys: pytest.CaptureFixture[str]
) -> None:
    _, response, members = whole(prepared)
    assert attach(prepared, *change(response, dict(members))) == 3
    assert "error: LOG-INCLUSION" in capsys.readouterr().err
    assert attach(prepared, response, members) == 0


def test_the_log_of_the_other_authority_is_not_this_ones(
    prepared: Vendor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enigm_testkit.custodians.log_of", lambda *_: log_of("release"))
    _, response, members = whole(prepared)
    assert attach(prepared, response, members) == 3
    assert "error: LOG-CHECKPOINT" in capsys.readouterr().err


def decided_earlier(response: SigningResponse, members: Members) -> Changed:
    return replace(response, decided=response.decided - timedelta(seconds=1)), members


def of_another_inventory(response: SigningResponse, members: Members) -> Changed:
    return replace(response, inventory="1" * 64), members


def one_approval_less(response: SigningResponse, members: Members) -> Changed:
    name = next(name for name in members if name not in proof_names(members))
    kept = tuple(item for item in response.approvals if item != sha256(members[name]))
    return replace(response, approvals=kept), {path: data for path, data in members.items() if path != name}


def one_more_envelope(response: SigningResponse, members: Members) -> Changed:
    more = replace(response, approvals=(*response.approvals, sha256(b"a waiver")))
    return more, members | {"approvals/more.dsse.json": b"a waiver"}


def one_rule_less(response: SigningResponse, members: Members) -> Changed:
    return replace(response, rules=response.rules[1:]), members


def one_word_more(response: SigningResponse, members: Members) -> Changed:
    *others, last = response.rules
    return replace(response, rules=(*others, replace(last, evidence=f"{last.evidence}."))), members


@pytest.mark.rule("LOG-DECISION", "accept")
@pytest.mark.rule("LOG-DECISION", "reject")
@pytest.mark.parametrize(
    "change",
    [decided_earlier, of_another_inventory, one_approval_less, one_more_envelope, one_rule_less, one_word_more],
)
def test_who_carries_an_answer_changes_nothing_of_what_was_decided(
    prepared: Vendor, change: Callable[[SigningResponse, Members], Changed], capsys: pytest.CaptureFixture[str]
) -> None:
    _, response, members = whole(prepared)
    assert attach(prepared, *change(response, dict(members))) == 3
    assert "error: LOG-DECISION" in capsys.readouterr().err
    assert attach(prepared, response, members) == 0


def test_a_waived_rule_is_never_carried_as_passed(prepared: Vendor) -> None:
    request = prepared.request(RECORD, "manifest")
    votes, key = prepared.votes(request), prepared.signers_of(request)[0]
    passed = answer(request, key, votes, prepared.clock.now())
    first, *others = passed.rules
    waived = replace(passed, rules=(replace(first, passed=False, waived=True), *others))
    response, _, proofs = unpack_response(response_file(waived, votes), "answer")
    payloads = {name.rsplit(".", 2)[0]: sha256(data) for name, data in request.below("payloads").items()}
    pins = [PinnedLog(log_of("manifest").log, (), 0)]
    assert len(require_logged(response, proofs, payloads, pins, "answer")) == 2
    with pytest.raises(RefusedError, match="LOG-DECISION"):
        require_logged(replace(response, rules=passed.rules), proofs, payloads, pins, "answer")


def logged(vendor: Vendor, pins: list[PinnedLog], members: Members | None = None) -> int:
    request, response, known = whole(vendor)
    members = members or known
    payloads = {name.rsplit(".", 2)[0]: sha256(data) for name, data in request.below("payloads").items()}
    proofs = {name: members[name] for name in proof_names(members)}
    return len(require_logged(response, proofs, payloads, pins, "answer"))


def test_a_root_that_pins_no_log_believes_no_answer(prepared: Vendor) -> None:
    assert logged(prepared, [PinnedLog(log_of("manifest").log, (), 0)]) == 2
    with pytest.raises(RefusedError, match="LOG-INCLUSION"):
        logged(prepared, [])


def test_a_signature_of_other_bytes_is_another_entry(prepared: Vendor) -> None:
    request, response, members = whole(prepared)
    proofs = {name: members[name] for name in proof_names(members)}
    payloads = {name.rsplit(".", 2)[0]: "0" * 64 for name in request.below("payloads")}
    with pytest.raises(RefusedError, match="LOG-INCLUSION"):
        require_logged(response, proofs, payloads, [PinnedLog(log_of("manifest").log, (), 0)], "answer")


def test_where_root_asks_for_witnesses_their_cosignatures_are_on_the_proof(prepared: Vendor) -> None:
    pins = [PinnedLog(log_of("manifest").log, (WITNESS.witness,), 1)]
    with pytest.raises(RefusedError, match="LOG-WITNESS"):
        logged(prepared, pins)
    _, response, members = whole(prepared)
    for name in proof_names(members):
        proof = read_proof(members[name], name)
        note = read_note(proof.checkpoint, name)
        cosigned = Note(note.text, (*note.signatures, WITNESS.cosign(note.text, response.decided)))
        members[name] = replace(proof, checkpoint=cosigned.data).data
    proofs = {name: members[name] for name in proof_names(members)}
    request = prepared.request(RECORD, "manifest")
    payloads = {name.rsplit(".", 2)[0]: sha256(data) for name, data in request.below("payloads").items()}
    assert len(require_logged(response, proofs, payloads, pins, "answer")) == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"manifest": log_of("release").log.text}, "audit_logs.manifest: must be a log whose name ends in /staging/"),
        ({"manifest": log_of("manifest").witness.text}, "must be an Ed25519 key of type 1"),
        ({"manifest": "log.test/staging/manifest"}, "must be an Ed25519 key"),
    ],
)
def test_a_configuration_with_another_log_says_so(
    released: Vendor, changes: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = {name: log_of(name).log.text for name in ("manifest", "release")} | changes
    logs = [f'{name} = {{public_key = "{key}", witnesses = [], witness_threshold = 0}}' for name, key in keys.items()]
    path = released.configuration(audit_logs=f"{{{', '.join(logs)}}}")
    assert released.run("root", "prepare", "--config", path) == 2
    assert told in capsys.readouterr().err


PIN = AuditLogPin(log_of("manifest").name, log_of("manifest").log.text, (WITNESS.witness.text,), 1)


@pytest.mark.parametrize(
    "pins",
    [
        (PIN, PIN),
        (AuditLogPin("other/staging/manifest", PIN.public_key, (), 0),),
        (AuditLogPin(PIN.origin, PIN.public_key, PIN.witnesses, 2),),
        (AuditLogPin(PIN.origin, PIN.public_key, PIN.witnesses * 2, 1),),
        (AuditLogPin(PIN.origin, PIN.public_key, (log_of("manifest").witness.text,), 1),),
    ],
)
def test_pins_that_contradict_themselves_are_malformed(released: Vendor, pins: tuple[AuditLogPin, ...]) -> None:
    root = read_document((released.published / "metadata/1.root.json").read_bytes(), Root, "root", 1_000_000).value
    extension = view_root(root).extension
    assert pinned_log(replace_value(extension, audit_logs=(PIN,)), "manifest", "root") is not None
    with pytest.raises(MalformedError, match="audit_logs"):
        pinned_log(replace_value(extension, audit_logs=pins), "manifest", "root")
