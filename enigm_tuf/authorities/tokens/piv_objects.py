"""Everything that lies on a PIV card: the keys of all slots, the retired ones too, and the certificates beside them."""

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from yubikit.core import BadResponseError
from yubikit.core.smartcard import SW, ApduError
from yubikit.piv import SLOT, PivSession, SlotMetadata

from enigm_tuf.authorities.tokens.attestation_chain import UNREADABLE
from enigm_tuf.authorities.tokens.piv_keys import policies, read_metadata
from enigm_tuf.errors import TokenError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import TokenObject

_MAKERS_OWN = SLOT.ATTESTATION  # every card has a key and a certificate there


def card_objects(piv: PivSession, serial: int) -> tuple[TokenObject, ...]:
    """By slot; TokenError for one that is not understood, since it might be anything."""
    slots = [slot for slot in SLOT if slot != _MAKERS_OWN]
    keys = ((slot, read_metadata(piv, serial, slot)) for slot in slots)
    return (
        *(_key(slot, metadata, serial) for slot, metadata in keys if metadata),
        *(found for slot in slots if (found := _certificate(piv, serial, slot))),
    )


def _key(slot: SLOT, metadata: SlotMetadata, serial: int) -> TokenObject:
    label = f"{slot:02x}"
    try:
        public = metadata.public_key
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, LookupError) as error:
        raise TokenError(f"card {serial}, slot {label}: not understood: {error}") from error
    return TokenObject("private-key", label, label, sha256(spki), policies(metadata))


def _certificate(piv: PivSession, serial: int, slot: SLOT) -> TokenObject | None:
    label = f"{slot:02x}"
    try:
        public = piv.get_certificate(slot).public_key()
    except ApduError as error:
        if error.sw == SW.FILE_NOT_FOUND:
            return None
        raise
    except (BadResponseError, *UNREADABLE) as error:
        raise TokenError(f"card {serial}, certificate of slot {label}: not understood: {error}") from error
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return TokenObject("certificate", label, label, sha256(spki), {})
