"""PIV cards through yubikey-manager: a person with a PIN and a finger.

Keys are made on the card with PIN always and touch always, read back, and attested by its maker. The PIN is asked
once for each session, kept only inside it, and sent right before every signature, as the policy demands.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import ClassVar

from yubikit.piv import PivSession

from enigm_tuf.authorities.tokens.piv_cards import CardSource, PcscCards, let_go, no_card
from enigm_tuf.authorities.tokens.piv_errors import converted, understood, verify_pin
from enigm_tuf.authorities.tokens.piv_secrets import read_identity, replace_factory_secrets, unblock_pin
from enigm_tuf.authorities.tokens.piv_session import PivCardSession
from enigm_tuf.authorities.tokens.piv_touch import Waiting
from enigm_tuf.errors import MisuseError
from enigm_tuf.ports import PinCallback, TokenIdentity

__all__ = ["CardSource", "PcscCards", "PivToken"]


def _nobody(_: str) -> str:
    raise MisuseError("this needs the card's management key", hint="run it where it can be asked for")


def _silence(_text: str, _seconds: int) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


class PivToken:
    """Implements ``enigm_tuf.ports.Token`` on one card. ``serial`` None means the only card that is in.

    ``management_key`` is asked for the key in hex when a key is made; ``waiting`` tells when to touch the card.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ("PIN", "PUK", "management key (hex)")
    UNBLOCK_SECRETS: ClassVar[tuple[str, ...]] = ("PUK", "new PIN")

    def __init__(
        self,
        serial: int | None,
        cards: CardSource,
        management_key: Callable[[str], str] = _nobody,
        waiting: Waiting = _silence,
    ) -> None:
        self._serial = serial
        self._cards = cards
        self._management_key = management_key
        self._waiting = waiting

    def identity(self) -> TokenIdentity:
        """Read without a PIN; NoTokenError."""
        with self._piv() as (serial, piv), understood(serial):
            return read_identity(serial, piv)

    def initialise(self, *secrets: str) -> None:
        """From the factory's PIN, PUK and management key to new ones; MisuseError if they are not the factory's."""
        pin, puk, management_key = secrets
        with self._piv() as (serial, piv), understood(serial):
            replace_factory_secrets(piv, serial, pin, puk, management_key)

    def unblock(self, *secrets: str) -> None:
        """A new PIN by the PUK; WrongPukError, PukLockedError."""
        puk, pin = secrets
        with self._piv() as (serial, piv), understood(serial):
            unblock_pin(piv, serial, puk, pin)

    @contextlib.contextmanager
    def session(self, pin: PinCallback) -> Iterator["PivCardSession"]:
        """Verify the PIN; close the connection, which forgets it, whatever happens."""
        with self._piv() as (serial, piv):
            secret = pin(f"PIN of card {serial}")
            with understood(serial):
                verify_pin(piv, secret, serial)
            session = PivCardSession(serial, piv, secret, self._management_key, self._waiting)
            try:
                yield session
            finally:
                session.forget()

    @contextlib.contextmanager
    def _piv(self) -> Iterator[tuple[int, PivSession]]:
        serial = self._serial = self._serial or self._only_card()  # once met, no other card will do
        connection = self._cards.open(serial)
        try:
            with converted(serial):
                with understood(serial):
                    piv = PivSession(connection)
                yield serial, piv
        finally:
            let_go(connection)

    def _only_card(self) -> int:
        serials = self._cards.serials()
        if len(serials) != 1:
            raise no_card(None, serials)
        return serials[0]
