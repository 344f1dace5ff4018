"""PIV cards through yubikey-manager: a person with a PIN and a finger.

Keys are made on the card with PIN always and touch always, read back, and attested by its maker. The PIN is asked
once for each session, kept only inside it, and sent right before every signature, as the policy demands.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import ClassVar, Concatenate, ParamSpec, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from smartcard.Exceptions import SmartcardException
from yubikit.core import CommandError, InvalidPinError, NotSupportedError
from yubikit.core.smartcard import SW, ApduError
from yubikit.piv import (
    DEFAULT_MANAGEMENT_KEY,
    KEY_TYPE,
    MANAGEMENT_KEY_TYPE,
    PIN_POLICY,
    SLOT,
    TOUCH_POLICY,
    PivSession,
    SlotMetadata,
)

from enigm_tuf.authorities.tokens.piv_cards import CardSource, PcscCards, no_card
from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.authorities.tokens.self_check import algorithm_of, hash_of, require_valid
from enigm_tuf.errors import (
    MisuseError,
    PinLockedError,
    RefusedError,
    TokenError,
    TokenRemovedError,
    TouchTimeoutError,
    WrongPinError,
)
from enigm_tuf.ports import Algorithm, PinCallback, TokenIdentity, TokenKey
from enigm_tuf.trust.signable import Signable

__all__ = ["CardSource", "PcscCards", "PivToken"]

P = ParamSpec("P")
T = TypeVar("T")

FACTORY_PIN, FACTORY_PUK = "123456", "12345678"
_SLOTS = {"9a": SLOT.AUTHENTICATION, "9c": SLOT.SIGNATURE, "9d": SLOT.KEY_MANAGEMENT, "9e": SLOT.CARD_AUTH}
_KEY_TYPES: dict[Algorithm, KEY_TYPE] = {"ecdsa-p256": KEY_TYPE.ECCP256, "ecdsa-p384": KEY_TYPE.ECCP384}
_REQUIRED: dict[str, bool | str] = {"pin_policy": "always", "touch_policy": "always", "generated": True}


def _nobody(_: str) -> str:
    raise MisuseError("this needs the card's management key", hint="run it where it can be asked for")


class PivToken:
    """Implements ``enigm_tuf.ports.Token`` on one card. ``serial`` None means the only card that is in.

    ``management_key`` is asked for the key in hex when a key is made; ``notify`` is told when to touch the card.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ("PIN", "PUK", "management key (hex)")

    def __init__(
        self,
        serial: int | None,
        cards: CardSource,
        management_key: Callable[[str], str] = _nobody,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._serial = serial
        self._cards = cards
        self._management_key = management_key
        self._notify = notify

    def identity(self) -> TokenIdentity:
        """Read without a PIN; NoTokenError."""
        with self._piv() as (serial, piv):
            return _identity(serial, piv)

    def initialise(self, *secrets: str) -> None:
        """From the factory's PIN, PUK and management key to new ones; MisuseError if they are not the factory's."""
        pin, puk, management_key = secrets
        key = _hex_key(management_key)
        if {pin, puk} & {FACTORY_PIN, FACTORY_PUK} or key == DEFAULT_MANAGEMENT_KEY:
            raise MisuseError("the factory's secrets are everybody's", hint="choose others")
        with self._piv() as (serial, piv):
            if not _all_factory(piv):
                raise MisuseError(f"card {serial} is not fresh from the factory; nothing was changed")
            piv.authenticate(DEFAULT_MANAGEMENT_KEY)
            piv.set_management_key(MANAGEMENT_KEY_TYPE.AES192, key)
            piv.change_puk(FACTORY_PUK, puk)
            piv.change_pin(FACTORY_PIN, pin)

    @contextlib.contextmanager
    def session(self, pin: PinCallback) -> Iterator["PivCardSession"]:
        """Verify the PIN; close the connection, which forgets it, whatever happens."""
        with self._piv() as (serial, piv):
            secret = pin(f"PIN of card {serial}")
            _verify_pin(piv, secret, serial)
            session = PivCardSession(serial, piv, secret, self._management_key, self._notify)
            try:
                yield session
            finally:
                session.forget()

    @contextlib.contextmanager
    def _piv(self) -> Iterator[tuple[int, PivSession]]:
        serial = self._serial or self._only_card()
        connection = self._cards.open(serial)
        try:
            with _converted(serial):
                yield serial, PivSession(connection)
        finally:
            with contextlib.suppress(SmartcardException):
                connection.close()

    def _only_card(self) -> int:
        serials = self._cards.serials()
        if len(serials) != 1:
            raise no_card(None, serials)
        return serials[0]


def _ours(method: Callable[Concatenate["PivCardSession", P], T]) -> Callable[Concatenate["PivCardSession", P], T]:
    """Whoever calls a session's method sees our exceptions, inside the session too."""

    @functools.wraps(method)
    def converted(session: "PivCardSession", /, *args: P.args, **kwargs: P.kwargs) -> T:
        with _converted(session.serial):
            return method(session, *args, **kwargs)

    return converted


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
    def identity(self) -> TokenIdentity:
        return _identity(self.serial, self._piv)

    def forget(self) -> None:
        """The PIN ends with the session."""
        self._pin = ""

    @_ours
    def keys(self) -> tuple[TokenKey, ...]:
        """The keys in the signing and authentication slots."""
        found = ((label, self._metadata(slot)) for label, slot in _SLOTS.items())
        return tuple(_token_key(label, metadata) for label, metadata in found if metadata)

    @_ours
    def generate(self, label: str, algorithm: Algorithm) -> TokenKey:
        """A new key with PIN always and touch always; MisuseError if the slot is taken."""
        slot = _slot(label)
        if self._metadata(slot):
            raise MisuseError(f"card {self.serial}: slot {label} holds a key already", hint="nothing is overwritten")
        key = _hex_key(self._management_key(f"management key of card {self.serial} (hex)"))
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
        _verify_pin(self._piv, self._pin, self.serial)
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


def _identity(serial: int, piv: PivSession) -> TokenIdentity:
    factory = "factory secrets" if _any_factory(piv) else "PIV"
    return TokenIdentity("piv", "Yubico", f"YubiKey {factory}", str(serial), str(piv.version), f"card {serial}")


def _token_key(label: str, metadata: SlotMetadata) -> TokenKey:
    spki = metadata.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    attributes: dict[str, bool | str] = {
        "pin_policy": metadata.pin_policy.name.lower(),
        "touch_policy": metadata.touch_policy.name.lower(),
        "generated": metadata.generated,
    }
    return TokenKey(label, algorithm_of(spki), spki, attributes)


def _factory(piv: PivSession) -> tuple[bool, bool, bool]:
    """Whether PIN, PUK and management key are the factory's."""
    return (
        piv.get_pin_metadata().default_value,
        piv.get_puk_metadata().default_value,
        piv.get_management_key_metadata().default_value,
    )


def _any_factory(piv: PivSession) -> bool:
    return any(_factory(piv))


def _all_factory(piv: PivSession) -> bool:
    return all(_factory(piv))


def _slot(label: str) -> SLOT:
    if label not in _SLOTS:
        raise MisuseError(f"no slot {label}; slots are: {', '.join(_SLOTS)}")
    return _SLOTS[label]


def _hex_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise MisuseError("the management key is 48 hex digits") from error
    if len(key) != 24:
        raise MisuseError(f"the management key is 48 hex digits, not {len(text)}")
    return key


def _verify_pin(piv: PivSession, pin: str, serial: int) -> None:
    try:
        piv.verify_pin(pin)
    except InvalidPinError as error:
        if error.attempts_remaining == 0:
            raise PinLockedError(f"card {serial}: the PIN is locked", hint="the PUK unlocks it") from error
        raise WrongPinError(f"card {serial}", error.attempts_remaining) from error
    except ValueError as error:  # longer than a PIV PIN can be: no try was spent
        raise WrongPinError(f"card {serial}", piv.get_pin_attempts()) from error


@contextlib.contextmanager
def _converted(serial: int) -> Iterator[None]:
    """The one place where the libraries' exceptions become ours."""
    try:
        yield
    except SmartcardException as error:
        raise TokenRemovedError(f"card {serial}: pulled out or gone; nothing was signed ({error})") from error
    except NotSupportedError as error:
        raise TokenError(f"card {serial}: its firmware is too old: {error}", hint="5.7 or newer is needed") from error
    except CommandError as error:
        raise TokenError(f"card {serial}: {error}") from error
