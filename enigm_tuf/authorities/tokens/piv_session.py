"""A PIV card while somebody is logged in: its keys, making one, signing, and the maker's attestation."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from yubikit.core import NotSupportedError
from yubikit.core.smartcard import SW, ApduError
from yubikit.piv import KEY_TYPE, PIN_POLICY, SLOT, TOUCH_POLICY, PivSession, SlotMetadata

from enigm_tuf.authorities.tokens.piv_errors import converted, verify_pin
from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.authorities.tokens.self_check import hash_of, require_valid
from enigm_tuf.errors import MisuseError, RefusedError, TokenError, TouchTimeoutError
from enigm_tuf.model.public_keys import algorithm_of
from enigm_tuf.ports import Algorithm, TokenIdentity, TokenKey
from enigm_tuf.trust.signable import Signable

P = ParamSpec("P")
T = TypeVar("T")

_SLOTS = {"9a": SLOT.AUTHENTICATION, "9c": SLOT.SIGNATURE, "9d": SLOT.KEY_MANAGEMENT, "9e": SLOT.CARD_AUTH}
_KEY_TYPES: dict[Algorithm, KEY_TYPE] = {"ecdsa-p256": KEY_TYPE.ECCP256, "ecdsa-p384": KEY_TYPE.ECCP384}
_REQUIRED: dict[str, bool | str] = {"pin_policy": "always", "touch_policy": "always", "generated": True}


def _ours(method: Callable[Concatenate["PivCardSession", P], T]) -> Callable[Concatenate["PivCardSession", P], T]:
    """Whoever calls a session's method sees our exceptions, inside the session too."""

    @functools.wraps(method)
    def call(session: "PivCardSession", /, *args: P.args, **kwargs: P.kwargs) -> T:
        session.require_open()
        with converted(session.serial):
            return method(session, *args, **kwargs)

    return call


class PivCardSession:
    """Implements ``enigm_tuf.ports.TokenSession``. Labels are slots in hex: ``9c`` signs, ``9a`` approves."""

    def __init__(
        self,
        serial: int,
        piv: PivSession,
        pin: str,
        management_key: Callable[[str], str],
        notify: Callable[[str], None],
    ) -> None:
        self.serial = serial
        self._piv = piv
        self._pin = pin
        self._management_key = management_key
        self._notify = notify

    @property
    @_ours
    def identity(self) -> TokenIdentity:
        return read_identity(self.serial, self._piv)

    def forget(self) -> None:
        """The PIN ends with the session."""
        self._pin = ""

    def require_open(self) -> None:
        """MisuseError once the PIN is forgotten."""
        if not self._pin:
            raise MisuseError(f"card {self.serial}: the session is over; log in again")

    @_ours
    def keys(self) -> tuple[TokenKey, ...]:
        """The P-256 and P-384 keys in the four slots of the standard; a person may keep other kinds beside them."""
        found = ((label, self._metadata(slot)) for label, slot in _SLOTS.items())
        ours = _KEY_TYPES.values()
        return tuple(_token_key(label, data) for label, data in found if data and data.key_type in ours)

    @_ours
    def generate(self, label: str, algorithm: Algorithm) -> TokenKey:
        """A new key with PIN always and touch always; MisuseError if the slot is taken."""
        slot = _slot(label)
        if self._metadata(slot):
            raise MisuseError(f"card {self.serial}: slot {label} holds a key already", hint="nothing is overwritten")
        key = management_key_bytes(self._management_key(f"management key of card {self.serial} (hex)"))
        try:
            self._piv.authenticate(key)
        except ApduError as error:
            raise TokenError(f"card {self.serial}: wrong management key") from error
        self._piv.generate_key(slot, _KEY_TYPES[algorithm], PIN_POLICY.ALWAYS, TOUCH_POLICY.ALWAYS)
        made = self._key(label)
        self._require_attributes(made)
        return made

    @_ours
    def sign(self, label: str, message: Signable) -> bytes:
        """A DER ECDSA signature, verified before it is returned. Somebody touches the card."""
        key = self._key(label)
        self._require_attributes(key)
        kind, hash_of_key = _KEY_TYPES[key.algorithm], hash_of(key.algorithm)
        self._notify(f"card {self.serial}, slot {label}: touch it now to sign {message.purpose}")
        verify_pin(self._piv, self._pin, self.serial)
        try:
            signature = self._piv.sign(_slot(label), kind, message.data, hash_of_key)
        except ApduError as error:
            if error.sw == SW.SECURITY_CONDITION_NOT_SATISFIED:
                raise TouchTimeoutError(
                    f"card {self.serial}, slot {label}: nobody touched it in time; nothing was signed",
                    hint="run the command again and touch the card when it blinks",
                ) from error
            raise
        require_valid(key.spki, signature, message.data, f"card {self.serial}, slot {label}")
        return signature

    @_ours
    def attestation(self, label: str) -> tuple[bytes, ...]:
        """The key's certificate and the card's own (slot f9); empty for a key that was brought in."""
        try:
            leaf = self._piv.attest_key(_slot(label))
        except ApduError:
            return ()
        own = self._piv.get_certificate(SLOT.ATTESTATION)
        return leaf.public_bytes(Encoding.DER), own.public_bytes(Encoding.DER)

    def _key(self, label: str) -> TokenKey:
        metadata = self._metadata(_slot(label))
        if metadata is None:
            raise MisuseError(f"card {self.serial}: slot {label} is empty", hint="enigm-sign key generate makes a key")
        return _token_key(label, metadata)

    def _metadata(self, slot: SLOT) -> SlotMetadata | None:
        try:
            return self._piv.get_slot_metadata(slot)
        except ApduError as error:
            if error.sw == SW.REFERENCE_DATA_NOT_FOUND:
                return None
            raise
        except NotSupportedError:
            raise
        except (ValueError, LookupError) as error:
            raise TokenError(f"card {self.serial}, slot {slot:02x}: not understood: {error}") from error

    def _require_attributes(self, key: TokenKey) -> None:
        for name, expected in _REQUIRED.items():
            if key.attributes[name] != expected:
                raise RefusedError(
                    TokenRule.TOKEN_ATTRIBUTES,
                    f"card {self.serial}, slot {key.label}, {name}",
                    expected=str(expected),
                    got=str(key.attributes[name]),
                    hint="make a new key on the card with enigm-sign key generate",
                )


def read_identity(serial: int, piv: PivSession) -> TokenIdentity:
    factory = "factory secrets" if any(factory_secrets(piv)) else "PIV"
    return TokenIdentity("piv", "Yubico", f"YubiKey {factory}", str(serial), str(piv.version), f"card {serial}")


def _token_key(label: str, metadata: SlotMetadata) -> TokenKey:
    spki = metadata.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    attributes: dict[str, bool | str] = {
        "pin_policy": metadata.pin_policy.name.lower(),
        "touch_policy": metadata.touch_policy.name.lower(),
        "generated": metadata.generated,
    }
    return TokenKey(label, algorithm_of(spki), spki, attributes)


def factory_secrets(piv: PivSession) -> tuple[bool, bool, bool]:
    """Whether PIN, PUK and management key are the factory's."""
    return (
        piv.get_pin_metadata().default_value,
        piv.get_puk_metadata().default_value,
        piv.get_management_key_metadata().default_value,
    )


def _slot(label: str) -> SLOT:
    if label not in _SLOTS:
        raise MisuseError(f"no slot {label}; slots are: {', '.join(_SLOTS)}")
    return _SLOTS[label]


def management_key_bytes(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise MisuseError("the management key is 48 hex digits") from error
    if len(key) != 24:
        raise MisuseError(f"the management key is 48 hex digits, not {len(text)}")
    return key
