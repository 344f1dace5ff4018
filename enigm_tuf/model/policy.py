"""The policy file of an authority: TOML, strict, pinned in root by version and SHA-256 of its bytes.

There is no key that disables a rule, and no default: a missing field is refused.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Container
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import BASE64, ENVIRONMENT, Environment
from enigm_tuf.model.request import ACTION, AUTHORITY, Authority
from enigm_tuf.model.shapes import NAME, POSITIVE, WORD, Choice, Integer, Optional, Record, Sequence, Table, Text
from enigm_tuf.model.strict_toml import parse_toml

OperatorRole: TypeAlias = Literal["requester", "approver", "custodian"]
RoleKind: TypeAlias = Literal["root", "targets", "snapshot", "manifest", "payload"]
_OPERATOR_ROLE = Choice(("requester", "approver", "custodian"))
INVENTORY_ACTION = "inventory"
"""Not an action of a request: how many operators sign the key inventory."""
_ROLE_KIND = Text(r"root|targets|snapshot|manifest|payload", "root, targets, snapshot, manifest or payload")


NEEDED_ACTIONS = (INVENTORY_ACTION, "product", "release", "root", "roles")
"""What every policy provides for. Without one for ``recovery`` nothing can be recovered, for ``rollout`` halted."""
OWN_KINDS: dict[Authority, tuple[RoleKind, ...]] = {
    "release": ("root", "payload"),
    "manifest": ("targets", "snapshot", "manifest"),
}
"""The kinds of role that an authority signs; in the model ``manifest-only`` the manifest authority signs root too."""


@dataclass(frozen=True, slots=True)
class ApprovalKey:
    """An operator's key for approvals: base64 DER SubjectPublicKeyInfo, and the serial of its device."""

    public_key: str
    device: str


@dataclass(frozen=True, slots=True)
class Operator:
    """A person. ``approval_keys`` is empty for those who approve nothing."""

    id: str
    name: str
    partition: str
    roles: tuple[OperatorRole, ...]
    approval_keys: tuple[ApprovalKey, ...]


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
class Policy:
    """``thresholds`` are the lowest allowed; ``request_hours`` is the longest life of a request.

    Without ``backup`` no key of the class ``wrapped-backup`` signs.
    """

    version: int
    authority: Authority
    environment: Environment
    request_hours: int
    operators: tuple[Operator, ...]
    actions: dict[str, Quorum]
    expiry: dict[str, Days]
    thresholds: dict[str, int]
    backup: BackupPolicy | None = None


POLICY = Record(
    Policy,
    1,
    version=POSITIVE,
    authority=AUTHORITY,
    environment=ENVIRONMENT,
    request_hours=Integer(1, 24 * 90),
    operators=Sequence(
        Record(
            Operator,
            id=NAME,
            name=WORD,
            partition=NAME,
            roles=Sequence(_OPERATOR_ROLE, minimum=1, maximum=3, unique=True),
            approval_keys=Sequence(Record(ApprovalKey, public_key=BASE64, device=WORD), maximum=5, unique=True),
        ),
        minimum=1,
        maximum=1_000,
    ),
    actions=Table(
        Text("|".join((*ACTION.words, INVENTORY_ACTION)), f"{', '.join(ACTION.words)} or {INVENTORY_ACTION}"),
        Record(Quorum, approvals=Integer(1, 100), partitions=Sequence(NAME, minimum=1, maximum=20, unique=True)),
        minimum=1,
    ),
    expiry=Table(_ROLE_KIND, Record(Days, minimum=Integer(1, 3_650), maximum=Integer(1, 3_650)), minimum=1),
    thresholds=Table(_ROLE_KIND, Integer(1, 100), minimum=1),
    backup=Optional(Record(BackupPolicy, restore_proof_days=Integer(1, 3_650))),
)


def read_policy(data: bytes, source: str) -> Policy:
    """Parse, and check that the policy can be met and lets nobody count twice."""
    policy = POLICY.read(parse_toml(data, source), source)
    for operator in policy.operators:
        for key in operator.approval_keys:
            _require_one_form(key, f"operators.{operator.id}.approval_keys", source)
    _require_distinct(policy, source)
    _require_complete(policy, source)
    for action, quorum in policy.actions.items():
        _require_possible(policy, f"actions.{action}", quorum, source)
    for kind, days in policy.expiry.items():
        if days.minimum > days.maximum:
            raise MalformedError(source, f"expiry.{kind}", "minimum may not exceed maximum")
    return policy


def approvers(policy: Policy) -> tuple[Operator, ...]:
    """The operators who may approve."""
    return tuple(operator for operator in policy.operators if "approver" in operator.roles)


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


def _require_one_form(key: ApprovalKey, field: str, source: str) -> None:
    """One public key, one text: otherwise one key in two spellings could stand for two people."""
    try:
        public = load_der_public_key(b64decode(key.public_key, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError(source, f"{field}.public_key", f"not a public key: {error!s:.200}") from error
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if b64encode(spki).decode() != key.public_key:
        raise MalformedError(source, f"{field}.public_key", "must be the DER SubjectPublicKeyInfo in its usual form")


def _require_distinct(policy: Policy, source: str) -> None:
    ids = [operator.id for operator in policy.operators]
    keys = [key.public_key for operator in policy.operators for key in operator.approval_keys]
    devices = [key.device for operator in policy.operators for key in operator.approval_keys]
    for name, values in (("id", ids), ("approval_keys.public_key", keys), ("approval_keys.device", devices)):
        if len(set(values)) != len(values):
            raise MalformedError(source, f"operators.{name}", "nobody and nothing stands twice")


def _require_possible(policy: Policy, field: str, quorum: Quorum, source: str) -> None:
    able = [operator for operator in approvers(policy) if operator.approval_keys]
    if len(able) < quorum.approvals:
        raise MalformedError(source, f"{field}.approvals", f"{quorum.approvals} asked, {len(able)} approvers have keys")
    for partition in quorum.partitions:
        if partition not in {operator.partition for operator in able}:
            raise MalformedError(source, f"{field}.partitions", f"no approver of partition {partition} has a key")
