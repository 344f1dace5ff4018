"""What a response carries from the audit log: for each signature in it, the proof that it was logged."""

from collections.abc import Collection

from enigm_tuf.audit.log import AuditLog
from enigm_tuf.model.request import PROOFS, AuditHead


def proofs_of(log: AuditLog, numbers: Collection[int]) -> tuple[AuditHead, dict[str, bytes]]:
    """That these entries are in the log: members of the response's file, each a C2SP tlog-proof, and their one head."""
    if not numbers:
        return log.head(), {}
    signed = log.covering(max(numbers))
    proofs = {f"{PROOFS}{number:09d}.tlog-proof": log.proof(number, signed).data for number in sorted(numbers)}
    return AuditHead(signed.checkpoint.size, signed.checkpoint.root.hex()), proofs
