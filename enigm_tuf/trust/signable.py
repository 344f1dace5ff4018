"""The things that a key on a token may sign: one builder each, so that nothing else ever reaches a token.

Metadata of the two authorities is built in ``enigm_tuf.policy.engine``, from an ApprovedRequest alone.
Every builder of ours prefixes a domain, so that a signature made for one purpose never
serves for another. TUF signatures have no prefix: their bytes are the canonical JSON of the specification.
"""

from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.approval import Approval, write_approval
from enigm_tuf.model.backup import BackupStatement, RestoreStatement, backup_bytes, restore_bytes
from enigm_tuf.model.statement import pre_authentication_encoding
from enigm_tuf.model.strict_json import parse_canonical
from enigm_tuf.model.transcript import CeremonyStatement, write_ceremony_statement
from enigm_tuf.model.tuf import Timestamp
from enigm_tuf.model.value import Value
from enigm_tuf.model.votes import DocumentVote, Matter, write_vote
from enigm_tuf.model.waiver import Waiver, write_waiver
from enigm_tuf.trust._seal import SEAL, Seal, require_seal

POSSESSION_DOMAIN = b"enigm-tuf proof of possession v1\n"
BACKUP_DOMAIN = b"enigm-tuf key backup v1\n"
RESTORE_DOMAIN = b"enigm-tuf restore proof v1\n"


class Signable(Value):
    """Bytes with a purpose. ``purpose`` is for prompts and the audit log."""

    purpose: str
    data: bytes
    _seal: Seal | None = None

    def __post_init__(self) -> None:
        require_seal(self._seal, "a Signable")


class SignableStatement(Signable):
    """An in-toto statement (``payload``): ``data`` is its DSSE pre-authentication encoding."""

    payload: bytes = b""


def proof_of_possession(challenge: bytes, statement: bytes = b"") -> Signable:
    """That the key answers now: ``challenge`` is 32 random bytes of the party that enrols.

    ``statement`` is what the custodian says of the key (``model.keys.stated``).
    """
    return Signable("proof of possession", POSSESSION_DOMAIN + challenge + statement, _seal=SEAL)


def approval(statement: Approval) -> SignableStatement:
    """An operator's decision."""
    return _statement(f"{statement.decision} {statement.request_id}", write_approval(statement))


def waiver(statement: Waiver) -> SignableStatement:
    """An operator's waiver of one rule; by its type no approval."""
    return _statement(f"waiver of {statement.rule} for {statement.request_id}", write_waiver(statement))


def document_vote(matter: Matter, vote: DocumentVote) -> SignableStatement:
    """An operator's word for a document; by its type no approval."""
    return _statement(f"{matter.name} version {vote.version}", write_vote(matter, vote))


def ceremony_seen(statement: CeremonyStatement) -> SignableStatement:
    """A participant's word for a transcript; by its type no approval."""
    return _statement(f"transcript of ceremony {statement.ceremony}", write_ceremony_statement(statement))


def _statement(purpose: str, payload: bytes) -> SignableStatement:
    return SignableStatement(purpose, pre_authentication_encoding(payload), SEAL, payload)


def backup_made(statement: BackupStatement) -> Signable:
    """A key's word for its own wrapped copy."""
    return Signable("backup of this key", BACKUP_DOMAIN + backup_bytes(statement), _seal=SEAL)


def restore_proved(statement: RestoreStatement) -> Signable:
    """A restored key's word that it answers on the spare token; holds a nonce."""
    return Signable("restore proof", RESTORE_DOMAIN + restore_bytes(statement), _seal=SEAL)


def freshness(data: bytes) -> Signable:
    """A TUF timestamp's canonical signed bytes: all that the freshness key may say."""
    signed = parse_canonical(data, source="timestamp to sign", max_bytes=LIMITS.timestamp_bytes)
    if signed.get("_type") != "timestamp":
        raise MisuseError(f"the freshness key signs timestamps only, not {signed.get('_type')!r:.40}")
    timestamp = Timestamp.read(signed, "timestamp to sign")
    if set(signed["meta"]) != {"snapshot.json"}:
        raise MalformedError("timestamp to sign", "meta", "holds something that no timestamp has")
    return Signable(f"timestamp version {timestamp.version}", data, _seal=SEAL)
