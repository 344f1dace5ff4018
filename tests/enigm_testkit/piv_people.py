"""Who holds a virtual card in the tests: their PIN, PUK and management key, and a token with a key."""

from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_tuf.authorities.tokens.piv import PivToken
from enigm_tuf.ports import Algorithm

PIN, PUK, MANAGEMENT_KEY = "654321", "87654321", "ab" * 24


def pin(_: str) -> str:
    """Types the PIN."""
    return PIN


def token_of(card: VirtualPivCard) -> PivToken:
    """The card as it came from the factory."""
    return PivToken(card.serial, InProcessCards(card), lambda _: MANAGEMENT_KEY)


def ready_token(card: VirtualPivCard) -> PivToken:
    """The card with secrets of its own."""
    token = token_of(card)
    token.initialise(PIN, PUK, MANAGEMENT_KEY)
    return token


def attested(card: VirtualPivCard, algorithm: Algorithm = "ecdsa-p256") -> tuple[tuple[bytes, ...], bytes]:
    """The maker's chain for a new key in slot 9c, and the key."""
    with ready_token(card).session(pin) as session:
        key = session.generate("9c", algorithm)
        return session.attestation("9c"), key.spki
