"""That an entry stands in a log, in one file (C2SP tlog-proof): index, path, checkpoint, and as ``extra`` the entry."""

import base64
import binascii
import re
from dataclasses import dataclass

from enigm_tuf.audit.checkpoints import SignedCheckpoint, verified_checkpoint
from enigm_tuf.audit.notes import NOTE_BYTES, NoteKey
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.audit.tree import HASH_BYTES, leaf_hash, proves_inclusion
from enigm_tuf.errors import MalformedError, RefusedError

PROOF_BYTES = 2 * NOTE_BYTES
_HEAD = "c2sp.org/tlog-proof@v1"
_LINE = r"[A-Za-z0-9+/]+={0,2}\n"
_EXTRA, _INDEX, _PATH = f"(?P<extra>{_LINE})", "(?P<index>0|[1-9][0-9]{0,14})", f"(?P<path>(?:{_LINE}){{0,63}})"
_FORM = re.compile(rf"{re.escape(_HEAD)}\nextra {_EXTRA}index {_INDEX}\n{_PATH}\n")


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """``entry`` is entry ``index`` (from 0) of the log whose checkpoint is the note ``checkpoint``."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def data(self) -> bytes:
        """The file."""
        lines = [_HEAD, f"extra {_base64(self.entry)}", f"index {self.index}", *map(_base64, self.path), "", ""]
        return "\n".join(lines).encode() + self.checkpoint


@dataclass(frozen=True, slots=True)
class Included:
    """Made by ``verified_entry`` alone: this entry stands in the log, at this place."""

    entry: bytes
    index: int
    signed: SignedCheckpoint


def read_proof(data: bytes, source: str) -> InclusionProof:
    """Parse; nothing is verified."""
    if len(data) > PROOF_BYTES:
        raise MalformedError(source, "", f"at most {PROOF_BYTES:,} bytes, this has {len(data):,}")
    try:
        match = _FORM.match(data.decode())
    except UnicodeDecodeError as error:
        raise MalformedError(source, f"byte {error.start}", "must be UTF-8") from error
    if match is None:
        raise MalformedError(source, "", "must be a C2SP tlog-proof with the entry as extra; is it cut off?")
    path = tuple(_bytes(line, source) for line in match["path"].split("\n")[:-1])
    if any(len(item) != HASH_BYTES for item in path):
        raise MalformedError(source, "path", f"every hash has {HASH_BYTES} bytes")
    entry = _bytes(match["extra"][:-1], source)
    return InclusionProof(entry, int(match["index"]), path, data[len(match[0].encode()) :])


def verified_entry(proof: InclusionProof, key: NoteKey, source: str) -> Included:
    """RefusedError LOG-CHECKPOINT, LOG-INCLUSION unless the log with ``key`` holds the entry there."""
    signed = verified_checkpoint(proof.checkpoint, key, source)
    head = signed.checkpoint
    if not proves_inclusion(proof.index, head.size, leaf_hash(proof.entry), proof.path, head.root):
        raise RefusedError(
            AuditRule.LOG_INCLUSION,
            source,
            expected=f"a path from entry {proof.index} to the root of {head}",
            got="one that leads elsewhere",
        )
    return Included(proof.entry, proof.index, signed)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str, source: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError(source, "", "must be base64") from error
    if _base64(data) != text:
        raise MalformedError(source, "", "must be base64 in its one form")
    return data
