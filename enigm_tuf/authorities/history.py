"""What an authority remembers, derived from its audit log and kept nowhere else.

A request is done when every payload in it has the signatures that it needs; until then another custodian may sign it.
Only requests that are done move the heads: a crash between two custodians or two payloads loses nothing.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.authorities.doubt import SigningState
from enigm_tuf.errors import StateError
from enigm_tuf.model.request import Previous, RoleSignature
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.policy.question import Ledger, OpenCeremony

_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Quorum:
    """``threshold`` of ``keys``, which are SPKI digests."""

    threshold: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload of a request as it was when it was first signed, with every quorum that it needs."""

    role: str
    version: int
    sha256: str
    quorums: tuple[Quorum, ...]

    def signed_enough(self, keys: Iterable[str]) -> bool:
        """Whether these public keys meet every quorum."""
        return all(len(set(keys) & set(quorum.keys)) >= quorum.threshold for quorum in self.quorums)

    @property
    def previous(self) -> Previous:
        """How the next request refers to it."""
        return Previous(self.role, self.version, self.sha256)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What was signed of one request: by role and public key."""

    digest: str
    sequence: int
    payloads: tuple[Payload, ...]
    signatures: dict[tuple[str, str], RoleSignature]

    @property
    def done(self) -> bool:
        return all(
            payload.signed_enough([key for role, key in self.signatures if role == payload.role])
            for payload in self.payloads
        )

    def by_key(self, key: str) -> dict[str, RoleSignature]:
        """The signatures that a public key made, by role."""
        return {role: signature for (role, signer), signature in self.signatures.items() if signer == key}


@dataclass(frozen=True, slots=True)
class History:
    """The log, read from the start. ``open_intent`` is a ``sign.intent`` of which nobody knows how it ended.

    ``session`` is the body of the last ``session.open``.
    ``operators`` is the body of the entry that names the registry of operators in force, ``signatures`` are the times
    of those of the last 24 hours of the log, ``ceremonies`` are those that are open, ``policies`` are the digests of
    those that were adopted.
    """

    requests: Mapping[str, SignedRequest]
    open_intent: AuditEntry | None
    last_time: datetime | None
    operators: JsonObject | None = None
    signatures: tuple[datetime, ...] = ()
    ceremonies: tuple[OpenCeremony, ...] = ()
    policies: frozenset[str] = frozenset()
    session: JsonObject | None = None

    def ledger(self) -> Ledger:
        """What the policy may know."""
        done = sorted((item for item in self.requests.values() if item.done), key=lambda item: item.sequence)
        return Ledger(
            last_sequence=done[-1].sequence if done else 0,
            last_time=self.last_time,
            signed=frozenset(item.digest for item in done),
            heads={payload.role: payload.previous for item in done for payload in item.payloads},
            signatures=self.signatures,
            policies=self.policies,
            ceremonies=self.ceremonies,
        )

    def signed_by(self, digest: str, key: str) -> dict[str, RoleSignature]:
        """The signatures that a public key made over a request's payloads, by role."""
        return self.requests[digest].by_key(key) if digest in self.requests else {}


def history_of(entries: Iterable[AuditEntry]) -> History:
    """Read a verified log."""
    requests: dict[str, SignedRequest] = {}
    last_time, operators = None, None
    state = SigningState()
    signatures: deque[datetime] = deque()
    ceremonies: dict[str, OpenCeremony] = {}
    policies: set[str] = set()
    for entry in entries:
        last_time, state = entry.time, state.after(entry)
        while signatures and signatures[0] <= last_time - _DAY:
            signatures.popleft()
        match entry.type:
            case EntryType.SIGN_INTENT:
                requests.setdefault(entry.body["request_sha256"], _begun(entry.body))
            case EntryType.SIGN_PERFORMED:
                signatures.append(entry.time)
                _add_signature(requests, entry)
            case EntryType.OPERATORS_CHANGED:
                operators = entry.body
            case EntryType.POLICY_ADOPTED:
                policies.add(entry.body["sha256"])
            case EntryType.CEREMONY_OPENED if not entry.body["rehearsal"]:
                opened = OpenCeremony(entry.body["ceremony"], entry.body["type"], entry.time)
                ceremonies[opened.id] = opened
            case EntryType.CEREMONY_CLOSED:
                ceremonies.pop(entry.body["ceremony"], None)
    return History(
        requests,
        state.intent,
        last_time,
        operators,
        tuple(signatures),
        tuple(ceremonies.values()),
        frozenset(policies),
        state.session,
    )


def _begun(intent: JsonObject) -> SignedRequest:
    payloads = tuple(_payload(item) for item in intent["payloads"])
    return SignedRequest(intent["request_sha256"], intent["sequence"], payloads, {})


def _add_signature(requests: dict[str, SignedRequest], entry: AuditEntry) -> None:
    body = entry.body
    if body["request_sha256"] not in requests:
        raise StateError(f"audit log, entry {entry.sequence}: a signature that nobody announced")
    signature = RoleSignature(body["role"], body["version"], body["keyid"], body["signature"])
    requests[body["request_sha256"]].signatures[body["role"], body["key"]] = signature


def _payload(body: JsonObject) -> Payload:
    quorums = tuple(Quorum(item["threshold"], item["keys"]) for item in body["quorums"])
    return Payload(body["role"], body["version"], body["sha256"], quorums)
