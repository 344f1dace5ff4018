"""A waiver: one operator's signed word that one rule may say no to one request, for a reason, for a while.

A DSSE envelope over an in-toto Statement, as an approval is, and it travels among them; by its predicate type it never
counts as one. What may be waived at all stands in ``WAIVABLE_FAMILIES`` and in the policy's ``[waiver]``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enigm_tuf.model.approval import STATEMENT_TYPE, SUBJECT, Approver, Subject, read_subjects, write_subjects
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.request import ACTION, AUTHORITY, Action, Authority
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.shapes import BUILD_ID, NAME, POSITIVE, SHA256, WORD, Choice, Record, Sequence, Text, Time
from enigm_tuf.model.strict_json import encode, parse

PREDICATE_TYPE = "https://enigm-tuf.dev/waiver/v1"
WAIVABLE_FAMILIES = ("SOURCE", "GATE", "TIME", "RATE", "CEREMONY")
"""GOVERNANCE, "Policy": KEY, QUORUM, META, TEST and LOG are never waived; nor is what is not listed here."""
WAIVABLE_RULE = Text(
    rf"({'|'.join(WAIVABLE_FAMILIES)})(-[A-Z]+)+", f"a rule of {', '.join(WAIVABLE_FAMILIES)}: no other is waived", 40
)


@dataclass(frozen=True, slots=True)
class Waiver:
    """The predicate, with the subjects beside it: those of an approval of the same request."""

    subjects: tuple[Subject, ...]
    request_id: str
    sequence: int
    environment: Environment
    authority: Authority
    action: Action
    rule: str
    reason: str
    approver: Approver
    policy: PolicyPin
    created: datetime
    expires: datetime


_PREDICATE: Record[dict[str, Any]] = Record(
    dict,
    request_id=BUILD_ID,
    sequence=POSITIVE,
    environment=ENVIRONMENT,
    authority=AUTHORITY,
    action=ACTION,
    rule=WAIVABLE_RULE,
    reason=WORD,
    approver=Record(Approver, operator=NAME, key=SHA256, partition=NAME, device=WORD),
    policy=Record(PolicyPin, version=POSITIVE, sha256=SHA256),
    created=Time(),
    expires=Time(),
)
STATEMENT: Record[dict[str, Any]] = Record(
    dict,
    _type=Choice((STATEMENT_TYPE,)),
    subject=Sequence(SUBJECT, minimum=1, maximum=1_000),
    predicateType=Choice((PREDICATE_TYPE,)),
    predicate=_PREDICATE,
)


def write_waiver(waiver: Waiver) -> bytes:
    """The bytes under the signature, before DSSE's pre-authentication encoding."""
    predicate = {name: getattr(waiver, name) for name in _PREDICATE.fields}
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": write_subjects(waiver.subjects),
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }
    return encode(STATEMENT.write(statement))


def read_waiver(data: bytes, source: str) -> Waiver:
    """Parse a statement; an approval, and a waiver of a rule that nobody may waive, are refused."""
    statement = STATEMENT.read(parse(data, source=source), source)
    return Waiver(subjects=read_subjects(statement), **statement["predicate"])


def is_waiver(data: bytes, source: str) -> bool:
    """Whether a statement says of itself that it is one; nothing else of it is looked at."""
    return parse(data, source=source).get("predicateType") == PREDICATE_TYPE
