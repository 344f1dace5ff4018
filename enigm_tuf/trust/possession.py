"""KEY-POSSESSION: what a key record says, its key has signed."""

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.keys import KeyRecord, record_key, stated
from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf.trust.signable import proof_of_possession
from enigm_tuf.trust.threshold import signers


def require_possession(record: KeyRecord) -> None:
    """RefusedError KEY-POSSESSION unless its proof is a signature by that key over the challenge and this record."""
    signed = proof_of_possession(bytes.fromhex(record.proof.challenge), stated(record)).data
    if not signers({record.keyid: record_key(record)}, [record.keyid], {record.keyid: record.proof.signature}, signed):
        raise RefusedError(
            AuthorityRule.KEY_POSSESSION,
            f"key {record.label} of {record.custodian}",
            expected="a signature by that key over the challenge and the record",
            got="none",
        )
