"""That every signature of a response stands in the log that root pins, as the entry that was written for it.

The entry has the digest of the decision too: who carries a response changes nothing that was decided.
"""

from collections.abc import Mapping, Sequence

from enigm_tuf.audit.checkpoints import require_witnesses
from enigm_tuf.audit.log import AuditEntry, EntryType, read_entry
from enigm_tuf.audit.pins import PinnedLog
from enigm_tuf.audit.proofs import Included, read_proof, verified_entry
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.request import RoleSignature, SigningResponse
from enigm_tuf.model.strict_json import JsonObject


def require_logged(
    response: SigningResponse,
    proofs: Mapping[str, bytes],
    payloads: Mapping[str, str],
    pins: Sequence[PinnedLog],
    source: str,
) -> dict[RoleSignature, Included]:
    """The entry of each of the response's signatures, proved with ``proofs`` (by name) under one of ``pins``.

    ``payloads`` gives the SHA-256 of what each role was to sign. RefusedError LOG-INCLUSION, LOG-DECISION,
    LOG-CHECKPOINT, LOG-FORM, LOG-WITNESS.
    """
    if not pins:
        _refuse(f"{source}", "a root that pins the authority's audit log", "a root that pins none")
    found: dict[RoleSignature, Included] = {}
    for name, data in proofs.items():
        subject = f"{source}, {name}"
        included, pin = _included(data, pins, subject)
        entry = read_entry(included.entry, included.index + 1, subject)
        require_witnesses(included.signed, pin.witnesses, pin.threshold, subject)
        found[_signature(entry, response, payloads, subject)] = included
        _require_decision(entry, response, subject)
        head = included.signed.checkpoint
        if (head.size, head.root.hex()) != (response.audit.entries, response.audit.sha256):
            _refuse(subject, f"a proof from the head {response.audit.entries}:{response.audit.sha256}", f"{head}")
    for signature in response.signatures:
        if signature not in found:
            _refuse(source, f"a proof that the signature of {signature.role} is in the log", "none")
    return found


def _included(data: bytes, pins: Sequence[PinnedLog], source: str) -> tuple[Included, PinnedLog]:
    """Under the last of ``pins``, unless it is the log of another."""
    proof = read_proof(data, source)
    for pin in pins[:-1]:
        if proof.checkpoint.startswith(f"{pin.key.name}\n".encode()):
            return verified_entry(proof, pin.key, source), pin
    return verified_entry(proof, pins[-1].key, source), pins[-1]


def _signature(entry: AuditEntry, response: SigningResponse, payloads: Mapping[str, str], source: str) -> RoleSignature:
    """The signature that the entry records; it must be one of this very response."""
    body: JsonObject = entry.body if entry.type == EntryType.SIGN_PERFORMED else {}
    if not body:
        _refuse(source, f"an entry {EntryType.SIGN_PERFORMED}", entry.type)
    signature = RoleSignature(body["role"], body["version"], body["keyid"], body["signature"])
    logged = (signature in response.signatures, body["request_sha256"], body["request_id"], body["sha256"])
    if logged != (True, response.request_sha256, response.request_id, payloads.get(signature.role)):
        _refuse(source, "the entry of a signature in this response", f"one of {signature.role} {signature.version}")
    return signature


def _require_decision(entry: AuditEntry, response: SigningResponse, source: str) -> None:
    """The rules' outcomes, the time and the envelopes are those that the signature was made under."""
    decision, logged = response.decision_sha256, entry.body["decision_sha256"]
    if logged != decision:
        raise RefusedError(
            AuditRule.LOG_DECISION,
            source,
            expected=f"a signature under the decision that the response tells, {decision}",
            got=f"one under decision {logged}",
            hint="rules, time, policy or approvals of the response are not those of the log: get it from the authority "
            "again (enigm-sign response again), and tell the auditors",
        )


def _refuse(subject: str, expected: str, got: str) -> None:
    raise RefusedError(AuditRule.LOG_INCLUSION, subject, expected=expected, got=got)
