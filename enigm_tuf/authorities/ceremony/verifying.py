"""``ceremony verify``: a transcript against its script, its policy and the audit log.

1. the chain of its lines; 2. it is of this script, a ceremony and no rehearsal; 3. the people; 4. the order of steps;
5. every participant's signature over its closing; 6. both entries in the audit log.
"""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.authorities.ceremony.anchoring import closing, opening
from enigm_tuf.authorities.ceremony.closing import stated
from enigm_tuf.authorities.ceremony.people import everybody, require_people
from enigm_tuf.authorities.ceremony.progress import follow
from enigm_tuf.authorities.ceremony.rules import TranscriptRule
from enigm_tuf.authorities.ceremony.transcript import read_transcript
from enigm_tuf.errors import MalformedError, refuse
from enigm_tuf.model.approval import Approver
from enigm_tuf.model.ceremony import Script
from enigm_tuf.model.keys import record_key
from enigm_tuf.model.operators import Operator
from enigm_tuf.model.statement import pre_authentication_encoding, read_envelope
from enigm_tuf.model.transcript import TranscriptEntry, TranscriptType, read_ceremony_statement
from enigm_tuf.trust.threshold import signers


@dataclass(frozen=True, slots=True)
class Expected:
    """What a transcript is held against. ``operators`` are those of the registry in force when it was played."""

    script: Script
    script_sha256: str
    operators: Mapping[str, Operator]
    audit: tuple[AuditEntry, ...]
    rehearsal: bool


def verify_transcript(path: Path, expected: Expected) -> list[TranscriptEntry]:
    """All entries; RefusedError TRANSCRIPT-*, CEREMONY-PEOPLE."""
    entries, _ = read_transcript(path)
    subject = str(path)
    _require_script(entries[0], expected, subject)
    require_people(expected.script, entries[0].body["people"], expected.operators)
    progress = follow(expected.script, entries)
    if progress.outcome is None:
        refuse(
            TranscriptRule.TRANSCRIPT_ORDER, subject, "a closed ceremony", f"{progress.index} steps done, and no end"
        )
    _require_signatures(entries, expected, subject)
    _require_anchored(entries, expected.audit, subject)
    return entries


def _require_script(first: TranscriptEntry, expected: Expected, subject: str) -> None:
    script = expected.script
    if first.type != TranscriptType.OPENED:
        refuse(TranscriptRule.TRANSCRIPT_ORDER, subject, "an opening", first.type)
    about = {
        "script_sha256": expected.script_sha256,
        "type": script.type,
        "authority": script.authority,
        "environment": script.environment,
        "policy": script.policy,
    }
    for name, value in about.items():
        if first.body[name] != value:
            refuse(TranscriptRule.TRANSCRIPT_SCRIPT, f"{subject}, {name}", f"{value}", f"{first.body[name]}")
    if first.body["rehearsal"] != expected.rehearsal:
        wanted, got = ("a rehearsal", "a ceremony") if expected.rehearsal else ("a ceremony", "a rehearsal")
        refuse(TranscriptRule.TRANSCRIPT_REAL, subject, wanted, got)


def _require_signatures(entries: list[TranscriptEntry], expected: Expected, subject: str) -> None:
    found = {entry.body["operator"]: entry.body["envelope"] for entry in entries if entry.type == TranscriptType.SIGNED}
    for person in everybody(entries[0].body["people"]):
        if person not in found:
            refuse(TranscriptRule.TRANSCRIPT_SIGNED, subject, f"a signature of {person}", "none")
        try:
            _require_signature(entries, expected.operators[person], b64decode(found[person], validate=True))
        except (MalformedError, ValueError) as error:
            refuse(TranscriptRule.TRANSCRIPT_SIGNED, f"{subject}, {person}", "a signature of theirs", str(error))


def _require_signature(entries: list[TranscriptEntry], operator: Operator, envelope: bytes) -> None:
    source = f"signature of {operator.id}"
    opened = read_envelope(envelope, source)
    enrolled = {item.record.spki_sha256: item for item in operator.approval_keys}
    if opened.keyid not in enrolled:
        raise MalformedError(source, "signatures[0].keyid", "no approval key of theirs in the registry")
    own = enrolled[opened.keyid]
    key = record_key(own.record)
    message = pre_authentication_encoding(opened.payload)
    if not signers({key.keyid: key}, [key.keyid], {key.keyid: opened.signature.hex()}, message):
        raise MalformedError(source, "signatures[0].sig", "does not verify")
    said = read_ceremony_statement(opened.payload, source)
    if said != stated(entries, Approver(operator.id, opened.keyid, operator.partition, own.device)):
        raise MalformedError(source, "payload", "is about another transcript, or of another person")


def _require_anchored(entries: list[TranscriptEntry], audit: Iterable[AuditEntry], subject: str) -> None:
    """The opening, and after it the closing with the hash of the last line."""
    wanted = [(EntryType.CEREMONY_OPENED, opening(entries)), (EntryType.CEREMONY_CLOSED, closing(entries))]
    for entry in audit:
        if wanted and (entry.type, entry.body) == wanted[0]:
            wanted.pop(0)
    if wanted:
        kind, body = wanted[0]
        refuse(
            TranscriptRule.TRANSCRIPT_ANCHORED,
            subject,
            f"{kind} with {body['transcript_sha256']}",
            "none in the audit log",
        )
