"""Keys in the slots of a PIV card, as its metadata tells them: kinds, policies, and what a signing key must be."""

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from yubikit.core import BadResponseError, NotSupportedError
from yubikit.core.smartcard import SW, ApduError
from yubikit.piv import KEY_TYPE, SLOT, PivSession, SlotMetadata

from enigm_tuf.authorities.tokens.attestation_chain import UNREADABLE
from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import MisuseError, RefusedError, TokenError
from enigm_tuf.model.public_keys import algorithm_of
from enigm_tuf.ports import Algorithm, TokenKey

SLOTS = {"9a": SLOT.AUTHENTICATION, "9c": SLOT.SIGNATURE, "9d": SLOT.KEY_MANAGEMENT, "9e": SLOT.CARD_AUTH}
KEY_TYPES: dict[Algorithm, KEY_TYPE] = {
    "ecdsa-p256": KEY_TYPE.ECCP256,
    "ecdsa-p384": KEY_TYPE.ECCP384,
    "ed25519": KEY_TYPE.ED25519,
}
FIRST_WITH_ED25519 = (5, 7, 0)
ED25519_BYTES = 3_045
"""The longest message that a card signs with Ed25519, which wants the message itself, not its hash.

One command has 3,062 bytes (yubikit): 7 of header and length, 10 of the TLVs round the message.
"""
_REQUIRED: dict[str, bool | str] = {"pin_policy": "always", "touch_policy": "always", "generated": True}


def slot_of(label: str) -> SLOT:
    """MisuseError lists the slots of the standard."""
    if label not in SLOTS:
        raise MisuseError(f"no slot {label}; slots are: {', '.join(SLOTS)}")
    return SLOTS[label]


def key_type_of(algorithm: Algorithm, serial: int, firmware: tuple[int, int, int]) -> KEY_TYPE:
    """MisuseError for an algorithm that PIV cards lack, TokenError for one that came with a later firmware."""
    if algorithm not in KEY_TYPES:
        raise MisuseError(f"a PIV card makes no {algorithm} key; it makes: {', '.join(KEY_TYPES)}")
    if algorithm == "ed25519" and firmware < FIRST_WITH_ED25519:
        raise TokenError(
            f"card {serial}: Ed25519 needs firmware 5.7.0 or newer, this is {'.'.join(map(str, firmware))}",
            hint="take a newer card: firmware cannot be changed, and older ones are refused in any case",
        )
    return KEY_TYPES[algorithm]


def read_metadata(piv: PivSession, serial: int, slot: SLOT) -> SlotMetadata | None:
    """What the card says of the slot; None if it is empty."""
    try:
        return piv.get_slot_metadata(slot)
    except ApduError as error:
        if error.sw == SW.REFERENCE_DATA_NOT_FOUND:
            return None
        raise
    except NotSupportedError:
        raise
    except (ValueError, LookupError) as error:
        raise _not_understood(serial, f"{slot:02x}", error) from error


def read_attestation(piv: PivSession, serial: int, slot: SLOT) -> tuple[bytes, ...]:
    """DER of the key's certificate and of the card's own; empty where the card attests nothing. TokenError."""
    try:
        leaf = piv.attest_key(slot)
    except ApduError:
        return ()
    except UNREADABLE as error:
        raise _not_understood(serial, f"{slot:02x}", error) from error
    try:
        own = piv.get_certificate(SLOT.ATTESTATION)
    except (ApduError, BadResponseError, *UNREADABLE) as error:
        raise TokenError(
            f"card {serial}, slot f9: no certificate of the maker's: {error}",
            hint="somebody overwrote it, and nothing brings it back: take another card",
        ) from error
    return leaf.public_bytes(Encoding.DER), own.public_bytes(Encoding.DER)


def token_key(label: str, metadata: SlotMetadata, serial: int) -> TokenKey:
    """TokenError if the card gives no public key of the kind that it says."""
    try:
        spki = metadata.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, LookupError) as error:
        raise _not_understood(serial, label, error) from error
    return TokenKey(label, algorithm_of(spki), spki, policies(metadata))


def policies(metadata: SlotMetadata) -> dict[str, bool | str]:
    """A key's attributes, in the names of TokenKey."""
    return {
        "pin_policy": metadata.pin_policy.name.lower(),
        "touch_policy": metadata.touch_policy.name.lower(),
        "generated": metadata.generated,
    }


def _not_understood(serial: int, slot: str, error: Exception) -> TokenError:
    return TokenError(f"card {serial}, slot {slot}: not understood: {error}")


def require_signable(key: TokenKey, size: int, serial: int) -> None:
    """MisuseError if the card cannot sign a message of ``size`` bytes with this key; nobody is asked to touch it."""
    if key.algorithm == "ed25519" and size > ED25519_BYTES:
        raise MisuseError(
            f"card {serial}, slot {key.label}: an Ed25519 key on a card signs up to {ED25519_BYTES} bytes, not {size}",
            hint="roles whose metadata grows need an ecdsa-p256 or ecdsa-p384 key: those sign a hash",
        )


def require_attributes(key: TokenKey, serial: int) -> None:
    """RefusedError TOKEN-ATTRIBUTES unless PIN and touch are always asked for and the key was made on the card."""
    for name, expected in _REQUIRED.items():
        if key.attributes[name] != expected:
            raise RefusedError(
                TokenRule.TOKEN_ATTRIBUTES,
                f"card {serial}, slot {key.label}, {name}",
                expected=str(expected),
                got=str(key.attributes[name]),
                hint="make a new key on the card with enigm-sign key generate",
            )
