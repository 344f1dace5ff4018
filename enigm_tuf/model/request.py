"""The signing request (``.enigmreq``) and the response (``.enigmresp``): GOVERNANCE, "Signing request and response".

A request holds ``index.json``, ``payloads/<role>.<version>.json`` (the exact canonical bytes to be signed),
``context/root/<version>.root.json`` (the root chain), ``context/previous/<role>.json`` (signed metadata before
this), ``evidence/*`` (manifests, payload metadata of the other authority, build facts), ``approvals/*.dsse.json``
(waivers too). The digest of a request is the SHA-256 of its ``index.json``; approvals may be added without changing it,
so ``approvals/`` alone is not listed in the index.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.bundle import ENTRY, INDEX, Entry, entry, pack, require_listed, unpack
from enigm_tuf.model.keys import ENVIRONMENT, HEX, Environment
from enigm_tuf.model.root_extension import POLICY_PIN, PolicyPin
from enigm_tuf.model.shapes import (
    BUILD_ID,
    LINE,
    NAME,
    POSITIVE,
    SHA256,
    WORD,
    Boolean,
    Choice,
    Integer,
    Optional,
    Record,
    Sequence,
    Text,
    Time,
)
from enigm_tuf.model.strict_json import encode, parse, sha256

Authority: TypeAlias = Literal["manifest", "release"]
Action: TypeAlias = Literal["root", "recovery", "product", "retire", "release", "roles", "rollout", "emergency"]
AUTHORITY = Choice(("manifest", "release"))
ACTION = Choice(("root", "recovery", "product", "retire", "release", "roles", "rollout", "emergency"))
"""``recovery`` is a root without the manifest authority's consent; ``roles`` signs roles anew after a root; ``retire``
takes a product out of ``targets``.

``emergency`` is a release under a quorum and a ceremony of its own."""
ROLE = Text(r"[a-z0-9][a-z0-9_-]*(\.manifest|\.payload)?", "a role name", 80)
APPROVALS = "approvals/"
PROOFS = "audit/"


@dataclass(frozen=True, slots=True)
class Previous:
    """The last state that the authority signed: SHA-256 of the canonical signed bytes of that version."""

    role: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RequestIndex:
    """``request_id`` is unique for ever; ``sequence`` grows per authority and environment."""

    request_id: str
    sequence: int
    environment: Environment
    authority: Authority
    action: Action
    requester: str
    created: datetime
    expires: datetime
    policy: PolicyPin
    previous: tuple[Previous, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A parsed request. ``members`` are all files but the index, by path."""

    index: RequestIndex
    digest: str
    members: dict[str, bytes]

    def below(self, folder: str) -> dict[str, bytes]:
        """Members under ``folder/``, by the rest of their path."""
        prefix = f"{folder}/"
        return {path.removeprefix(prefix): data for path, data in self.members.items() if path.startswith(prefix)}


REQUEST_INDEX = Record(
    RequestIndex,
    1,
    request_id=BUILD_ID,
    sequence=POSITIVE,
    environment=ENVIRONMENT,
    authority=AUTHORITY,
    action=ACTION,
    requester=NAME,
    created=Time(),
    expires=Time(),
    policy=POLICY_PIN,
    previous=Sequence(Record(Previous, role=ROLE, version=POSITIVE, sha256=SHA256), maximum=100),
    entries=Sequence(ENTRY, minimum=1, maximum=1_000),
)


@dataclass(frozen=True, slots=True)
class RoleSignature:
    """One signature over one payload of the request: hex DER."""

    role: str
    version: int
    keyid: str
    signature: str


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule said. ``waived``: it said no, and signed waivers let that pass for this request."""

    rule: str
    passed: bool
    evidence: str
    waived: bool = False

    @property
    def allowed(self) -> bool:
        """Whether the rule stands in nobody's way."""
        return self.passed or self.waived

    @property
    def verdict(self) -> str:
        """For people."""
        return "passed" if self.passed else "waived" if self.waived else "FAILED"


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The audit log after this decision: number of entries and the root hash of their tree."""

    entries: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SigningResponse:
    """What an authority answers: the decision with every rule's outcome, and the signatures if it passed.

    ``approvals`` are the SHA-256 of the envelopes that were counted, approvals and waivers; ``inventory`` that of the
    key inventory which the token was compared with, absent where no token was opened.
    """

    request_sha256: str
    request_id: str
    environment: Environment
    authority: Authority
    decision: Literal["PASSED", "FAILED"]
    decided: datetime
    policy: PolicyPin
    rules: tuple[RuleOutcome, ...]
    approvals: tuple[str, ...]
    signatures: tuple[RoleSignature, ...]
    inventory: str | None
    audit: AuditHead

    @property
    def decision_sha256(self) -> str:
        """What stands beside each of its signatures in the audit log."""
        return decision_digest(self.decided, self.policy, self.inventory, self.rules, self.approvals)


RULE_OUTCOME = Record(RuleOutcome, rule=WORD, passed=Boolean(), evidence=LINE, waived=Boolean())
SIGNING_RESPONSE = Record(
    SigningResponse,
    1,
    request_sha256=SHA256,
    request_id=BUILD_ID,
    environment=ENVIRONMENT,
    authority=AUTHORITY,
    decision=Choice(("PASSED", "FAILED")),
    decided=Time(),
    policy=POLICY_PIN,
    rules=Sequence(RULE_OUTCOME, minimum=1, maximum=200),
    approvals=Sequence(SHA256, maximum=100, unique=True),
    signatures=Sequence(
        Record(RoleSignature, role=ROLE, version=POSITIVE, keyid=SHA256, signature=HEX), maximum=100, unique=True
    ),
    inventory=Optional(SHA256),
    audit=Record(AuditHead, entries=Integer(1), sha256=SHA256),
)


def decision_digest(
    decided: datetime,
    policy: PolicyPin,
    inventory: str | None,
    rules: Iterable[RuleOutcome],
    approvals: Iterable[str],
) -> str:
    """SHA-256 of the one encoding of a decision: when, under which policy and inventory, what each rule said, word for
    word, and who was counted.

    ``approvals`` are digests of envelopes, approvals and waivers, in any order.
    """
    said = [RULE_OUTCOME.write(item) for item in rules]
    pin = {"version": policy.version, "sha256": policy.sha256}
    whole = {"decided": Time().write(decided), "policy": pin, "rules": said, "approvals": sorted(approvals)}
    return sha256(encode(whole | ({} if inventory is None else {"inventory": inventory})))


def make_request(index: RequestIndex, members: dict[str, bytes]) -> bytes:
    """The file of a request; the index' ``entries`` are filled in here from ``members``."""
    listed = tuple(entry(path, data) for path, data in sorted(members.items()) if not path.startswith(APPROVALS))
    filled = REQUEST_INDEX.write(index) | {"entries": [ENTRY.write(item) for item in listed]}
    return pack({INDEX: encode(filled), **members})


def read_request(data: bytes, source: str) -> SigningRequest:
    """Parse a ``.enigmreq``; MalformedError names the member and the rule."""
    members = unpack(data, source)
    if INDEX not in members:
        raise MalformedError(source, INDEX, "missing")
    index = REQUEST_INDEX.read(parse(members[INDEX], source=f"{source}: {INDEX}"), f"{source}: {INDEX}")
    listed = {path: member for path, member in members.items() if not path.startswith(APPROVALS)}
    require_listed(listed, index.entries, source)
    return SigningRequest(
        index, sha256(members[INDEX]), {path: member for path, member in members.items() if path != INDEX}
    )


def make_response(response: SigningResponse, members: dict[str, bytes]) -> bytes:
    """The file of a response: ``index.json`` is the response; the counted envelopes travel in ``approvals/``.

    In ``audit/`` stands for each signature the proof that it is in the authority's log (C2SP tlog-proof).
    """
    return pack({INDEX: encode(SIGNING_RESPONSE.write(response)), **members})


def read_response(data: bytes, source: str) -> tuple[SigningResponse, dict[str, bytes]]:
    """The response and its envelopes (approvals, waivers) by path; every one that it names is there, and no other."""
    return unpack_response(data, source)[:2]


def unpack_response(data: bytes, source: str) -> tuple[SigningResponse, dict[str, bytes], dict[str, bytes]]:
    """The same, and the proofs from the audit log by path, which nobody has verified."""
    members = unpack(data, source)
    if INDEX not in members:
        raise MalformedError(source, INDEX, "missing")
    response = SIGNING_RESPONSE.read(parse(members.pop(INDEX), source=f"{source}: {INDEX}"), f"{source}: {INDEX}")
    proofs = {path: members.pop(path) for path in sorted(members) if path.startswith(PROOFS)}
    if sorted(sha256(member) for member in members.values()) != sorted(response.approvals):
        raise MalformedError(source, APPROVALS, "the envelopes must be exactly those that the index names")
    return response, members, proofs
