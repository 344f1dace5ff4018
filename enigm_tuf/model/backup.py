"""The backup of a payload key, and the proof that it can be restored: statements that the key itself signs.

A backup holds the wrapped key, which only the token that has the wrapping key can open, and says what it is.
"""

from base64 import b64decode
from datetime import datetime

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import BASE64, ENVIRONMENT, HEX, TOKEN_RECORD, Environment, TokenRecord
from enigm_tuf.model.request import AUTHORITY, Authority
from enigm_tuf.model.shapes import NAME, SHA256, WORD, Choice, Record, Text, Time
from enigm_tuf.model.strict_json import encode, parse, sha256
from enigm_tuf.model.value import Value
from enigm_tuf.model.wrapping import WRAP_MECHANISMS, WrapMechanism

NONCE = Text(r"[0-9a-f]{64}", "32 bytes in hex")


class BackupStatement(Value):
    """Which key was wrapped, by whom, on which token, when, and under which wrapping key (its CKA_ID).

    ``key`` is the SHA-256 of its SubjectPublicKeyInfo, ``inventory`` that of the inventory in force.
    """

    key: str
    label: str
    authority: Authority
    environment: Environment
    custodian: str
    token: TokenRecord
    wrapping_key: str
    mechanism: WrapMechanism
    blob_sha256: str
    inventory: str
    made: datetime


class Backup(Value):
    """``blob``: the wrapped key in base64. ``signature``: by the key itself, over the statement, in hex."""

    statement: BackupStatement
    blob: str
    signature: str

    @property
    def blob_bytes(self) -> bytes:
        return b64decode(self.blob)


class RestoreStatement(Value):
    """That the key came out of that blob on that spare token and signed this, ``nonce`` included.

    ``witness`` is who was there, as they said.
    """

    key: str
    authority: Authority
    environment: Environment
    blob_sha256: str
    wrapping_key: str
    token: TokenRecord
    witness: str
    nonce: str
    inventory: str
    proved: datetime


class RestoreProof(Value):
    """``signature``: by the restored key, over the statement, in hex."""

    statement: RestoreStatement
    signature: str


_BACKUP_STATEMENT = Record(
    BackupStatement,
    key=SHA256,
    label=WORD,
    authority=AUTHORITY,
    environment=ENVIRONMENT,
    custodian=WORD,
    token=TOKEN_RECORD,
    wrapping_key=HEX,
    mechanism=Choice(WRAP_MECHANISMS),
    blob_sha256=SHA256,
    inventory=SHA256,
    made=Time(),
)
BACKUP = Record(Backup, 1, statement=_BACKUP_STATEMENT, blob=BASE64, signature=HEX)
_RESTORE_STATEMENT = Record(
    RestoreStatement,
    key=SHA256,
    authority=AUTHORITY,
    environment=ENVIRONMENT,
    blob_sha256=SHA256,
    wrapping_key=HEX,
    token=TOKEN_RECORD,
    witness=NAME,
    nonce=NONCE,
    inventory=SHA256,
    proved=Time(),
)
RESTORE_PROOF = Record(RestoreProof, 1, statement=_RESTORE_STATEMENT, signature=HEX)


def read_backup(data: bytes, source: str) -> Backup:
    """Parse; MalformedError if the blob is not the one that the statement names. Its signature is not checked here."""
    backup = BACKUP.read(parse(data, source=source), source)
    try:
        blob = backup.blob_bytes
    except ValueError as error:
        raise MalformedError(source, "blob", "must be base64") from error
    if sha256(blob) != backup.statement.blob_sha256:
        raise MalformedError(source, "blob", f"must have SHA-256 {backup.statement.blob_sha256}, as the statement says")
    return backup


def write_backup(backup: Backup) -> bytes:
    """The bytes of the file."""
    return encode(BACKUP.write(backup))


def read_restore_proof(data: bytes, source: str) -> RestoreProof:
    """Parse; what counts is the audit log of the authority, which names it."""
    return RESTORE_PROOF.read(parse(data, source=source), source)


def write_restore_proof(proof: RestoreProof) -> bytes:
    """The bytes of the file."""
    return encode(RESTORE_PROOF.write(proof))


def backup_bytes(statement: BackupStatement) -> bytes:
    """What the key signs of a backup, behind its domain."""
    return encode(_BACKUP_STATEMENT.write(statement))


def restore_bytes(statement: RestoreStatement) -> bytes:
    """What the restored key signs, behind its domain."""
    return encode(_RESTORE_STATEMENT.write(statement))
