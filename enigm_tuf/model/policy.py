"""The policy file of an authority: TOML, strict, pinned in root by version and SHA-256 of its bytes.

There is no key that disables a rule, and no default: a missing field is refused.
"""

from collections.abc import Container
from dataclasses import dataclass
from typing import Literal, TypeAlias

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.policy_demands import (
    DEMANDS,
    GOVERNANCE_ACTIONS,
    INVENTORY_ACTION,
    POLICY_ACTION,
    CeremonyDemands,
    GateDemands,
    KeyDemands,
    RateDemands,
    SourceDemands,
    TimeDemands,
    require_demands,
)
from enigm_tuf.model.request import ACTION, AUTHORITY, Authority
from enigm_tuf.model.shapes import NAME, POSITIVE, SHA256, Integer, Optional, Record, Sequence, Table, Text
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf.model.waiver import WAIVABLE_RULE

RoleKind: TypeAlias = Literal["root", "targets", "snapshot", "manifest", "payload"]
FINDING_ACTION = "finding"
"""With GOVERNANCE_ACTIONS not actions of a request: how many sign the key inventory, a finding, and what governs."""
DOCUMENT_ACTIONS = (INVENTORY_ACTION, *GOVERNANCE_ACTIONS, FINDING_ACTION)
_ROLE_KIND = Text(r"root|targets|snapshot|manifest|payload", "root, targets, snapshot, manifest or payload")


NEEDED_ACTIONS = (*DOCUMENT_ACTIONS, "product", "release", "root", "roles")
"""What every policy provides for. Without one for ``recovery`` nothing can be recovered, for ``rollout`` halted."""
OWN_KINDS: dict[Authority, tuple[RoleKind, ...]] = {
    "release": ("root", "payload"),
    "manifest": ("targets", "snapshot", "manifest"),
}
"""The kinds of role that an authority signs; in the model ``manifest-only`` the manifest authority signs root too."""


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many approvals an action needs, and partitions that must each give at least one of them."""

    approvals: int
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Days:
    """Bounds on how far ahead a role may expire, in days, both included."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class BackupPolicy:
    """For keys of the class ``wrapped-backup``: how old the last proof of a restore may be when they sign, in days."""

    restore_proof_days: int


@dataclass(frozen=True, slots=True)
class WaiverPolicy:
    """Which rules may be waived for one request, by how many policy-approvers, of which partitions."""

    approvals: int
    partitions: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """``thresholds`` are the lowest allowed; ``request_hours`` is the longest life of a request.

    ``operators_sha256`` names version 1 of the operators' registry (``model.operators``).

    Without ``backup`` no key of the class ``wrapped-backup`` signs; without ``waiver`` nothing is waived.
    """

    version: int
    authority: Authority
    environment: Environment
    request_hours: int
    operators_sha256: str
    actions: dict[str, Quorum]
    expiry: dict[str, Days]
    thresholds: dict[str, int]
    key: KeyDemands
    source: SourceDemands
    gate: GateDemands
    time: TimeDemands
    rate: RateDemands
    ceremony: CeremonyDemands
    backup: BackupPolicy | None = None
    waiver: WaiverPolicy | None = None


POLICY = Record(
    Policy,
    1,
    version=POSITIVE,
    authority=AUTHORITY,
    environment=ENVIRONMENT,
    request_hours=Integer(1, 24 * 90),
    operators_sha256=SHA256,
    actions=Table(
        Text("|".join((*ACTION.words, *DOCUMENT_ACTIONS)), ", ".join((*ACTION.words, *DOCUMENT_ACTIONS))),
        Record(Quorum, approvals=Integer(1, 100), partitions=Sequence(NAME, minimum=1, maximum=20, unique=True)),
        minimum=1,
    ),
    expiry=Table(_ROLE_KIND, Record(Days, minimum=Integer(1, 3_650), maximum=Integer(1, 3_650)), minimum=1),
    thresholds=Table(_ROLE_KIND, Integer(1, 100), minimum=1),
    **DEMANDS,
    backup=Optional(Record(BackupPolicy, restore_proof_days=Integer(1, 3_650))),
    waiver=Optional(
        Record(
            WaiverPolicy,
            approvals=Integer(1, 100),
            partitions=Sequence(NAME, minimum=1, maximum=20, unique=True),
            rules=Sequence(WAIVABLE_RULE, minimum=1, maximum=50, unique=True),
        )
    ),
)


def read_policy(data: bytes, source: str) -> Policy:
    """Parse, and check that the policy leaves no rule without its numbers."""
    policy = POLICY.read(parse_toml(data, source), source)
    _require_complete(policy, source)
    _require_strict_emergency(policy, source)
    _require_strict_waiver(policy, source)
    require_demands(policy.source, policy.gate, policy.time, policy.ceremony, source)
    for kind, days in policy.expiry.items():
        if days.minimum > days.maximum:
            raise MalformedError(source, f"expiry.{kind}", "minimum may not exceed maximum")
    return policy


def voter_roles(action: str) -> tuple[str, ...]:
    """The roles of those who make up the quorum of an action; one of them is enough."""
    if action == FINDING_ACTION:
        return "auditor", "policy-approver"
    return ("policy-approver",) if action in GOVERNANCE_ACTIONS else ("approver",)


def _require_strict_emergency(policy: Policy, source: str) -> None:
    """An emergency goes round freezes and waiting, so more people agree to it, of all the same partitions, together."""
    emergency, release = policy.actions.get("emergency"), policy.actions["release"]
    if emergency is None:
        return
    if emergency.approvals <= release.approvals:
        told = f"an emergency needs more approvals than a release, which needs {release.approvals}"
        raise MalformedError(source, "actions.emergency.approvals", told)
    if missing := sorted(set(release.partitions) - set(emergency.partitions)):
        raise MalformedError(source, "actions.emergency.partitions", f"must have {missing[0]}, as for a release")
    if not policy.ceremony.open_hours.get("emergency"):
        raise MalformedError(source, "ceremony.open_hours.emergency", "an emergency is signed in a ceremony: not 0")


def _require_strict_waiver(policy: Policy, source: str) -> None:
    """A waiver is a change of the policy for once: no fewer people, of all the same partitions."""
    waiver, change = policy.waiver, policy.actions[POLICY_ACTION]
    if waiver is None:
        return
    if waiver.approvals < change.approvals:
        told = f"a waiver needs no fewer than a change of the policy, which needs {change.approvals}"
        raise MalformedError(source, "waiver.approvals", told)
    if missing := sorted(set(change.partitions) - set(waiver.partitions)):
        raise MalformedError(source, "waiver.partitions", f"must have {missing[0]}, as for a change of the policy")


def _require_complete(policy: Policy, source: str) -> None:
    """No rule is left without its numbers: each action, and each kind of role that the authority always signs."""
    tables: tuple[tuple[str, Container[str], tuple[str, ...]], ...] = (
        ("actions", policy.actions, NEEDED_ACTIONS),
        ("expiry", policy.expiry, OWN_KINDS[policy.authority]),
        ("thresholds", policy.thresholds, OWN_KINDS[policy.authority]),
    )
    for table, present, needed in tables:
        for name in needed:
            if name not in present:
                raise MalformedError(source, f"{table}.{name}", "missing: no rule is left without its numbers")
