"""The two entries of a ceremony in the audit log of its authority: one when it opens, one when all have signed.

A ceremony whose transcript was thrown away stands in the log as opened and never closed.
"""

from collections.abc import Iterable

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.ceremony.people import everybody
from enigm_tuf.authorities.ceremony.room import Room
from enigm_tuf.model.strict_json import JsonObject, sha256
from enigm_tuf.model.transcript import TranscriptEntry, TranscriptType, write_entry


def opening(entries: list[TranscriptEntry]) -> JsonObject:
    """The body of ``ceremony.opened``."""
    return _about(entries, sha256(write_entry(entries[0])))


def closing(entries: list[TranscriptEntry]) -> JsonObject:
    """The body of ``ceremony.closed``, for a transcript that all have signed."""
    return _about(entries, sha256(write_entry(entries[-1]))) | {
        "outcome": outcome_of(entries),
        "reason": reason_of(entries),
        "entries": len(entries),
        "deviations": len(deviations(entries)),
        "people": everybody(entries[0].body["people"]),
    }


def outcome_of(entries: Iterable[TranscriptEntry]) -> str:
    """How a ceremony ended that has an end."""
    outcome: str = next(entry.body["outcome"] for entry in entries if entry.type == TranscriptType.CLOSED)
    return outcome


def reason_of(entries: Iterable[TranscriptEntry]) -> str | None:
    """Why it was aborted: what people said, or the failure after which its script ends it. None if it was not."""
    for entry in entries:
        if entry.type == TranscriptType.ABORTED:
            return str(entry.body["reason"])
        if entry.type == TranscriptType.FAILED and entry.body["next"] == "abort":
            return str(entry.body["error"])
    return None


def deviations(entries: Iterable[TranscriptEntry]) -> list[TranscriptEntry]:
    """What went otherwise than the script says: failures, objections, power cuts, an end before its time."""
    kinds = (TranscriptType.DEVIATION, TranscriptType.FAILED, TranscriptType.RESUMED, TranscriptType.ABORTED)
    return [entry for entry in entries if entry.type in kinds]


def anchor_opening(room: Room, entries: list[TranscriptEntry]) -> None:
    """Log that the ceremony opened, unless that is logged."""
    _append_once(room, EntryType.CEREMONY_OPENED, opening(entries))


def anchor_closing(room: Room, entries: list[TranscriptEntry]) -> None:
    """Log how the ceremony ended, unless that is logged."""
    _append_once(room, EntryType.CEREMONY_CLOSED, closing(entries))


def unclosed(entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """The openings of ceremonies that never ended, in a verified log."""
    opened: dict[str, AuditEntry] = {}
    for entry in entries:
        if entry.type == EntryType.CEREMONY_OPENED:
            opened[entry.body["ceremony"]] = entry
        elif entry.type == EntryType.CEREMONY_CLOSED:
            opened.pop(entry.body["ceremony"], None)
    return list(opened.values())


def logged_entries(room: Room) -> int:
    """How many entries the audit log has now."""
    with open_log(room.home.log, room.clock) as log:
        return log.head().entries


def _about(entries: list[TranscriptEntry], head: str) -> JsonObject:
    opened = entries[0].body
    named = {name: opened[name] for name in ("ceremony", "type", "script_sha256", "rehearsal")}
    return named | {"transcript_sha256": head}


def _append_once(room: Room, kind: EntryType, body: JsonObject) -> None:
    with open_log(room.home.log, room.clock) as log:
        if not any(entry.type == kind and entry.body == body for entry in log.entries()):
            log.append(kind, body)
