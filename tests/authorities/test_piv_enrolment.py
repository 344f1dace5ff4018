"""A key on a PIV card becomes a key record only if its maker vouches for that key on that card."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from yubikit.piv import PIN_POLICY, SLOT, TOUCH_POLICY, PivSession

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import VirtualPivConnection
from enigm_testkit.piv_people import MANAGEMENT_KEY, pin, ready_token
from enigm_tuf.authorities.enrolment import Enrolment, enrol
from enigm_tuf.authorities.tokens.piv import PivToken
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.keys import KeyRecord

CA = AttestationCa()
ROOT = CA.root.public_bytes(Encoding.DER)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def card() -> VirtualPivCard:
    return VirtualPivCard(1001, attestation_ca=CA)


@pytest.fixture
def token(card: VirtualPivCard) -> PivToken:
    """With a key in slot 9c."""
    token = ready_token(card)
    with token.session(pin) as session:
        session.generate("9c", "ecdsa-p256")
    return token


def enrolled(token: PivToken, *roots: bytes) -> KeyRecord:
    with token.session(pin) as session:
        return enrol(session, "9c", Enrolment("manifest", "production", "alice", roots), NOW)


def test_an_attested_key_is_enrolled_with_its_card_and_its_chain(token: PivToken) -> None:
    record = enrolled(token, ROOT)
    assert (record.home, record.token.serial, record.token.firmware, record.label) == ("piv", "1001", "5.7.4", "9c")
    assert len(record.attestation) == 2


def test_without_a_pinned_root_nothing_is_enrolled(token: PivToken) -> None:
    with pytest.raises(MisuseError, match="its maker's root"):
        enrolled(token)


def test_a_chain_to_another_root_is_refused(token: PivToken) -> None:
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION-CHAIN: end: expected a pinned root"):
        enrolled(token, AttestationCa().root.public_bytes(Encoding.DER))


def test_a_card_that_says_another_serial_than_its_maker_is_refused(card: VirtualPivCard, token: PivToken) -> None:
    card.serial = 1002  # what it attests; the reader knows it as 1001
    with pytest.raises(RefusedError, match="TOKEN-ATTESTED-CARD: card 1001, attested serial: expected 1001, got 1002"):
        enrolled(token, ROOT)


def test_a_key_that_was_brought_in_has_nobody_to_vouch_for_it(card: VirtualPivCard, token: PivToken) -> None:
    piv = PivSession(VirtualPivConnection(card))
    piv.authenticate(bytes.fromhex(MANAGEMENT_KEY))
    piv.put_key(SLOT.SIGNATURE, ec.generate_private_key(ec.SECP256R1()), PIN_POLICY.ALWAYS, TOUCH_POLICY.ALWAYS)
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION: chain: expected an attestation certificate, got none"):
        enrolled(token, ROOT)
