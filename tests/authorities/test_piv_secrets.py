"""PIN, PUK and management key of a PIV card: made once, asked for, never spent or half changed."""

import pytest
from yubikit.core.smartcard import SW

from enigm_testkit.piv_apdu import CardError
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_testkit.piv_people import MANAGEMENT_KEY, PIN, PUK, pin, ready_token, token_of
from enigm_tuf.authorities.tokens.piv import PivToken
from enigm_tuf.errors import MisuseError, TokenError, WrongPinError
from enigm_tuf.trust.signable import proof_of_possession

MESSAGE = proof_of_possession(b"c" * 32)


@pytest.fixture
def card() -> VirtualPivCard:
    return VirtualPivCard(1001)


def is_factory(card: VirtualPivCard) -> bool:
    fresh = VirtualPivCard(card.serial)
    return (card.pin, card.puk, card.management_key) == (fresh.pin, fresh.puk, fresh.management_key)


def test_new_secrets_replace_all_three_of_the_factory(card: VirtualPivCard) -> None:
    token = token_of(card)
    assert "factory" in token.identity().model
    token.initialise(PIN, PUK, MANAGEMENT_KEY)
    assert "factory" not in token.identity().model
    assert (card.pin.value, card.puk.value) == (PIN.encode(), PUK.encode())
    assert card.management_key.hex() == MANAGEMENT_KEY


@pytest.mark.parametrize(
    ("new_pin", "new_puk", "management_key", "says"),
    [
        ("65432", PUK, MANAGEMENT_KEY, "a PIN has 6 to 8"),
        ("654321987", PUK, MANAGEMENT_KEY, "a PIN has 6 to 8"),
        ("ééé", PUK, MANAGEMENT_KEY, "a PIN has 6 to 8 ASCII"),
        (PIN, "87654", MANAGEMENT_KEY, "a PUK has 6 to 8"),
        (PIN, "876543219", MANAGEMENT_KEY, "a PUK has 6 to 8"),
        (PIN, PUK, MANAGEMENT_KEY[:-2], "48 hex digits"),
        (PIN, PUK, MANAGEMENT_KEY[:-1] + "g", "48 hex digits"),
        ("123456", PUK, MANAGEMENT_KEY, "everybody's"),
        (PIN, "12345678", MANAGEMENT_KEY, "everybody's"),
        (PIN, PUK, "0102030405060708" * 3, "everybody's"),
    ],
)
def test_a_bad_new_secret_changes_nothing_on_the_card(
    card: VirtualPivCard, new_pin: str, new_puk: str, management_key: str, says: str
) -> None:
    with pytest.raises(MisuseError, match=says):
        token_of(card).initialise(new_pin, new_puk, management_key)
    assert is_factory(card)


def test_a_card_too_old_for_an_aes_management_key_is_left_as_it_was() -> None:
    old, newer = (VirtualPivCard(1001, firmware=firmware) for firmware in ((5, 3, 0), (5, 4, 0)))
    with pytest.raises(TokenError, match="card 1001: its firmware is too old"):
        token_of(old).initialise(PIN, PUK, MANAGEMENT_KEY)
    assert is_factory(old)
    token_of(newer).initialise(PIN, PUK, MANAGEMENT_KEY)
    assert newer.management_key.hex() == MANAGEMENT_KEY


def test_a_card_that_forbids_a_simple_pin_keeps_its_own(card: VirtualPivCard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Firmware 5.7 can demand complex PINs."""

    def forbid(_padded: bytes) -> None:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED)

    monkeypatch.setattr(card.pin, "set", forbid)
    with pytest.raises(TokenError, match="new PIN and new PUK") as caught:
        token_of(card).initialise("111111", PUK, MANAGEMENT_KEY)
    assert "ykman piv reset" in caught.value.hint
    assert (card.pin.is_factory, card.puk.is_factory) == (True, True)


@pytest.mark.parametrize("typed", ["", "12345", "123456789", "é" * 5, "\udce9" * 2])
def test_a_pin_that_no_card_can_have_spends_no_try(card: VirtualPivCard, typed: str) -> None:
    token = ready_token(card)
    with pytest.raises(WrongPinError, match="3 tries left"), token.session(lambda _: typed):
        pytest.fail("logged in with an impossible PIN")
    assert card.pin.left == 3


def test_the_pin_is_asked_for_once_and_names_the_card(card: VirtualPivCard) -> None:
    asked: list[str] = []

    def ask(what: str) -> str:
        asked.append(what)
        return PIN

    with ready_token(card).session(ask) as session:
        session.generate("9c", "ecdsa-p256")
        assert session.sign("9c", MESSAGE) != session.sign("9c", MESSAGE)
    assert asked == ["PIN of card 1001"]


def test_a_session_that_is_over_signs_nothing(card: VirtualPivCard) -> None:
    with ready_token(card).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
        assert session.sign("9c", MESSAGE)
    with pytest.raises(MisuseError, match="the session is over"):
        session.sign("9c", MESSAGE)
    assert card.pin.left == 3


def test_a_session_that_fails_is_over_too(card: VirtualPivCard) -> None:
    token = ready_token(card)
    with pytest.raises(ZeroDivisionError), token.session(pin) as session:
        raise ZeroDivisionError
    assert not card.link.verified
    with pytest.raises(MisuseError, match="the session is over"):
        session.keys()


def test_the_management_key_is_asked_for_only_to_make_a_key(card: VirtualPivCard) -> None:
    ready_token(card)
    asked: list[str] = []

    def ask(what: str) -> str:
        asked.append(what)
        return MANAGEMENT_KEY

    with PivToken(1001, InProcessCards(card), ask).session(pin) as session:
        session.keys()
        assert asked == []
        session.generate("9c", "ecdsa-p256")
    assert asked == ["management key of card 1001 (hex)"]


def test_no_key_is_made_where_the_management_key_cannot_be_asked_for(card: VirtualPivCard) -> None:
    ready_token(card)
    with (
        PivToken(1001, InProcessCards(card)).session(pin) as session,
        pytest.raises(MisuseError, match="needs the card's management key"),
    ):
        session.generate("9c", "ecdsa-p256")
    assert not card.slots
