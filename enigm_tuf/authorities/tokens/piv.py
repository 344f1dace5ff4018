"""PIV cards through yubikey-manager: a person with a PIN and a finger.

Keys are made on the card with PIN always and touch always, read back, and attested by its maker. The PIN is asked
once for each session, kept only inside it, and sent right before every signature, as the policy demands.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import ClassVar

from yubikit.core import require_version
from yubikit.core.smartcard import ApduError
from yubikit.piv import DEFAULT_MANAGEMENT_KEY, MANAGEMENT_KEY_TYPE, PivSession

from enigm_tuf.authorities.tokens.piv_cards import CardSource, PcscCards, let_go, no_card
from enigm_tuf.authorities.tokens.piv_errors import converted, verify_pin
from enigm_tuf.authorities.tokens.piv_session import (
    PivCardSession,
    factory_secrets,
    management_key_bytes,
    read_identity,
)
from enigm_tuf.errors import MisuseError, TokenError
from enigm_tuf.ports import PinCallback, TokenIdentity

__all__ = ["CardSource", "PcscCards", "PivToken"]

FACTORY_PIN, FACTORY_PUK = "123456", "12345678"
_FIRST_WITH_AES = (5, 4, 0)


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
            return read_identity(serial, piv)

    def initialise(self, *secrets: str) -> None:
        """From the factory's PIN, PUK and management key to new ones; MisuseError if they are not the factory's."""
        pin, puk, management_key = secrets
        key = _require_new(pin, puk, management_key)
        with self._piv() as (serial, piv):
            if not all(factory_secrets(piv)):
                raise MisuseError(
                    f"card {serial} is not fresh from the factory; nothing was changed",
                    hint="ykman piv reset makes it so, and destroys its keys",
                )
            require_version(piv.version, _FIRST_WITH_AES)  # the last step needs it, and the first cannot be undone
            piv.authenticate(DEFAULT_MANAGEMENT_KEY)
            try:
                piv.change_pin(FACTORY_PIN, pin)
                piv.change_puk(FACTORY_PUK, puk)
            except ApduError as error:
                raise TokenError(
                    f"card {serial}: it took not both, new PIN and new PUK: {error}",
                    hint="it may forbid simple ones: ykman piv reset, then again",
                ) from error
            piv.set_management_key(MANAGEMENT_KEY_TYPE.AES192, key)

    @contextlib.contextmanager
    def session(self, pin: PinCallback) -> Iterator["PivCardSession"]:
        """Verify the PIN; close the connection, which forgets it, whatever happens."""
        with self._piv() as (serial, piv):
            secret = pin(f"PIN of card {serial}")
            verify_pin(piv, secret, serial)
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
            with converted(serial):
                yield serial, PivSession(connection)
        finally:
            let_go(connection)

    def _only_card(self) -> int:
        serials = self._cards.serials()
        if len(serials) != 1:
            raise no_card(None, serials)
        return serials[0]


def _require_new(pin: str, puk: str, management_key: str) -> bytes:
    """The management key's bytes. MisuseError before anything on the card is changed."""
    for what, secret in (("PIN", pin), ("PUK", puk)):
        if not (secret.isascii() and 6 <= len(secret) <= 8):
            raise MisuseError(f"a {what} has 6 to 8 ASCII characters; nothing was changed")
    key = management_key_bytes(management_key)
    if {pin, puk} & {FACTORY_PIN, FACTORY_PUK} or key == DEFAULT_MANAGEMENT_KEY:
        raise MisuseError("the factory's secrets are everybody's", hint="choose others")
    return key
