"""The virtual card as yubikit sees a card, without any reader: in process."""

from smartcard.Exceptions import CardConnectionException
from yubikit.core import TRANSPORT
from yubikit.core.smartcard import SmartCardConnection

from enigm_testkit.piv_card import VirtualPivCard
from enigm_tuf.authorities.tokens.piv_cards import no_card


class VirtualPivConnection(SmartCardConnection):
    """One connection to a card that is in; ``pulled`` cards answer nothing."""

    def __init__(self, card: VirtualPivCard, transport: TRANSPORT = TRANSPORT.USB) -> None:
        self._card = card
        self._transport = transport
        card.reset_link()

    @property
    def transport(self) -> TRANSPORT:
        return self._transport

    def send_and_receive(self, apdu: bytes) -> tuple[bytes, int]:
        if self._card.pulled:
            raise CardConnectionException("Card was removed")
        answer = self._card.transmit(apdu)
        if self._card.pulled:  # while it was at work: what it did, nobody hears
            raise CardConnectionException("Card was removed")
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    def close(self) -> None:
        self._card.reset_link()


class InProcessCards:
    """Implements ``CardSource``: these cards are in."""

    def __init__(self, *cards: VirtualPivCard) -> None:
        self._cards = {card.serial: card for card in cards}

    def serials(self) -> tuple[int, ...]:
        return tuple(serial for serial, card in self._cards.items() if not card.pulled)

    def open(self, serial: int) -> SmartCardConnection:
        if serial not in self.serials():
            raise no_card(serial, self.serials())
        return VirtualPivConnection(self._cards[serial])
