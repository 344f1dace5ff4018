"""PIV cards, in process: the real PivSession on the virtual card."""

import contextlib
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from yubikit.core import TRANSPORT
from yubikit.piv import DEFAULT_MANAGEMENT_KEY, KEY_TYPE, PIN_POLICY, SLOT, TOUCH_POLICY, PivSession

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards, VirtualPivConnection
from enigm_testkit.piv_finger import Finger, in_time, never, too_late
from enigm_tuf.authorities.tokens.piv import PivToken
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import (
    MisuseError,
    NoTokenError,
    PinLockedError,
    RefusedError,
    TokenError,
    TokenRemovedError,
    TouchTimeoutError,
    WrongPinError,
)
from enigm_tuf.ports import Algorithm
from enigm_tuf.trust.signable import proof_of_possession

MESSAGE = proof_of_possession(b"c" * 32)
MANAGEMENT_KEY = "ab" * 24
CA = AttestationCa()


@pytest.fixture
def card() -> VirtualPivCard:
    return VirtualPivCard(1001, attestation_ca=CA)


@pytest.fixture
def token(card: VirtualPivCard) -> PivToken:
    made = PivToken(1001, InProcessCards(card), lambda _: MANAGEMENT_KEY)
    made.initialise("654321", "87654321", MANAGEMENT_KEY)
    return made


def pin(_: str) -> str:
    return "654321"


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "ed25519"])
def test_a_key_made_on_the_card_signs_again_and_again(token: PivToken, algorithm: Algorithm) -> None:
    with token.session(pin) as session:
        key = session.generate("9c", algorithm)
        signatures = [session.sign("9c", MESSAGE) for _ in range(2)]
    for signature in signatures:
        require_valid(key.spki, signature, MESSAGE.data, "9c")
    assert key.attributes == {"pin_policy": "always", "touch_policy": "always", "generated": True}


def test_the_person_is_told_to_touch(card: VirtualPivCard, token: PivToken) -> None:
    said: list[str] = []

    @contextlib.contextmanager
    def tell(text: str, seconds: int) -> Iterator[None]:
        said.append(f"{text} in {seconds} s")
        yield
        said.append("over")

    told = PivToken(1001, InProcessCards(card), lambda _: MANAGEMENT_KEY, tell)
    with token.session(pin) as session:
        session.generate("9c", "ecdsa-p256")
    with told.session(pin) as session:
        session.sign("9c", MESSAGE)
    assert said == ["card 1001, slot 9c: touch it now to sign proof of possession in 15 s", "over"]


@pytest.mark.parametrize("finger", [never, too_late])
def test_nobody_touches_it_in_time(card: VirtualPivCard, token: PivToken, finger: Finger) -> None:
    with token.session(pin) as session:
        session.generate("9c", "ecdsa-p256")
        card.touch = finger
        with pytest.raises(TouchTimeoutError, match="in 15 seconds; nothing was signed"):
            session.sign("9c", MESSAGE)
        assert card.signatures == 0
        card.touch = in_time
        assert session.sign("9c", MESSAGE)


def test_a_wrong_pin_says_how_many_tries_are_left_until_it_locks(token: PivToken) -> None:
    for left in (2, 1):
        with pytest.raises(WrongPinError, match=f"{left} tries left") as caught, token.session(lambda _: "000000"):
            pytest.fail("logged in with a wrong PIN")
        assert caught.value.tries_left == left
    with pytest.raises(PinLockedError), token.session(lambda _: "000000"):
        pytest.fail("logged in with a wrong PIN")
    with pytest.raises(PinLockedError), token.session(pin):
        pytest.fail("logged in with a locked PIN")


def test_a_pin_that_no_card_can_have_spends_no_try(card: VirtualPivCard, token: PivToken) -> None:
    with pytest.raises(WrongPinError, match="3 tries left"), token.session(lambda _: "123456789"):
        pytest.fail("logged in with an impossible PIN")
    assert card.pin.left == 3


def test_a_card_pulled_out_before_the_signature(card: VirtualPivCard, token: PivToken) -> None:
    with token.session(pin) as session:
        session.generate("9c", "ecdsa-p256")
    with pytest.raises(TokenRemovedError, match="no answer was received"):
        sign_with_a_card_that_is_pulled(token, card)


def sign_with_a_card_that_is_pulled(token: PivToken, card: VirtualPivCard) -> None:
    with token.session(pin) as session:
        card.pulled = True
        session.sign("9c", MESSAGE)


def test_another_card_is_no_substitute(card: VirtualPivCard) -> None:
    with pytest.raises(NoTokenError, match="card 1002 is not in a reader; there are: 1001"):
        PivToken(1002, InProcessCards(card)).identity()


def test_the_only_card_needs_no_name_and_two_do(card: VirtualPivCard) -> None:
    assert PivToken(None, InProcessCards(card)).identity().serial == "1001"
    with pytest.raises(NoTokenError, match=r"which card\?; there are: 1001, 1002"):
        PivToken(None, InProcessCards(card, VirtualPivCard(1002))).identity()


def test_a_card_that_is_exchanged_after_a_first_look_is_not_logged_in_to(card: VirtualPivCard) -> None:
    """What was checked of the one must not count for the other."""
    other = VirtualPivCard(1002)
    other.pulled = True
    token = PivToken(None, InProcessCards(card, other))
    assert token.identity().serial == "1001"
    card.pulled, other.pulled = True, False
    with pytest.raises(NoTokenError, match="card 1001 is not in a reader; there are: 1002"), token.session(pin):
        pytest.fail("logged in to another card")


def test_a_slot_is_never_overwritten(token: PivToken) -> None:
    with token.session(pin) as session:
        session.generate("9c", "ecdsa-p256")
        with pytest.raises(MisuseError, match="holds a key already"):
            session.generate("9c", "ecdsa-p256")


def test_a_wrong_management_key_makes_no_key(card: VirtualPivCard, token: PivToken) -> None:
    del token
    wrong = PivToken(1001, InProcessCards(card), lambda _: "cd" * 24)
    with wrong.session(pin) as session, pytest.raises(TokenError, match="wrong management key"):
        session.generate("9c", "ecdsa-p256")
    assert not card.slots


def test_a_card_that_is_not_from_the_factory_is_not_initialised(token: PivToken) -> None:
    with pytest.raises(MisuseError, match="not fresh from the factory"):
        token.initialise("111111", "22222222", "ef" * 24)


def test_factory_secrets_are_refused_as_new_ones(card: VirtualPivCard) -> None:
    fresh = PivToken(1001, InProcessCards(card))
    with pytest.raises(MisuseError, match="everybody's"):
        fresh.initialise("123456", "87654321", MANAGEMENT_KEY)
    assert "factory" in fresh.identity().model


def make_key(card: VirtualPivCard, pin_policy: PIN_POLICY, touch_policy: TOUCH_POLICY) -> None:
    """A key made beside the tool."""
    session = PivSession(VirtualPivConnection(card))
    session.authenticate(bytes.fromhex(MANAGEMENT_KEY))
    session.generate_key(SLOT.SIGNATURE, KEY_TYPE.ECCP256, pin_policy, touch_policy)


@pytest.mark.parametrize(
    ("pin_policy", "touch_policy", "odd"),
    [
        (PIN_POLICY.ONCE, TOUCH_POLICY.ALWAYS, "pin_policy"),
        (PIN_POLICY.ALWAYS, TOUCH_POLICY.CACHED, "touch_policy"),
        (PIN_POLICY.ALWAYS, TOUCH_POLICY.NEVER, "touch_policy"),
    ],
)
def test_a_key_with_another_policy_signs_nothing(
    card: VirtualPivCard, token: PivToken, pin_policy: PIN_POLICY, touch_policy: TOUCH_POLICY, odd: str
) -> None:
    make_key(card, pin_policy, touch_policy)
    with token.session(pin) as session, pytest.raises(RefusedError, match=f"TOKEN-ATTRIBUTES.*{odd}"):
        session.sign("9c", MESSAGE)


def import_key(card: VirtualPivCard) -> None:
    session = PivSession(VirtualPivConnection(card))
    session.authenticate(bytes.fromhex(MANAGEMENT_KEY))
    key = ec.generate_private_key(ec.SECP256R1())
    session.put_key(SLOT.SIGNATURE, key, PIN_POLICY.ALWAYS, TOUCH_POLICY.ALWAYS)


def test_a_key_that_was_brought_in_signs_nothing_and_has_no_attestation(card: VirtualPivCard, token: PivToken) -> None:
    import_key(card)
    with token.session(pin) as session:
        assert session.attestation("9c") == ()
        with pytest.raises(RefusedError, match=r"TOKEN-ATTRIBUTES.*generated"):
            session.sign("9c", MESSAGE)


@pytest.mark.parametrize("transport", [TRANSPORT.USB, TRANSPORT.NFC])
def test_short_apdus_with_chaining_work_as_well_as_extended_ones(card: VirtualPivCard, transport: TRANSPORT) -> None:
    session = PivSession(VirtualPivConnection(card, transport))
    session.authenticate(DEFAULT_MANAGEMENT_KEY)
    session.put_object(0x5FC109, b"x" * 1500)
    assert session.get_object(0x5FC109) == b"x" * 1500
