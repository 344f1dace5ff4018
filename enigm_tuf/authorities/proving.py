"""What a response carries from the audit log: for each signature in it, the proof that it was logged."""

from collections.abc import Sequence

from enigm_tuf.audit.log import AuditEntry, AuditLog, EntryType
from enigm_tuf.model.request import PROOFS, RoleSignature


def proofs_of(log: AuditLog, request_sha256: str, signatures: Sequence[RoleSignature]) -> dict[str, bytes]:
    """The members of the response's file, each a C2SP tlog-proof from the newest checkpoint."""
    wanted = set(signatures)
    return {
        f"{PROOFS}{entry.sequence:09d}.tlog-proof": log.proof(entry.sequence).data
        for entry in log.entries()
        if entry.body.get("request_sha256") == request_sha256 and signature_in(entry) in wanted
    }


def signature_in(entry: AuditEntry) -> RoleSignature | None:
    """The signature that an entry records."""
    if entry.type != EntryType.SIGN_PERFORMED:
        return None
    body = entry.body
    return RoleSignature(body["role"], body["version"], body["keyid"], body["signature"])
