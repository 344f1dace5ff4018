"""An operator's approval: a DSSE envelope with one signature over an in-toto Statement v1 (GOVERNANCE, "Approvals").

Subjects: the request's index digest and every payload to be signed. The approval binds what was displayed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.request import ACTION, AUTHORITY, Action, Authority, SigningRequest
from enigm_tuf.model.root_extension import POLICY_PIN, PolicyPin
from enigm_tuf.model.shapes import BUILD_ID, LINE, NAME, POSITIVE, SHA256, WORD, Choice, Record, Shape, Time
from enigm_tuf.model.statement import Statement, Subject
from enigm_tuf.model.strict_json import sha256

Decision: TypeAlias = Literal["APPROVE", "REJECT"]


@dataclass(frozen=True, slots=True)
class Approver:
    """Who: operator id, SPKI digest of the approval key, partition, serial of the device that holds the key."""

    operator: str
    key: str
    partition: str
    device: str


APPROVER = Record(Approver, operator=NAME, key=SHA256, partition=NAME, device=WORD)
_INDEX: dict[str, Shape[Any]] = {
    "request_id": BUILD_ID,
    "sequence": POSITIVE,
    "environment": ENVIRONMENT,
    "authority": AUTHORITY,
    "action": ACTION,
}


@dataclass(frozen=True, slots=True)
class RequestStatement:
    """What an operator says of a request, whatever it is that they say: the predicate, with the subjects beside it."""

    subjects: tuple[Subject, ...]
    request_id: str
    sequence: int
    environment: Environment
    authority: Authority
    action: Action
    policy: PolicyPin
    reason: str
    approver: Approver
    created: datetime
    expires: datetime

    def is_about(self, request: SigningRequest, policy: PolicyPin) -> bool:
        """It binds what was displayed: the same index, payloads, numbers, names and policy."""
        return all(getattr(self, name) == value for name, value in bound_to(request, policy).items())

    def valid_at(self, now: datetime) -> bool:
        """From ``created`` to before ``expires``."""
        return self.created <= now < self.expires


@dataclass(frozen=True, slots=True)
class Approval(RequestStatement):
    """Yes or no."""

    decision: Decision


def request_statement(predicate_type: str, **own: Shape[Any]) -> Statement:
    """The kind that has ``own`` fields beside those of every RequestStatement."""
    times = {"created": Time(), "expires": Time()}
    predicate: Record[dict[str, Any]] = Record(dict, **_INDEX, policy=POLICY_PIN, approver=APPROVER, **times, **own)
    return Statement(predicate_type, predicate)


APPROVAL = request_statement("https://enigm-tuf.dev/approval/v1", decision=Choice(("APPROVE", "REJECT")), reason=LINE)


def subjects_of(request: SigningRequest) -> tuple[Subject, ...]:
    """What an approval of ``request`` must name: its index, and every payload to be signed."""
    payloads = (Subject(name, sha256(data)) for name, data in sorted(request.below("payloads").items()))
    return (Subject("index.json", request.digest), *payloads)


def bound_to(request: SigningRequest, policy: PolicyPin) -> dict[str, Any]:
    """The fields of a RequestStatement that bind it to ``request`` under ``policy``."""
    named = {name: getattr(request.index, name) for name in _INDEX}
    return {"subjects": subjects_of(request), "policy": policy} | named


def write_approval(approval: Approval) -> bytes:
    """The bytes under the signature, before DSSE's pre-authentication encoding."""
    return APPROVAL.write(approval.subjects, approval)


def read_approval(data: bytes, source: str) -> Approval:
    """Parse a statement; unknown fields and other predicate types are refused."""
    subjects, predicate = APPROVAL.read(data, source)
    return Approval(subjects=subjects, **predicate)
