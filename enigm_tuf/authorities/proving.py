"""What a response carries from the audit log: for each signature in it, the proof that it was logged."""

from collections.abc import Collection

from enigm_tuf.audit.log import AuditEntry, AuditLog, EntryType
from enigm_tuf.authorities.history import History
from enigm_tuf.model.request import PROOFS, AuditHead, RoleSignature


def proofs_of(log: AuditLog, numbers: Collection[int]) -> tuple[AuditHead, dict[str, bytes]]:
    """That these entries are in the log: members of the response's file, each a C2SP tlog-proof, and their one head."""
    if not numbers:
        return log.head(), {}
    signed = log.covering(max(numbers))
    proofs = {f"{PROOFS}{number:09d}.tlog-proof": log.proof(number, signed).data for number in sorted(numbers)}
    return AuditHead(signed.checkpoint.size, signed.checkpoint.root.hex()), proofs


def entries_of(log: AuditLog, history: History, digest: str, signatures: Collection[RoleSignature]) -> set[int]:
    """The numbers of the entries that record these signatures of a request: before ``history`` ended, or after."""
    if not signatures:
        return set()
    late = {
        entry.sequence
        for entry in log.entries_after(history.entries)
        if entry.body.get("request_sha256") == digest and signature_in(entry) in signatures
    }
    return late | history.entries_of(digest, signatures)


def signature_in(entry: AuditEntry) -> RoleSignature | None:
    """The signature that an entry records."""
    if entry.type != EntryType.SIGN_PERFORMED:
        return None
    body = entry.body
    return RoleSignature(body["role"], body["version"], body["keyid"], body["signature"])
