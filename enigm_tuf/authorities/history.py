"""What an authority remembers, derived from its audit log and kept nowhere else.

A request is done when every payload in it has the signatures that it needs; until then another custodian may sign it.
Only requests that are done move the heads: a crash between two custodians or two payloads loses nothing.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.authorities.doubt import SigningState
from enigm_tuf.authorities.signed_requests import SignedRequest, begun, signature_in
from enigm_tuf.model.request import Previous, RoleSignature
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.policy.question import Backer, Ledger, OpenCeremony

_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class History:
    """The first ``entries`` of the log. ``open_intent`` is a ``sign.intent`` of which nobody knows how it ended.

    ``requests`` are those that nothing of a higher sequence was done after, of all others, done or not, nothing is
    ever signed again (REQUEST-REPLAY), and those of which a payload has signatures and no version as high is done: it
    is signed under no other. ``heads`` and ``last_sequence`` are of all that were done. ``session`` is the
    body of the last ``session.open``; ``operators`` and ``inventory`` are those of the entries that name what is in
    force; ``signatures`` are the times of those of the last 24 hours of the log, ``ceremonies`` are those that are
    open, ``policies`` are the digests of those that were adopted, ``restores`` says when a copy of a key (SPKI digest)
    was last proved.
    """

    entries: int
    requests: Mapping[str, SignedRequest]
    heads: Mapping[str, Previous]
    last_sequence: int
    open_intent: AuditEntry | None
    last_time: datetime | None
    operators: JsonObject | None = None
    inventory: JsonObject | None = None
    signatures: tuple[datetime, ...] = ()
    ceremonies: tuple[OpenCeremony, ...] = ()
    policies: frozenset[str] = frozenset()
    restores: Mapping[str, datetime] = field(default_factory=dict)
    session: JsonObject | None = None

    def ledger(self) -> Ledger:
        """What the policy may know."""
        return Ledger(
            last_sequence=self.last_sequence,
            last_time=self.last_time,
            signed=frozenset(digest for digest, item in self.requests.items() if item.done),
            heads=self.heads,
            signatures=self.signatures,
            policies=self.policies,
            ceremonies=self.ceremonies,
            backers={digest: item.backed_by for digest, item in self.requests.items()},
            begun=self._begun(),
        )

    def _begun(self) -> dict[tuple[str, str], frozenset[str]]:
        begun: dict[tuple[str, str], frozenset[str]] = {}
        for digest, item in self.requests.items():
            for payload in item.begun:
                known = payload.role, payload.sha256
                begun[known] = begun.get(known, frozenset()) | {digest}
        return begun

    def signed_by(self, digest: str, key: str) -> dict[str, RoleSignature]:
        """The signatures that a public key made over a request's payloads, by role."""
        return self.requests[digest].by_key(key) if digest in self.requests else {}


@dataclass(slots=True)
class Memory:
    """What an authority remembers, entry by entry. It stays as small as what may still be signed.

    ``heads`` has with each head the sequence of its request; ``kept`` is of how many entries a history was last kept.
    ``counted`` is whose approvals and waivers counted when a request, named by its digest, was last judged.
    """

    entries: int = 0
    state: SigningState = field(default_factory=SigningState)
    requests: dict[str, SignedRequest] = field(default_factory=dict)
    heads: dict[str, tuple[int, Previous]] = field(default_factory=dict)
    last_sequence: int = 0
    last_time: datetime | None = None
    operators: JsonObject | None = None
    inventory: JsonObject | None = None
    signatures: deque[datetime] = field(default_factory=deque)
    ceremonies: dict[str, OpenCeremony] = field(default_factory=dict)
    policies: set[str] = field(default_factory=set)
    restores: dict[str, datetime] = field(default_factory=dict)
    counted: list[tuple[str, Backer]] = field(default_factory=list)
    kept: int = 0

    def see(self, entry: AuditEntry) -> None:
        """The next entry of a verified log; StateError where it cannot follow what was before."""
        intent = self.state.intent
        self.entries, self.last_time, self.state = entry.sequence, entry.time, self.state.after(entry)
        while self.signatures and self.signatures[0] <= entry.time - _DAY:
            self.signatures.popleft()
        match entry.type:
            case EntryType.POLICY_EVALUATED:
                self.counted = []
            case EntryType.APPROVAL_COUNTED | EntryType.WAIVER_COUNTED:
                backer = Backer(entry.body["operator"], entry.body["device"], entry.time)
                self.counted.append((entry.body["request_sha256"], backer))
            case EntryType.SIGN_INTENT:
                self.requests.setdefault(entry.body["request_sha256"], begun(entry.body))
            case EntryType.SIGN_RECOVERED if intent and entry.body["outcome"] != "not-made":
                request = self.requests[intent.body["request_sha256"]]
                request.lost.add(intent.body["key"])
                self._back(request)
            case EntryType.SIGN_PERFORMED:
                self.signatures.append(entry.time)
                self._sign(entry)
            case EntryType.HISTORY_KEPT:
                self.kept = entry.body["entries"]
            case _:
                self._govern(entry)

    def history(self) -> History:
        """As it is now."""
        return History(
            entries=self.entries,
            requests=dict(self.requests),
            heads={role: head for role, (_, head) in self.heads.items()},
            last_sequence=self.last_sequence,
            open_intent=self.state.intent,
            last_time=self.last_time,
            operators=self.operators,
            inventory=self.inventory,
            signatures=tuple(self.signatures),
            ceremonies=tuple(self.ceremonies.values()),
            policies=frozenset(self.policies),
            restores=dict(self.restores),
            session=self.state.session,
        )

    def _govern(self, entry: AuditEntry) -> None:
        """What is in force, and what goes on."""
        match entry.type:
            case EntryType.OPERATORS_CHANGED:
                self.operators = entry.body
            case EntryType.INVENTORY_CHANGED:
                self.inventory = entry.body
            case EntryType.POLICY_ADOPTED:
                self.policies.add(entry.body["sha256"])
            case EntryType.RESTORE_PROVED:
                self.restores[entry.body["key"]] = entry.time
            case EntryType.CEREMONY_OPENED if not entry.body["rehearsal"]:
                opened = OpenCeremony(entry.body["ceremony"], entry.body["type"], entry.time)
                self.ceremonies[opened.id] = opened
            case EntryType.CEREMONY_CLOSED:
                self.ceremonies.pop(entry.body["ceremony"], None)

    def _sign(self, entry: AuditEntry) -> None:
        body, request = entry.body, self.requests[entry.body["request_sha256"]]
        request.signatures[body["role"], body["key"]] = signature_in(body)
        self._back(request)
        if request.done:
            self._finish(request)

    def _back(self, request: SignedRequest) -> None:
        """A signature of it left the token, or may have: it rests on what counted last."""
        for digest, backer in self.counted:
            if digest == request.digest:
                request.back(backer)

    def _finish(self, request: SignedRequest) -> None:
        """Its payloads are heads now, unless a later request's are; what came before it is signed no more."""
        for payload in request.payloads:
            if request.sequence >= self.heads.get(payload.role, (0, None))[0]:
                self.heads[payload.role] = request.sequence, payload.previous
        self.last_sequence = max(self.last_sequence, request.sequence)
        before = [item for item in self.requests.values() if item.sequence < self.last_sequence]
        for item in before:
            if all(payload.version <= self._version(payload.role) for payload in item.begun):
                del self.requests[item.digest]

    def _version(self, role: str) -> int:
        head = self.heads.get(role)
        return head[1].version if head else 0


def history_of(entries: Iterable[AuditEntry]) -> History:
    """Read a verified log from its first entry."""
    memory = Memory()
    for entry in entries:
        memory.see(entry)
    return memory.history()
