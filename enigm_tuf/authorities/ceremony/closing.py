"""The end of a ceremony: every participant signs the closed transcript, and the audit log takes its hash."""

from base64 import b64encode

from enigm_tuf.authorities.ceremony.anchoring import anchor_closing, deviations, outcome_of, reason_of
from enigm_tuf.authorities.ceremony.people import everybody
from enigm_tuf.authorities.ceremony.running import Stage
from enigm_tuf.authorities.ceremony.showing import printable
from enigm_tuf.authorities.confirming import digest_lines, require_words
from enigm_tuf.authorities.vouching import Signatory, vouch
from enigm_tuf.model.approval import Approver
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.transcript import CeremonyStatement, TranscriptEntry, TranscriptType, write_entry
from enigm_tuf.trust.signable import ceremony_seen


def close(stage: Stage) -> None:
    """Signatures that are missing, then the log. RefusedError CONFIRM-WORDS, APPROVER-KEY; those of the tokens.

    What raises can be run again: nobody signs twice.
    """
    people = everybody(stage.progress.people)
    for person in people:
        if person not in stage.progress.signers:
            _sign(stage, person)
    anchor_closing(stage.room, stage.transcript.entries)


def stated(entries: list[TranscriptEntry], participant: Approver) -> CeremonyStatement:
    """What this participant says by signing."""
    closed = next(entry for entry in entries if entry.type == TranscriptType.CLOSED)
    opened = entries[0].body
    return CeremonyStatement(
        ceremony=opened["ceremony"],
        entries=closed.sequence,
        sha256=sha256(write_entry(closed)),
        script_sha256=opened["script_sha256"],
        outcome=outcome_of(entries),
        rehearsal=opened["rehearsal"],
        participant=participant,
    )


def _sign(stage: Stage, person: str) -> None:
    room, place, entries = stage.room, stage.room.places[person], stage.transcript.entries
    reason, count = reason_of(entries), len(deviations(entries))
    told = f"{outcome_of(entries)}, {count} deviations" + (f": {printable(reason)}" if reason else "")

    def confirm(digest: str) -> None:
        room.say("\n".join([f"\n{person} signs the transcript: {told}", *digest_lines(digest)]))
        require_words(digest, f"the transcript, for {person}", room.ask)

    signatory = Signatory(person, room.open_token(place.uri), place.label, room.secret, confirm)
    digest = stated(entries, Approver(person, "", "", "")).sha256
    envelope = vouch(
        signatory,
        room.operators[person],
        room.home.environment,
        digest,
        lambda participant: ceremony_seen(stated(entries, participant)),
    )
    stage.write(TranscriptType.SIGNED, {"operator": person, "envelope": b64encode(envelope).decode()})
