"""The virtual card's commands on PIN, PUK and tries (SP 800-73-4 part 2, sections 3.2.1 to 3.2.3, and the vendor's)."""

from enigm_testkit import piv_apdu as sw
from enigm_testkit.piv_apdu import Apdu, CardError
from enigm_testkit.piv_state import CardState, Secret, require_managed

_PIN, _PUK = 0x80, 0x81


def secret_of(card: CardState, reference: int) -> Secret:
    """The PIN or the PUK."""
    if reference not in {_PIN, _PUK}:
        raise CardError(sw.REFERENCE_NOT_FOUND)
    return card.pin if reference == _PIN else card.puk


def verify(card: CardState, apdu: Apdu) -> bytes:
    """With no data it tells how many tries are left; with P1 FF it forgets."""
    if apdu.p2 != _PIN:
        raise CardError(sw.REFERENCE_NOT_FOUND)
    if apdu.p1 == 0xFF:
        card.link.verified = False
    elif apdu.data:
        card.link.verified = False
        card.pin.check(apdu.data)
        card.link.verified = card.link.fresh = True
    elif not card.link.verified:
        raise CardError(sw.NO_RETRY_LEFT + card.pin.left if card.pin.left else sw.BLOCKED)
    return b""


def change(card: CardState, apdu: Apdu) -> bytes:
    """The old one, then the new one."""
    secret = secret_of(card, apdu.p2)
    secret.check(apdu.data[:8])
    secret.set(apdu.data[8:])
    return b""


def unblock(card: CardState, apdu: Apdu) -> bytes:
    """The PUK, then a new PIN."""
    card.puk.check(apdu.data[:8])
    card.pin.set(apdu.data[8:])
    return b""


def set_retries(card: CardState, apdu: Apdu) -> bytes:
    """PIN and PUK go back to the factory's, with so many tries. Needs the management key and the PIN."""
    require_managed(card)
    if not card.link.verified:
        raise CardError(sw.SECURITY_NOT_SATISFIED)
    card.pin = Secret(card.pin.factory, total=apdu.p1, left=apdu.p1)
    card.puk = Secret(card.puk.factory, total=apdu.p2, left=apdu.p2)
    return b""


def reset(card: CardState, _apdu: Apdu) -> bytes:
    """Only once PIN and PUK are both locked."""
    if card.pin.left or card.puk.left:
        raise CardError(sw.CONDITIONS_NOT_SATISFIED)
    card.back_to_factory()
    return b""
