"""The virtual card behaves as the real one: the real PivSession drives it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from yubikit.core import InvalidPinError
from yubikit.core.smartcard import SW, ApduError
from yubikit.management import ManagementSession
from yubikit.piv import (
    DEFAULT_MANAGEMENT_KEY,
    KEY_TYPE,
    MANAGEMENT_KEY_TYPE,
    OBJECT_ID,
    PIN_POLICY,
    SLOT,
    TOUCH_POLICY,
    PivSession,
)

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.piv_card import PIV, VirtualPivCard
from enigm_testkit.piv_connection import VirtualPivConnection
from enigm_testkit.piv_file import load_card, save_card

CA = AttestationCa()


@pytest.fixture
def card() -> VirtualPivCard:
    return VirtualPivCard(1001, attestation_ca=CA)


@pytest.fixture
def piv(card: VirtualPivCard) -> PivSession:
    session = PivSession(VirtualPivConnection(card))
    session.authenticate(DEFAULT_MANAGEMENT_KEY)
    return session


def make_key(piv: PivSession, pin_policy: PIN_POLICY) -> None:
    piv.generate_key(SLOT.SIGNATURE, KEY_TYPE.ECCP256, pin_policy, TOUCH_POLICY.NEVER)


def sign(piv: PivSession) -> bytes:
    return piv.sign(SLOT.SIGNATURE, KEY_TYPE.ECCP256, b"message", hashes.SHA256())


def test_pin_always_means_the_very_last_command(piv: PivSession) -> None:
    make_key(piv, PIN_POLICY.ALWAYS)
    piv.verify_pin("123456")
    sign(piv)
    with pytest.raises(ApduError) as again:
        sign(piv)
    piv.verify_pin("123456")
    piv.get_serial()
    with pytest.raises(ApduError) as between:
        sign(piv)
    assert again.value.sw == between.value.sw == SW.SECURITY_CONDITION_NOT_SATISFIED


def test_pin_once_lasts_as_long_as_the_connection(card: VirtualPivCard, piv: PivSession) -> None:
    make_key(piv, PIN_POLICY.ONCE)
    piv.verify_pin("123456")
    assert sign(piv)
    assert sign(piv)
    with pytest.raises(ApduError):
        sign(PivSession(VirtualPivConnection(card)))


def test_pin_never_asks_for_none(piv: PivSession) -> None:
    make_key(piv, PIN_POLICY.NEVER)
    assert sign(piv)


def test_a_short_digest_is_padded_on_the_left(piv: PivSession) -> None:
    key = piv.generate_key(SLOT.SIGNATURE, KEY_TYPE.ECCP384, PIN_POLICY.NEVER, TOUCH_POLICY.NEVER)
    signature = piv.sign(SLOT.SIGNATURE, KEY_TYPE.ECCP384, b"message", hashes.SHA256())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, b"message", ec.ECDSA(hashes.SHA256()))


def test_the_puk_unblocks_a_locked_pin(piv: PivSession) -> None:
    for left in (2, 1, 0):
        with pytest.raises(InvalidPinError) as caught:
            piv.verify_pin("000000")
        assert caught.value.attempts_remaining == left
    piv.unblock_pin("12345678", "654321")
    piv.verify_pin("654321")


def test_a_reset_needs_both_locked_and_keeps_the_attestation_key_alone(card: VirtualPivCard, piv: PivSession) -> None:
    make_key(piv, PIN_POLICY.ALWAYS)
    piv.put_object(OBJECT_ID.PRINTED, b"text")
    with pytest.raises(ApduError) as caught:
        piv.protocol.send_apdu(0, 0xFB, 0, 0)
    assert caught.value.sw == SW.CONDITIONS_NOT_SATISFIED
    piv.reset()
    assert not card.slots
    assert card.pin.is_factory
    assert piv.get_certificate(SLOT.ATTESTATION)
    with pytest.raises(ApduError) as gone:
        piv.get_object(OBJECT_ID.PRINTED)
    assert gone.value.sw == SW.FILE_NOT_FOUND


def test_new_numbers_of_tries_need_the_pin_and_bring_the_factory_secrets_back(piv: PivSession) -> None:
    piv.change_pin("123456", "654321")
    with pytest.raises(ApduError):
        piv.set_pin_attempts(5, 4)
    piv.verify_pin("654321")
    piv.set_pin_attempts(5, 4)
    assert (piv.get_pin_metadata().total_attempts, piv.get_puk_metadata().total_attempts) == (5, 4)
    assert piv.get_pin_metadata().default_value


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        (MANAGEMENT_KEY_TYPE.TDES, 24),
        (MANAGEMENT_KEY_TYPE.AES128, 16),
        (MANAGEMENT_KEY_TYPE.AES192, 24),
        (MANAGEMENT_KEY_TYPE.AES256, 32),
    ],
)
def test_every_kind_of_management_key_is_shown(
    card: VirtualPivCard, piv: PivSession, kind: MANAGEMENT_KEY_TYPE, size: int
) -> None:
    piv.set_management_key(kind, b"\xa1" * size)
    again = PivSession(VirtualPivConnection(card))
    again.authenticate(b"\xa1" * size)
    assert again.get_management_key_metadata().key_type == kind
    with pytest.raises(ApduError):
        PivSession(VirtualPivConnection(card)).authenticate(b"\xa2" * size)


@pytest.mark.parametrize("firmware", [(5, 4, 3), (5, 7, 4)])
def test_the_factory_management_key_is_tdes_before_5_7_and_aes_since(firmware: tuple[int, int, int]) -> None:
    piv = PivSession(VirtualPivConnection(VirtualPivCard(1, firmware=firmware, attestation_ca=CA)))
    expected = MANAGEMENT_KEY_TYPE.AES192 if firmware >= (5, 7, 0) else MANAGEMENT_KEY_TYPE.TDES
    piv.authenticate(DEFAULT_MANAGEMENT_KEY)
    assert piv.management_key_type == expected


def test_metadata_came_with_firmware_5_3() -> None:
    old = PivSession(VirtualPivConnection(VirtualPivCard(1, firmware=(5, 2, 7), attestation_ca=CA)))
    with pytest.raises(ApduError) as caught:
        old.protocol.send_apdu(0, 0xF7, 0, 0x80)
    assert caught.value.sw == SW.INVALID_INSTRUCTION


@pytest.mark.parametrize("number", [1, 127, 128, 255, 12345678, 2**31])
def test_the_serial_is_the_same_everywhere(number: int) -> None:
    connection = VirtualPivConnection(VirtualPivCard(number, attestation_ca=CA))
    assert ManagementSession(connection).read_device_info().serial == number
    assert PivSession(connection).get_serial() == number


def test_without_the_management_key_nothing_is_made(card: VirtualPivCard) -> None:
    with pytest.raises(ApduError) as caught:
        make_key(PivSession(VirtualPivConnection(card)), PIN_POLICY.ALWAYS)
    assert caught.value.sw == SW.SECURITY_CONDITION_NOT_SATISFIED


def test_a_card_comes_back_from_its_file_as_it_was(card: VirtualPivCard, piv: PivSession, tmp_path: Path) -> None:
    make_key(piv, PIN_POLICY.ALWAYS)
    piv.change_pin("123456", "654321")
    with pytest.raises(InvalidPinError):
        piv.verify_pin("000000")
    save_card(card, tmp_path / "card.json")
    loaded = PivSession(VirtualPivConnection(load_card(tmp_path / "card.json")))
    assert (tmp_path / "card.json").stat().st_mode & 0o777 == 0o600
    assert loaded.get_slot_metadata(SLOT.SIGNATURE) == piv.get_slot_metadata(SLOT.SIGNATURE)
    assert loaded.get_pin_metadata() == piv.get_pin_metadata()
    assert loaded.get_pin_attempts() == 2
    own, before = (session.get_certificate(SLOT.ATTESTATION) for session in (loaded, piv))
    assert own.public_bytes(Encoding.DER) == before.public_bytes(Encoding.DER)
    loaded.attest_key(SLOT.SIGNATURE).verify_directly_issued_by(own)
    loaded.verify_pin("654321")
    assert sign(loaded)


SELECT_PIV = bytes([0, 0xA4, 4, 0, len(PIV)]) + PIV
COMMANDS = st.sampled_from([0x20, 0x24, 0x2C, 0x47, 0x87, 0xC0, 0xCB, 0xDB, 0xF7, 0xF8, 0xF9, 0xFA, 0xFE, 0xFF, 0x00])


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0, 0x10]), COMMANDS, st.binary(max_size=40)), max_size=6))
def test_whatever_is_sent_the_card_answers_with_a_status(sent: list[tuple[int, int, bytes]]) -> None:
    card = VirtualPivCard(1001, attestation_ca=CA)
    card.transmit(SELECT_PIV)
    card.link.managed = True  # so that more commands go deep
    for cla, ins, rest in sent:
        assert len(card.transmit(bytes([cla, ins]) + rest)) >= 2
