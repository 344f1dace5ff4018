"""A waiver: one operator's signed word that one rule may say no to one request, for a reason, for a while.

A DSSE envelope over an in-toto Statement, as an approval is, and it travels among them; by its predicate type it never
counts as one. What may be waived at all stands in ``WAIVABLE_FAMILIES`` and in the policy's ``[waiver]``.
"""

from dataclasses import dataclass

from enigm_tuf.model.approval import RequestStatement, request_statement
from enigm_tuf.model.shapes import WORD, Text
from enigm_tuf.model.strict_json import parse

PREDICATE_TYPE = "https://enigm-tuf.dev/waiver/v1"
WAIVABLE_FAMILIES = ("SOURCE", "GATE", "TIME", "RATE", "CEREMONY")
"""GOVERNANCE, "Policy": KEY, QUORUM, META, TEST and LOG are never waived; nor is what is not listed here."""
WAIVABLE_RULE = Text(
    rf"({'|'.join(WAIVABLE_FAMILIES)})(-[A-Z]+)+", f"a rule of {', '.join(WAIVABLE_FAMILIES)}: no other is waived", 40
)


@dataclass(frozen=True, slots=True)
class Waiver(RequestStatement):
    """Which rule."""

    rule: str


WAIVER = request_statement(PREDICATE_TYPE, rule=WAIVABLE_RULE, reason=WORD)


def write_waiver(waiver: Waiver) -> bytes:
    """The bytes under the signature, before DSSE's pre-authentication encoding."""
    return WAIVER.write(waiver.subjects, waiver)


def read_waiver(data: bytes, source: str) -> Waiver:
    """Parse a statement; an approval, and a waiver of a rule that nobody may waive, are refused."""
    subjects, predicate = WAIVER.read(data, source)
    return Waiver(subjects=subjects, **predicate)


def is_waiver(data: bytes, source: str) -> bool:
    """Whether a statement says of itself that it is one; nothing else of it is looked at."""
    return parse(data, source=source).get("predicateType") == PREDICATE_TYPE
