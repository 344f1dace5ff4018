"""Checkpoints (C2SP tlog-checkpoint): what a log says of all its entries at once, and who has witnessed it."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.audit.notes import Note, NoteKey, NoteSigner, read_note, signed_at
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.audit.tree import HASH_BYTES, proves_consistency
from enigm_tuf.errors import MalformedError, RefusedError

_SIZE_DIGITS = 15  # well within what JSON readers hold exactly


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first ``size`` entries of the log ``origin`` have the tree hash ``root``."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def __str__(self) -> str:
        return f"{self.size} entries with root {self.root.hex()}"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """Made by ``verified_checkpoint`` and ``sign_checkpoint`` alone: the log's own signature is under ``note``."""

    checkpoint: Checkpoint
    note: Note


@dataclass(frozen=True, slots=True)
class Witnessed:
    """That a witness saw a checkpoint, at a time of its own."""

    witness: str
    time: datetime


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> SignedCheckpoint:
    """The log says so. The caller has made sure that it says nothing else of so many entries."""
    return SignedCheckpoint(checkpoint, Note(checkpoint.text, (signer.sign(checkpoint.text),)))


def verified_checkpoint(data: bytes, key: NoteKey, source: str) -> SignedCheckpoint:
    """RefusedError LOG-CHECKPOINT unless the log with ``key`` signed it, under the origin that is the key's name."""
    note = read_note(data, source)
    checkpoint = read_checkpoint_text(note.text, source)
    if checkpoint.origin != key.name:
        raise RefusedError(AuditRule.LOG_CHECKPOINT, source, expected=f"origin {key.name}", got=checkpoint.origin)
    if signed_at(note, key, source) is None:
        names = ", ".join(signature.name for signature in note.signatures)
        expected = f"a signature with the log's key {key.text}"
        raise RefusedError(AuditRule.LOG_CHECKPOINT, source, expected=expected, got=f"signatures of {names}")
    return SignedCheckpoint(checkpoint, note)


def read_checkpoint_text(text: str, source: str) -> Checkpoint:
    """Three lines and no extension: what nobody can audit is not signed here."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedError(source, "", "a checkpoint is three lines: origin, size, root hash")
    origin, size, root = lines[:3]
    if not origin or not size.isascii() or not size.isdigit() or len(size) > _SIZE_DIGITS or str(int(size)) != size:
        raise MalformedError(source, "", "a checkpoint has an origin, and a size in decimal")
    try:
        checkpoint = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    except (binascii.Error, ValueError) as error:
        raise MalformedError(source, "root hash", "must be base64") from error
    if checkpoint.text != text or len(checkpoint.root) != HASH_BYTES:
        raise MalformedError(source, "root hash", f"must be {HASH_BYTES} bytes in the one form of base64")
    return checkpoint


def require_consistent(old: Checkpoint, new: Checkpoint, proof: Sequence[bytes], source: str) -> None:
    """RefusedError LOG-CONSISTENT unless ``new`` begins with all entries of ``old``: nothing cut, moved or changed."""
    same = old.origin == new.origin and old.size <= new.size
    if not same or not proves_consistency(old.size, new.size, proof, old.root, new.root):
        raise RefusedError(
            AuditRule.LOG_CONSISTENT,
            source,
            expected=f"a log {new.origin} that begins with {old}"
            if same
            else f"{old.origin}, at least {old.size} long",
            got=f"{new.origin}, {new}",
            hint="one of the two was cut, changed or forked: keep both as evidence",
        )


def witnesses_of(signed: SignedCheckpoint, keys: Sequence[NoteKey], source: str) -> tuple[Witnessed, ...]:
    """Which of these keys have cosigned; one public key counts once, whatever its names."""
    found: dict[bytes, Witnessed] = {}
    for key in keys:
        time = signed_at(signed.note, key, source)
        if time is not None:
            found.setdefault(key.public, Witnessed(key.name, time))
    return tuple(found.values())


def require_witnesses(signed: SignedCheckpoint, keys: Sequence[NoteKey], threshold: int, source: str) -> None:
    """RefusedError LOG-WITNESS unless ``threshold`` of ``keys`` have cosigned."""
    found = witnesses_of(signed, keys, source)
    if len(found) < threshold:
        names = ", ".join(item.witness for item in found) or "none"
        raise RefusedError(
            AuditRule.LOG_WITNESS,
            f"{source}: {signed.checkpoint}",
            expected=f"cosignatures of {threshold} of {', '.join(key.name for key in keys) or 'nobody'}",
            got=names,
            hint="the other authority runs: enigm-sign audit witness",
        )
