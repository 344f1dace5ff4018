"""What another policy would have said of the requests that this authority signed. Nothing is decided by it.

The audit log says which requests were signed, and when the policy let them pass. The requests themselves, and the
responses with the approvals that counted, come as files: each is believed only by its digest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.authorities.history import History, Memory
from enigm_tuf.model.request import RuleOutcome, SigningRequest
from enigm_tuf.policy.engine import evaluate
from enigm_tuf.policy.reading import ask
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import TrustedMetadata, admit_root, trust_root


@dataclass(frozen=True, slots=True)
class Replayed:
    """One request that was signed. ``refusals`` is None where its file was not shown."""

    request_id: str
    digest: str
    decided: datetime
    refusals: tuple[RuleOutcome, ...] | None


@dataclass(frozen=True, slots=True)
class Shown:
    """The files: requests by digest, and approvals and waivers by the digest of their request."""

    requests: Mapping[str, SigningRequest]
    approvals: Mapping[str, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Bench:
    """By what the past is judged: the new policy's bytes, and every registry of operators by its digest."""

    policy_data: bytes
    registries: Mapping[str, bytes]


def replay(entries: Sequence[AuditEntry], bench: Bench, shown: Shown) -> tuple[Replayed, ...]:
    """Every request that was signed, oldest first, as the rules say of it now, at the time and place of then."""
    signed = {entry.body["request_sha256"] for entry in entries if entry.type == EntryType.SIGN_PERFORMED}
    return tuple(_judged(entries, bench, shown, signed))


def _judged(entries: Sequence[AuditEntry], bench: Bench, shown: Shown, signed: set[str]) -> Iterator[Replayed]:
    memory, waiting = Memory(), set(signed)
    for entry in entries:
        passed = entry.type == EntryType.POLICY_EVALUATED and entry.body["passed"]
        if passed and (digest := entry.body["request_sha256"]) in waiting:
            waiting.remove(digest)
            request, decided = shown.requests.get(digest), entry.body["decided"]
            refusals = None if request is None else _refusals(request, memory.history(), decided, bench, shown)
            yield Replayed(entry.body["request_id"], digest, decided, refusals)
        memory.see(entry)


def _refusals(
    request: SigningRequest, history: History, decided: datetime, bench: Bench, shown: Shown
) -> tuple[RuleOutcome, ...]:
    """Who approved did so under the policy of then: the new one is asked as if it had stood in its place."""
    named = history.operators or {}
    state = _root_of(request, decided)
    question = ask(
        request,
        policy_data=bench.policy_data,
        operators_data=bench.registries[named["sha256"]],
        root=state.root if state else None,
        ledger=history.ledger(),
        envelopes=shown.approvals.get(request.digest, ()),
        custodian=None,
        now=decided,
    )
    in_place = replace(question, policy_pin=request.index.policy)
    return tuple(outcome for outcome in evaluate(in_place).outcomes if not outcome.allowed)


def _root_of(request: SigningRequest, decided: datetime) -> TrustedMetadata | None:
    """The newest root that the request brought, admitted from its first."""
    brought = request.below("context/root")
    if "1.root.json" not in brought:
        return None
    state = trust_root(brought["1.root.json"], decided, AuthorityAdmission(request.index.environment))
    version = 2
    while (name := f"{version}.root.json") in brought:
        state = admit_root(state, brought[name])
        version += 1
    return state
