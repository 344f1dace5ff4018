"""One authority witnesses the log of the other, offline: a file goes over, a cosigned checkpoint comes back.

The file is the request of C2SP tlog-witness: from which size on, the consistency proof, the new checkpoint. What a
witness has seen of a log stands in its own audit log and nowhere else.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from enigm_tuf.audit.checkpoints import Checkpoint
from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.audit.notes import NOTE_BYTES
from enigm_tuf.audit.tree import EMPTY_ROOT, HASH_BYTES
from enigm_tuf.errors import MalformedError

_FORM = re.compile(rb"old (0|[1-9][0-9]{0,14})\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n")


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """That the log of ``old`` entries, which the witness knows, begins the one of the note ``checkpoint``."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def data(self) -> bytes:
        """The file."""
        lines = [f"old {self.old}", *(base64.b64encode(step).decode() for step in self.proof), "", ""]
        return "\n".join(lines).encode() + self.checkpoint


def read_add_checkpoint(data: bytes, source: str) -> AddCheckpoint:
    """Parse; nothing is verified."""
    match = _FORM.match(data) if len(data) <= 2 * NOTE_BYTES else None
    if match is None:
        raise MalformedError(source, "", "must be a C2SP add-checkpoint request, from enigm-sign audit checkpoint")
    try:
        proof = tuple(base64.b64decode(line, validate=True) for line in match[2].split(b"\n")[:-1])
    except binascii.Error as error:
        raise MalformedError(source, "proof", "must be base64") from error
    if any(len(step) != HASH_BYTES for step in proof):
        raise MalformedError(source, "proof", f"every hash has {HASH_BYTES} bytes")
    return AddCheckpoint(int(match[1]), proof, data[match.end() :])


def last_witnessed(entries: Iterable[AuditEntry], origin: str) -> Checkpoint:
    """The newest checkpoint of that log that this authority has witnessed; the empty log if none."""
    found = Checkpoint(origin, 0, EMPTY_ROOT)
    for entry in entries:
        if entry.type == EntryType.CHECKPOINT_WITNESSED and entry.body["origin"] == origin:
            found = Checkpoint(origin, entry.body["entries"], bytes.fromhex(entry.body["root"]))
    return found


def witnessed_body(checkpoint: Checkpoint) -> dict[str, object]:
    """The body of ``checkpoint.witnessed``."""
    return {"origin": checkpoint.origin, "entries": checkpoint.size, "root": checkpoint.root.hex()}
