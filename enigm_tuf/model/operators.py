"""The registry of an authority's operators (GOVERNANCE, "Operators"): who there is, what they may do, with which keys.

Its version 1 is named by the policy, each later one by the audit log. The file that people write is TOML, and names key
records by their file; the document holds the records themselves, so that it stands alone.
"""

from datetime import datetime
from typing import Any, Literal, TypeAlias

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import ENVIRONMENT, KEY_RECORD, Environment, KeyRecord, record_key, require_own_digests
from enigm_tuf.model.policy import Policy, Quorum, WaiverPolicy, voter_roles
from enigm_tuf.model.public_keys import spki_of
from enigm_tuf.model.request import AUTHORITY, Authority
from enigm_tuf.model.shapes import NAME, POSITIVE, SHA256, WORD, Choice, Optional, Record, Sequence, Shape, Time
from enigm_tuf.model.strict_json import encode, parse, sha256
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf.model.value import Value

OperatorRole: TypeAlias = Literal["requester", "approver", "custodian", "witness", "auditor", "policy-approver"]
OperatorStatus: TypeAlias = Literal["active", "suspended", "left"]
_ROLES = ("requester", "approver", "custodian", "witness", "auditor", "policy-approver")
_STATUS = Choice(("active", "suspended", "left"))


class ApprovalKey(Value):
    """An enrolled key, and when it may be used: from ``valid_from`` to before ``valid_until``."""

    record: KeyRecord
    valid_from: datetime
    valid_until: datetime

    @property
    def device(self) -> str:
        """The serial of the token that the key lies on."""
        return self.record.token.serial

    @property
    def spki(self) -> bytes:
        """Its DER SubjectPublicKeyInfo, whose SHA-256 the record states."""
        return spki_of(record_key(self.record))

    @property
    def attestation_sha256(self) -> str:
        """Of the attestation's certificates; of no bytes where the token attests nothing."""
        return sha256("\n".join(self.record.attestation).encode())

    def valid_at(self, now: datetime) -> bool:
        return self.valid_from <= now < self.valid_until


class Operator(Value):
    """A person. ``approval_keys`` is empty for those who sign nothing."""

    id: str
    name: str
    partition: str
    roles: tuple[OperatorRole, ...]
    status: OperatorStatus
    approval_keys: tuple[ApprovalKey, ...]

    @property
    def active(self) -> bool:
        return self.status == "active"


class OperatorRegistry(Value):
    """``previous`` and ``first`` are the SHA-256 of the version before and of version 1; None in version 1."""

    version: int
    authority: Authority
    environment: Environment
    previous: str | None
    first: str | None
    operators: tuple[Operator, ...]

    def able(self, *roles: str) -> tuple[Operator, ...]:
        """The active operators with one of these roles."""
        return tuple(person for person in self.operators if person.active and set(roles) & set(person.roles))

    def holder(self, key: str) -> tuple[Operator, ApprovalKey] | None:
        """Whose key it is, by its SPKI digest, whatever their status."""
        for person in self.operators:
            for item in person.approval_keys:
                if item.record.spki_sha256 == key:
                    return person, item
        return None


class ListedKey(Value):
    """A key in the file that people write: the key record's file."""

    record: str
    valid_from: datetime
    valid_until: datetime


class ListedOperator(Value):
    """A person in that file."""

    id: str
    name: str
    partition: str
    roles: tuple[OperatorRole, ...]
    status: OperatorStatus
    approval_keys: tuple[ListedKey, ...]


class OperatorList(Value):
    """The file that people write."""

    authority: Authority
    environment: Environment
    operators: tuple[ListedOperator, ...]


_PERSON: dict[str, Shape[Any]] = {
    "id": NAME,
    "name": WORD,
    "partition": NAME,
    "roles": Sequence(Choice(_ROLES), minimum=1, maximum=len(_ROLES), unique=True),
    "status": _STATUS,
}
OPERATORS = Record(
    OperatorRegistry,
    1,
    version=POSITIVE,
    authority=AUTHORITY,
    environment=ENVIRONMENT,
    previous=Optional(SHA256),
    first=Optional(SHA256),
    operators=Sequence(
        Record(
            Operator,
            **_PERSON,
            approval_keys=Sequence(
                Record(ApprovalKey, record=KEY_RECORD, valid_from=Time(), valid_until=Time()), maximum=5
            ),
        ),
        minimum=1,
        maximum=1_000,
    ),
)
OPERATOR_LIST = Record(
    OperatorList,
    1,
    authority=AUTHORITY,
    environment=ENVIRONMENT,
    operators=Sequence(
        Record(
            ListedOperator,
            **_PERSON,
            approval_keys=Sequence(
                Record(ListedKey, record=WORD, valid_from=Time(), valid_until=Time()), maximum=5, unique=True
            ),
        ),
        minimum=1,
        maximum=1_000,
    ),
)


def write_operators(registry: OperatorRegistry) -> bytes:
    """The file's bytes, whose SHA-256 names this version."""
    return encode(OPERATORS.write(registry))


def read_operators(data: bytes, source: str) -> OperatorRegistry:
    """Parse; MalformedError if nobody could tell two people apart, or a key is not what its record says."""
    registry = OPERATORS.read(parse(data, source=source, max_bytes=LIMITS.inventory_bytes), source)
    for field in ("previous", "first"):
        if (getattr(registry, field) is None) != (registry.version == 1):
            raise MalformedError(source, field, "the first version has none, every other has one")
    for person in registry.operators:
        for number, item in enumerate(person.approval_keys):
            _require_key(registry, item, f"operators.{person.id}.approval_keys[{number}]", source)
    _require_distinct(registry, source)
    return registry


def read_operator_list(data: bytes, source: str) -> OperatorList:
    """The file that people write."""
    return OPERATOR_LIST.read(parse_toml(data, source), source)


def require_able(policy: Policy, registry: OperatorRegistry, source: str) -> None:
    """MalformedError unless every quorum of the policy can be met by people who are there and have keys."""
    quorums: list[tuple[str, Quorum | WaiverPolicy, tuple[str, ...]]] = [
        (f"actions.{action}", quorum, voter_roles(action)) for action, quorum in policy.actions.items()
    ]
    quorums += [("waiver", policy.waiver, ("policy-approver",))] if policy.waiver else []
    for field, quorum, roles in quorums:
        able = [person for person in registry.able(*roles) if person.approval_keys]
        role = " or ".join(roles)
        if len(able) < quorum.approvals:
            told = f"{quorum.approvals} asked, {len(able)} active {role}s have keys"
            raise MalformedError(source, f"{field}.approvals", told)
        for partition in quorum.partitions:
            if partition not in {person.partition for person in able}:
                raise MalformedError(source, f"{field}.partitions", f"no {role} of partition {partition} has a key")


def _require_key(registry: OperatorRegistry, item: ApprovalKey, field: str, source: str) -> None:
    require_own_digests(item.record, f"{source}: {field}.record")
    if item.record.purpose != "approval":
        raise MalformedError(source, f"{field}.record.purpose", f"must be approval, is {item.record.purpose}")
    if item.record.environment != registry.environment:
        raise MalformedError(source, f"{field}.record.environment", f"must be {registry.environment}")
    if item.valid_from >= item.valid_until:
        raise MalformedError(source, f"{field}.valid_until", "must lie after valid_from")


def _require_distinct(registry: OperatorRegistry, source: str) -> None:
    keys = [item for person in registry.operators for item in person.approval_keys]
    for name, values in (
        ("id", [person.id for person in registry.operators]),
        ("approval_keys.spki_sha256", [item.record.spki_sha256 for item in keys]),
        ("approval_keys.device", [item.device for item in keys]),
    ):
        if len(set(values)) != len(values):
            raise MalformedError(source, f"operators.{name}", "nobody and nothing stands twice")
