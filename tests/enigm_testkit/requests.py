"""Requests that pass every rule of the policy. A test changes one thing, and asks who says no."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, Targets

from enigm_testkit.authorities import (
    NOW,
    Cast,
    signed,
)
from enigm_testkit.custodians import Voter, registry, voter
from enigm_testkit.demands import demands_toml
from enigm_tuf.model.approval import Decision as Vote
from enigm_tuf.model.operators import OperatorRegistry, write_operators
from enigm_tuf.model.request import (
    Action,
    AuditHead,
    Authority,
    Previous,
    RequestIndex,
    RoleSignature,
    RuleOutcome,
    SigningRequest,
    SigningResponse,
    make_request,
    make_response,
    read_request,
)
from enigm_tuf.model.root_extension import FIELD, PolicyPin
from enigm_tuf.model.strict_json import canonical, sha256
from enigm_tuf.model.tuf import Root as TrustedRoot
from enigm_tuf.model.value import replace as replace_value
from enigm_tuf.policy.engine import evaluate
from enigm_tuf.policy.question import Ledger, Question, SigningKey
from enigm_tuf.policy.reading import ask
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import trust_root
from enigm_tuf.trust.verified import Verified

Signed = Root | Snapshot | Targets
Ballot = Callable[[SigningRequest], bytes]
QUORUM = 'approvals = 2\npartitions = ["engineering", "security"]\n'
ALICE, BOB, CAROL = voter("alice", "engineering"), voter("bob", "security"), voter("carol", "engineering")


def ballot(person: Voter, decision: Vote = "APPROVE", **changes: Any) -> Ballot:
    """What an operator says, valid for three days round NOW whatever the request's own times are."""
    times = {"created": NOW - timedelta(hours=1), "expires": NOW + timedelta(hours=71)}
    return lambda request: person.envelope(replace(person.approval(request, decision), **(times | changes)))


@dataclass
class Scene:
    """A request before its authority, and all that the authority knows; every field may be changed before asking.

    ``before`` is what this authority signed last, ``context`` what the request shows beside it, ``others`` what the
    other authority is asked to sign. ``index`` and ``ledger`` replace fields; ``pin`` is what root pins, and
    ``next_pin`` what a proposed root does instead; ``consenting`` are who signed the proposed root elsewhere,
    ``custodians`` who signed this request before, ``tokens`` the serials of what it is signed with.
    """

    authority: Authority
    action: Action
    cast: Cast
    proposals: dict[str, Signed]
    policy: str
    root: Root | None = None
    before: dict[str, Signed] = field(default_factory=dict)
    context: dict[str, Signed] = field(default_factory=dict)
    others: dict[str, Targets] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    earlier: dict[str, bytes] = field(default_factory=dict)
    members: dict[str, bytes] = field(default_factory=dict)
    index: dict[str, Any] = field(default_factory=dict)
    ledger: dict[str, Any] = field(default_factory=dict)
    pin: PolicyPin | None = None
    next_pin: PolicyPin | None = None
    ballots: list[Ballot] = field(default_factory=lambda: [ballot(ALICE), ballot(BOB)])
    consenting: list[CryptoSigner] = field(default_factory=list)
    custodian: str | None = "dave"
    custodians: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    signer: SigningKey | None = None
    operators: OperatorRegistry | None = None
    now: datetime = NOW

    def targets(self, role: str) -> Targets:
        value = self.proposals[role]
        assert isinstance(value, Targets)
        return value

    @property
    def snapshot(self) -> Snapshot:
        value = self.proposals["snapshot"]
        assert isinstance(value, Snapshot)
        return value

    @property
    def new_root(self) -> Root:
        value = self.proposals["root"]
        assert isinstance(value, Root)
        return value

    def replace_policy(self, old: str, new: str) -> None:
        assert old in self.policy
        self.policy = self.policy.replace(old, new)

    @property
    def registry(self) -> OperatorRegistry:
        """The operators of this scene."""
        return self.operators or operators_of(self.authority)

    def change_operator(self, name: str, **changes: Any) -> None:
        """Another registry, version 2, in which one person is different."""
        changed = tuple(
            replace_value(person, **changes) if person.id == name else person for person in self.registry.operators
        )
        first = sha256(write_operators(operators_of(self.authority)))
        version = self.registry.version + 1
        links = {"version": version, "first": first, "previous": sha256(write_operators(self.registry))}
        self.operators = replace_value(self.registry, operators=changed, **links)

    def request(self) -> SigningRequest:
        return read_request(make_request(self._index(), self._members()), "test.enigmreq")

    def question(self) -> Question:
        request = self.request()
        asked = ask(
            request,
            policy_data=self.policy.encode(),
            operators_data=write_operators(self.registry),
            root=self._trusted_root(),
            ledger=replace(Ledger(last_sequence=6, heads=self.heads()), **self.ledger),
            envelopes=[cast(request) for cast in self.ballots],
            consents=[_consent(request, signer) for signer in self.consenting],
            custodian=self.custodian,
            now=self.now,
            signer=self.signer,
        )
        return replace(asked, custodians=frozenset(self.custodians), tokens=frozenset(self.tokens))

    def refused_by(self) -> list[str]:
        """The rules that say no, in the catalogue's order."""
        return [outcome.rule for outcome in evaluate(self.question()).outcomes if not outcome.passed]

    def said(self, rule: str) -> str:
        """The evidence of one rule."""
        return next(outcome.evidence for outcome in evaluate(self.question()).outcomes if outcome.rule == rule)

    def root_file(self) -> bytes:
        """The trusted root as a file, signed by root's keys."""
        assert self.root is not None
        self.pin_policy(self.root)
        return signed(self.root, self.cast.root)

    def heads(self) -> dict[str, Previous]:
        return {
            role: Previous(role, value.version, sha256(canonical(value.to_dict())))
            for role, value in self.before.items()
        }

    def _index(self) -> RequestIndex:
        index = RequestIndex(
            request_id="REQ-7",
            sequence=7,
            environment="staging",
            authority=self.authority,
            action=self.action,
            requester="rob",
            created=NOW - timedelta(hours=1),
            expires=NOW + timedelta(hours=71),
            policy=self.own_pin(),
            previous=tuple(head for role, head in self.heads().items() if role in self.proposals),
            entries=(),
        )
        return replace(index, **self.index)

    def _members(self) -> dict[str, bytes]:
        self.pin_policy(self.proposals.get("root"), self.next_pin)
        previous = {**self.before, **self.context}
        return {
            **{_file("payloads", role, value): canonical(value.to_dict()) for role, value in self.proposals.items()},
            **{f"context/previous/{role}.json": _unsigned(value) for role, value in previous.items()},
            **{_file("evidence/roles", role, value): canonical(value.to_dict()) for role, value in self.others.items()},
            **{f"evidence/manifests/{path}": data for path, data in self.manifests.items()},
            **{f"evidence/manifests-before/{path}": data for path, data in self.earlier.items()},
            **self.members,
        }

    def _trusted_root(self) -> Verified[TrustedRoot] | None:
        if self.root is None:
            return None
        return trust_root(self.root_file(), NOW, AuthorityAdmission("staging")).root

    def pin_policy(self, root: Signed | None, other: PolicyPin | None = None) -> None:
        """Let ``root`` pin ``other``, or what ``pin`` says, by default the policy of this scene."""
        if root is None or self.authority not in root.unrecognized_fields[FIELD]["policies"]:
            return  # in model manifest-only there is no release authority that could have one
        pin = other or self.pin or self.own_pin()
        root.unrecognized_fields[FIELD]["policies"][self.authority] = {"version": pin.version, "sha256": pin.sha256}

    def own_pin(self) -> PolicyPin:
        """How root and request refer to this scene's policy."""
        return PolicyPin(1, sha256(self.policy.encode()))


@cache
def operators_of(authority: Authority) -> OperatorRegistry:
    """Rob asks; alice, bob and carol approve."""
    return registry(authority, *(person.listed() for person in (ALICE, BOB, CAROL)))


def _consent(request: SigningRequest, signer: CryptoSigner) -> bytes:
    """What the other authority answers to its own request for the root that ``request`` proposes."""
    (data,) = request.below("payloads").values()
    version = json.loads(data, strict=False)["version"]
    signature = RoleSignature("root", version, signer.public_key.keyid, signer.sign(data).signature)
    response = SigningResponse(
        request_sha256="0" * 64,
        request_id="OTHER-1",
        environment="staging",
        authority="manifest" if request.index.authority == "release" else "release",
        decision="PASSED",
        decided=NOW,
        policy=request.index.policy,
        rules=(RuleOutcome("EVERY-RULE", True, "passed"),),
        approvals=(),
        signatures=(signature,),
        inventory="0" * 64,
        audit=AuditHead(1, "0" * 64),
    )
    return make_response(response, {})


def _file(folder: str, role: str, value: Signed) -> str:
    return f"{folder}/{role}.{value.version}.json"


def _unsigned(value: Signed) -> bytes:
    """A context whose signatures nobody looks at: without them the request's digest is always the same."""
    metadata: Metadata[Any] = Metadata(value)
    return metadata.to_bytes()


def policy_toml(authority: Authority) -> str:
    """Two approvals of both partitions."""
    actions = (
        "root",
        "product",
        "release",
        "recovery",
        "roles",
        "rollout",
        "inventory",
        "operators",
        "policy",
        "finding",
    )
    own = {"payload": 2} if authority == "release" else {"targets": 1, "snapshot": 1, "manifest": 1}
    kinds = {"root": 2, **own}
    return "\n".join(
        [
            f'schema = 1\nversion = 1\nauthority = "{authority}"\nenvironment = "staging"\nrequest_hours = 72',
            f'operators_sha256 = "{sha256(write_operators(operators_of(authority)))}"',
            *(f"[actions.{action}]\n{QUORUM}" for action in actions),
            *(f"[expiry.{kind}]\nminimum = 1\nmaximum = 400" for kind in kinds),
            "[thresholds]",
            *(f"{kind} = {threshold}" for kind, threshold in kinds.items()),
            demands_toml(),
        ]
    )
