"""What a response carries from the audit log: for each signature in it, the proof that it was logged."""

from collections.abc import Sequence

from enigm_tuf.audit.log import AuditEntry, AuditLog, EntryType
from enigm_tuf.model.request import PROOFS, AuditHead, RoleSignature


def proofs_of(
    log: AuditLog, request_sha256: str, signatures: Sequence[RoleSignature]
) -> tuple[AuditHead, dict[str, bytes]]:
    """The members of the response's file, each a C2SP tlog-proof, and the head that they all are from."""
    wanted = set(signatures)
    found = [
        entry.sequence
        for entry in log.entries()
        if entry.body.get("request_sha256") == request_sha256 and signature_in(entry) in wanted
    ]
    if not found:
        return log.head(), {}
    signed = log.covering(max(found))
    proofs = {f"{PROOFS}{sequence:09d}.tlog-proof": log.proof(sequence, signed).data for sequence in found}
    return AuditHead(signed.checkpoint.size, signed.checkpoint.root.hex()), proofs


def signature_in(entry: AuditEntry) -> RoleSignature | None:
    """The signature that an entry records."""
    if entry.type != EntryType.SIGN_PERFORMED:
        return None
    body = entry.body
    return RoleSignature(body["role"], body["version"], body["keyid"], body["signature"])
