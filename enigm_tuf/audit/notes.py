"""Signed notes (C2SP signed-note) and the two kinds of signatures that ours carry, both Ed25519.

Type 1 is a log's signature over its checkpoint; type 4 a witness' cosignature (C2SP tlog-cosignature), which says at
which second the witness saw it. A key is written as ``name+id+base64(type, public key)``.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from enigm_tuf.errors import MalformedError

NOTE_BYTES = 65_536  # a checkpoint with its signatures; C2SP asks for room for 16
Kind: TypeAlias = Literal[1, 4]
LOG_KEY: Kind = 1
WITNESS_KEY: Kind = 4
_SIGNATURES = 32
_KEY_BYTES = 32
_ID_BYTES = 4
_SIGNATURE_BYTES = {LOG_KEY: 64, WITNESS_KEY: 8 + 64}


@dataclass(frozen=True, slots=True)
class NoteKey:
    """Who may sign: ``public`` are the 32 bytes of an Ed25519 key (RFC 8032)."""

    name: str
    kind: Kind
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart; not a secure hash."""
        return sha256(b"%s\n%c%s" % (self.name.encode(), self.kind, self.public)).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """As pinned in root and given to other tools."""
        return f"{self.name}+{self.id.hex()}+{_base64(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line under a note, not verified."""

    name: str
    id: bytes
    data: bytes

    @property
    def line(self) -> str:
        return f"— {self.name} {_base64(self.id + self.data)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """``text`` ends with a line end. Nothing of it may be believed before a signature is verified."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @property
    def data(self) -> bytes:
        return (self.text + "\n" + "".join(signature.line for signature in self.signatures)).encode()


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A private Ed25519 key under a name; ``log`` and ``witness`` are its two public keys."""

    name: str
    private: Ed25519PrivateKey

    @property
    def log(self) -> NoteKey:
        return NoteKey(self.name, LOG_KEY, self.private.public_key().public_bytes_raw())

    @property
    def witness(self) -> NoteKey:
        return NoteKey(self.name, WITNESS_KEY, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> NoteSignature:
        """As the log."""
        return NoteSignature(self.name, self.log.id, self.private.sign(text.encode()))

    def cosign(self, text: str, now: datetime) -> NoteSignature:
        """As a witness of a checkpoint, at this second."""
        seconds = int(now.timestamp())
        signature = self.private.sign(_cosigned(text, seconds))
        return NoteSignature(self.name, self.witness.id, seconds.to_bytes(8, "big") + signature)


_PRIVATE = "PRIVATE+KEY+"


def write_signer(signer: NoteSigner) -> str:
    """The private key as text, in the form that Go's note tools and those of C2SP's witnesses use."""
    key = signer.log
    return f"{_PRIVATE}{key.name}+{key.id.hex()}+{_base64(bytes([LOG_KEY]) + signer.private.private_bytes_raw())}"


def read_signer(text: str, source: str) -> NoteSigner:
    """The private key that ``write_signer`` wrote; no error of this repeats any of it."""
    name, _, rest = text.removeprefix(_PRIVATE).partition("+")
    digest, _, encoded = rest.partition("+")
    data = _bytes(encoded, source, "")
    if not text.startswith(_PRIVATE) or len(data) != 1 + _KEY_BYTES or data[0] != LOG_KEY:
        raise MalformedError(source, "", "must be a private Ed25519 key of a log")
    require_name(name, source, "")
    signer = NoteSigner(name, Ed25519PrivateKey.from_private_bytes(data[1:]))
    if signer.log.id.hex() != digest:
        raise MalformedError(source, "", "the id of this key must be its own")
    return signer


def read_key(text: str, kind: Kind, source: str, field: str = "") -> NoteKey:
    """A key of that kind as text; MalformedError for anything else, also where its id is not its own."""
    name, _, rest = text.partition("+")
    require_name(name, source, field)
    digest, _, encoded = rest.partition("+")
    data = _bytes(encoded, source, field)
    if len(data) != 1 + _KEY_BYTES or data[0] != kind:
        raise MalformedError(source, field, f"must be an Ed25519 key of type {kind} as name+id+base64")
    key = NoteKey(name, kind, data[1:])
    if key.id.hex() != digest:
        raise MalformedError(source, field, f"the id of this key is {key.id.hex()}")
    return key


def read_note(data: bytes, source: str) -> Note:
    """Parse; nothing is verified. MalformedError unless it is a note with 1 to 32 signatures."""
    if len(data) > NOTE_BYTES:
        raise MalformedError(source, "", f"at most {NOTE_BYTES:,} bytes, this has {len(data):,}")
    try:
        note = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(source, f"byte {error.start}", "must be UTF-8") from error
    if any(letter < " " and letter != "\n" for letter in note):
        raise MalformedError(source, "", "no control characters but line ends")
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise MalformedError(source, "", "must be a text, an empty line, and whole signature lines; is it cut off?")
    signatures = tuple(_read_line(line, source) for line in lines[:-1].split("\n"))
    if len(signatures) > _SIGNATURES:
        raise MalformedError(source, "", f"at most {_SIGNATURES} signatures")
    return Note(text + "\n", signatures)


def signed_at(note: Note, key: NoteKey, source: str) -> datetime | None:
    """When ``key`` signed: its own time for a witness, the epoch for a log, None if it did not.

    A signature of that key that does not verify makes the whole note MalformedError.
    """
    found = None
    for signature in note.signatures:
        if (signature.name, signature.id) == (key.name, key.id):
            found = _verified(note.text, key, signature, source)
    return found


def _verified(text: str, key: NoteKey, signature: NoteSignature, source: str) -> datetime:
    seconds, data, message = 0, signature.data, text.encode()
    if len(data) != _SIGNATURE_BYTES[key.kind]:
        raise MalformedError(source, f"signature of {key.name}", f"has {_SIGNATURE_BYTES[key.kind]} bytes")
    if key.kind == WITNESS_KEY:
        seconds, data = int.from_bytes(data[:8], "big"), data[8:]
        message = _cosigned(text, seconds)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(data, message)
        return datetime.fromtimestamp(seconds, UTC)
    except InvalidSignature as error:
        raise MalformedError(source, f"signature of {key.name}", "does not verify") from error
    except (ValueError, OverflowError, OSError) as error:
        raise MalformedError(source, f"signature of {key.name}", "has no time that there is") from error


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _read_line(line: str, source: str) -> NoteSignature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    require_name(name, source, "signature")
    data = _bytes(encoded, source, f"signature of {name}")
    if dash != "—" or len(data) <= _ID_BYTES:
        raise MalformedError(source, f"signature of {name}", "must be: dash, name, base64 of id and signature")
    return NoteSignature(name, data[:_ID_BYTES], data[_ID_BYTES:])


def require_name(name: str, source: str, field: str) -> None:
    """MalformedError unless it can name a key."""
    if not name or "+" in name or any(letter.isspace() or letter < " " for letter in name):
        raise MalformedError(source, field, "the name of a key is not empty, without blanks and +")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str, source: str, field: str) -> bytes:
    """The one base64 of these bytes: another spelling of the same is refused."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError(source, field, "must be base64") from error
    if _base64(data) != text:
        raise MalformedError(source, field, "must be base64 in its one form")
    return data
