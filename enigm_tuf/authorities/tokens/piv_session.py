"""A PIV card while somebody is logged in: its keys, making one, signing, and the maker's attestation."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from smartcard.Exceptions import SmartcardException
from yubikit.core.smartcard import SW, ApduError
from yubikit.piv import KEY_TYPE, PIN_POLICY, SLOT, TOUCH_POLICY, PivSession

from enigm_tuf.authorities.tokens.piv_errors import converted, removed, understood, verify_pin
from enigm_tuf.authorities.tokens.piv_keys import (
    KEY_TYPES,
    SLOTS,
    key_type_of,
    read_attestation,
    read_metadata,
    require_attributes,
    require_signable,
    slot_of,
    token_key,
)
from enigm_tuf.authorities.tokens.piv_objects import card_objects
from enigm_tuf.authorities.tokens.piv_secrets import read_identity, show_management_key
from enigm_tuf.authorities.tokens.piv_touch import TOUCH_SECONDS, Waiting
from enigm_tuf.authorities.tokens.self_check import hash_of, require_valid
from enigm_tuf.errors import MisuseError, TouchTimeoutError
from enigm_tuf.ports import Algorithm, TokenIdentity, TokenKey, TokenObject
from enigm_tuf.trust.signable import Signable

P = ParamSpec("P")
T = TypeVar("T")


def _ours(method: Callable[Concatenate["PivCardSession", P], T]) -> Callable[Concatenate["PivCardSession", P], T]:
    """Whoever calls a session's method sees our exceptions, inside the session too."""

    @functools.wraps(method)
    def call(session: "PivCardSession", /, *args: P.args, **kwargs: P.kwargs) -> T:
        session.require_open()
        with converted(session.serial), understood(session.serial):
            return method(session, *args, **kwargs)

    return call


class PivCardSession:
    """Implements ``enigm_tuf.ports.TokenSession``. Labels are slots in hex: ``9c`` signs, ``9a`` approves."""

    def __init__(
        self, serial: int, piv: PivSession, pin: str, management_key: Callable[[str], str], waiting: Waiting
    ) -> None:
        self.serial = serial
        self._piv = piv
        self._pin = pin
        self._management_key = management_key
        self._waiting = waiting

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
        """The keys that can sign in the four slots of the standard; a person may keep other kinds beside them."""
        found = ((label, read_metadata(self._piv, self.serial, slot)) for label, slot in SLOTS.items())
        ours = KEY_TYPES.values()
        return tuple(token_key(label, data, self.serial) for label, data in found if data and data.key_type in ours)

    @_ours
    def generate(self, label: str, algorithm: Algorithm) -> TokenKey:
        """A new key with PIN always and touch always; MisuseError if the slot is taken, TokenError if too old."""
        slot, kind = slot_of(label), key_type_of(algorithm, self.serial, self._piv.version)
        if read_metadata(self._piv, self.serial, slot):
            raise MisuseError(f"card {self.serial}: slot {label} holds a key already", hint="nothing is overwritten")
        show_management_key(self._piv, self.serial, self._management_key)
        self._piv.generate_key(slot, kind, PIN_POLICY.ALWAYS, TOUCH_POLICY.ALWAYS)
        made = self._key(label)
        require_attributes(made, self.serial)
        return made

    @_ours
    def sign(self, label: str, message: Signable) -> bytes:
        """A signature in TUF's scheme, verified before it is returned. Somebody touches the card."""
        key = self._key(label)
        require_attributes(key, self.serial)
        require_signable(key, len(message.data), self.serial)
        place = f"card {self.serial}, slot {label}"
        verify_pin(self._piv, self._pin, self.serial)
        with self._waiting(f"{place}: touch it now to sign {message.purpose}", TOUCH_SECONDS):
            signature = self._touched(place, slot_of(label), KEY_TYPES[key.algorithm], message.data, key.algorithm)
        require_valid(key.spki, signature, message.data, place)
        return signature

    def _touched(self, place: str, slot: SLOT, kind: KEY_TYPE, data: bytes, algorithm: Algorithm) -> bytes:
        try:
            return self._piv.sign(slot, kind, data, hash_of(algorithm))
        except ApduError as error:
            if error.sw == SW.SECURITY_CONDITION_NOT_SATISFIED:
                raise TouchTimeoutError(
                    f"{place}: nobody touched it in {TOUCH_SECONDS} seconds; nothing was signed",
                    hint="run the command again and touch the card when it blinks",
                ) from error
            raise
        except SmartcardException as error:
            raise removed(self.serial, "no signature was received", error) from error

    @_ours
    def objects(self) -> tuple[TokenObject, ...]:
        """The keys and certificates of every slot but the maker's own (f9)."""
        return card_objects(self._piv, self.serial)

    @_ours
    def destroy(self, label: str) -> None:
        """Delete the key and its certificate, with the management key; firmware 5.7 or newer."""
        self._key(label)
        show_management_key(self._piv, self.serial, self._management_key)
        self._piv.delete_key(slot_of(label))
        self._piv.delete_certificate(slot_of(label))

    @_ours
    def attestation(self, label: str) -> tuple[bytes, ...]:
        """The key's certificate and the card's own (slot f9); empty for a key that was brought in."""
        return read_attestation(self._piv, self.serial, slot_of(label))

    def _key(self, label: str) -> TokenKey:
        metadata = read_metadata(self._piv, self.serial, slot_of(label))
        if metadata is None:
            raise MisuseError(f"card {self.serial}: slot {label} is empty", hint="enigm-sign key generate makes a key")
        return token_key(label, metadata, self.serial)
