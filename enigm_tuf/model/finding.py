"""What people found out about a signing intent without a result: a document that they vote for.

It names one intent in one log, and the log as it was when they looked: a finding serves for nothing else.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.request import AUTHORITY, ROLE, Authority
from enigm_tuf.model.shapes import BUILD_ID, LINE, POSITIVE, SHA256, Choice, Record
from enigm_tuf.model.strict_json import JsonObject, encode, parse

FindingOutcome: TypeAlias = Literal["made", "not-made", "unknown"]
OUTCOMES = ("made", "not-made", "unknown")
REASON_CHARACTERS = 2_000

INTENT_FIELDS: dict[str, Any] = {
    "request_sha256": SHA256,
    "request_id": BUILD_ID,
    "sequence": POSITIVE,
    "role": ROLE,
    "version": POSITIVE,
    "sha256": SHA256,
    "key": SHA256,
}
"""What a finding and ``sign.recovered`` repeat of a ``sign.intent``: the request, the payload, the key."""


@dataclass(frozen=True, slots=True)
class LogState:
    """The log ``origin`` when people looked: so many entries under this tree hash (hex)."""

    origin: str
    entries: int
    root: str


@dataclass(frozen=True, slots=True)
class Finding:
    """``outcome``: whether a signature left the token; ``reason``: how people know, or why nobody can.

    ``intent`` has the INTENT_FIELDS, ``entry`` (its number in the log), ``leaf`` (its leaf hash there, RFC 6962, in
    hex), and of the session's own entry ``custodian`` and ``serial``: who kept the key, on which token.
    """

    authority: Authority
    environment: Environment
    log: LogState
    intent: JsonObject
    outcome: FindingOutcome
    reason: str


OUTCOME = Choice(OUTCOMES)
FINDING = Record(
    Finding,
    1,
    authority=AUTHORITY,
    environment=ENVIRONMENT,
    log=Record(LogState, origin=LINE, entries=POSITIVE, root=SHA256),
    intent=Record(dict, entry=POSITIVE, leaf=SHA256, custodian=LINE, serial=LINE, **INTENT_FIELDS),
    outcome=OUTCOME,
    reason=LINE,
)


def write_finding(finding: Finding) -> bytes:
    """The one encoding, whose SHA-256 is voted for."""
    return encode(FINDING.write(finding))


def read_finding(data: bytes, source: str) -> Finding:
    """Parse; nothing is compared with a log."""
    return FINDING.read(parse(data, source=source, max_bytes=LIMITS.document_bytes), source)
