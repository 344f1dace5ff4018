"""The response once more, from the audit log alone: when the file was lost, or the machine died before it was written.

No token is opened and nothing is signed: the log has every signature, what the policy said, and who was counted. A
response tells one decision; a request that was signed on several days has as many responses.
"""

from dataclasses import dataclass, field
from datetime import datetime

from enigm_tuf.audit.log import AuditEntry, AuditLog, EntryType
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.proving import proofs_of
from enigm_tuf.authorities.signed_requests import signature_in
from enigm_tuf.errors import MisuseError, StateError
from enigm_tuf.model.request import (
    APPROVALS,
    RoleSignature,
    RuleOutcome,
    SigningRequest,
    SigningResponse,
    make_response,
)
from enigm_tuf.model.strict_json import sha256


@dataclass
class _Found:
    """What the log says of one decision, and the signatures that were made under it."""

    decided: datetime
    rules: tuple[RuleOutcome, ...]
    approvals: tuple[str, ...]
    inventory: str | None
    signatures: list[RoleSignature] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)


def answer_again(
    home: Home, request: SigningRequest, envelopes: tuple[bytes, ...], log: AuditLog
) -> tuple[tuple[SigningResponse, bytes], ...]:
    """For each decision that something was signed under, newest first: the response and its file.

    ``envelopes`` are the approvals and waivers that lie beside the request. MisuseError if nothing was signed, or if
    one of those that were counted is not shown.
    """
    found = _find(request.digest, log)
    if not found:
        raise MisuseError(
            f"request {request.index.request_id}: no signature of it is in the audit log of {home.path}",
            hint="enigm-sign sign makes one",
        )
    return tuple(_response(request, envelopes, log, item) for item in reversed(found))


def _response(
    request: SigningRequest, envelopes: tuple[bytes, ...], log: AuditLog, found: _Found
) -> tuple[SigningResponse, bytes]:
    index = request.index
    head, proofs = proofs_of(log, found.entries)
    response = SigningResponse(
        request_sha256=request.digest,
        request_id=index.request_id,
        environment=index.environment,
        authority=index.authority,
        decision="PASSED",
        decided=found.decided,
        policy=index.policy,
        rules=found.rules,
        approvals=found.approvals,
        signatures=tuple(found.signatures),
        inventory=found.inventory,
        audit=head,
    )
    return response, make_response(response, proofs | _members(request, envelopes, found.approvals))


def _find(digest: str, log: AuditLog) -> list[_Found]:
    """Oldest first."""
    found: dict[str, _Found] = {}
    last, inventory = None, None
    counted: list[str] = []
    for entry in log.entries():
        if entry.type == EntryType.INVENTORY_CHECKED:
            inventory = entry.body["sha256"]
        if entry.body.get("request_sha256") != digest:
            continue
        match entry.type:
            case EntryType.POLICY_EVALUATED:
                last, counted = entry, []
            case EntryType.APPROVAL_COUNTED | EntryType.WAIVER_COUNTED:
                counted.append(entry.body["envelope_sha256"])
            case EntryType.SIGN_PERFORMED:
                _take(found, entry, last, counted, inventory)
    return list(found.values())


def _take(
    found: dict[str, _Found],
    performed: AuditEntry,
    evaluated: AuditEntry | None,
    counted: list[str],
    inventory: str | None,
) -> None:
    """A signature, and the evaluation that it rests on: the policy said yes to nothing else just before it."""
    body = performed.body
    if evaluated is None:
        raise StateError(f"audit log, entry {performed.sequence}: a signature that nothing was decided of")
    decided, rules = evaluated.body["decided"], tuple(RuleOutcome(**item) for item in evaluated.body["rules"])
    new = _Found(decided, rules, tuple(sorted(set(counted))), inventory)
    item = found.setdefault(body["decision_sha256"], new)
    item.entries.append(performed.sequence)
    item.signatures.append(signature_in(body))


def _members(request: SigningRequest, envelopes: tuple[bytes, ...], counted: tuple[str, ...]) -> dict[str, bytes]:
    shown = {sha256(data): data for data in (*request.below("approvals").values(), *envelopes)}
    if missing := [digest for digest in counted if digest not in shown]:
        raise MisuseError(
            f"approval {missing[0]} was counted and is not here", hint="give every --approval that was given to sign"
        )
    return {f"{APPROVALS}{digest}.dsse.json": shown[digest] for digest in counted}
