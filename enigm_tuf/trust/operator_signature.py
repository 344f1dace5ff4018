"""Whose signature it is: an envelope against the registry of operators. Approvals, votes and waivers ask here."""

from datetime import datetime

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import record_key
from enigm_tuf.model.operators import ApprovalKey, Operator, OperatorRegistry
from enigm_tuf.model.statement import Envelope, pre_authentication_encoding
from enigm_tuf.trust.threshold import signers


def signed_by(
    registry: OperatorRegistry, envelope: Envelope, now: datetime, source: str
) -> tuple[Operator, ApprovalKey]:
    """The active operator whose key, valid ``now``, made the signature over the payload; MalformedError otherwise."""
    found = registry.holder(envelope.keyid)
    if found is None:
        raise MalformedError(source, "signatures[0].keyid", f"no operator has the key {envelope.keyid}")
    operator, enrolled = found
    if not operator.active:
        raise MalformedError(source, "signatures[0].keyid", f"operator {operator.id} is not active: {operator.status}")
    if not enrolled.valid_at(now):
        window = f"{enrolled.valid_from.isoformat()} .. {enrolled.valid_until.isoformat()}"
        raise MalformedError(source, "signatures[0].keyid", f"the key of {operator.id} is valid {window} only")
    key = record_key(enrolled.record)
    signed = pre_authentication_encoding(envelope.payload)
    if not signers({key.keyid: key}, [key.keyid], {key.keyid: envelope.signature.hex()}, signed):
        raise MalformedError(source, "signatures[0].sig", "does not verify")
    return operator, enrolled
