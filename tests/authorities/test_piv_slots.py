"""Keys in the slots of a PIV card: which count, which sign, and what never leaves."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from yubikit.piv import KEY_TYPE

from enigm_testkit.piv_card import PIV, VirtualPivCard
from enigm_testkit.piv_finger import at_once
from enigm_testkit.piv_people import pin, ready_token, token_of
from enigm_testkit.piv_state import ATTESTATION_OBJECT, TOUCH_NEVER
from enigm_tuf.authorities.tokens.piv_keys import ED25519_BYTES
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import MisuseError, RefusedError, TokenError
from enigm_tuf.ports import Algorithm
from enigm_tuf.trust.signable import POSSESSION_DOMAIN, proof_of_possession

SELECT = bytes([0, 0xA4, 4, 0, len(PIV)]) + PIV
MESSAGE = proof_of_possession(b"c" * 32)


@pytest.fixture
def card() -> VirtualPivCard:
    return VirtualPivCard(1001)


def test_a_signature_by_another_key_never_leaves(card: VirtualPivCard) -> None:
    """The card is exchanged while it waits for the finger: what it signs then is not what was asked for."""
    with ready_token(card).session(pin) as session:
        session.generate("9c", "ecdsa-p256")

        def exchange() -> float:
            card.slots[0x9C].key = ec.generate_private_key(ec.SECP256R1())
            return at_once()

        card.touch = exchange
        with pytest.raises(RefusedError, match="SIGNATURE-SELF-CHECK: card 1001, slot 9c"):
            session.sign("9c", MESSAGE)


def test_a_key_of_another_kind_beside_ours_is_no_obstacle(card: VirtualPivCard) -> None:
    """An operator may log in elsewhere with an RSA key in slot 9a."""
    with ready_token(card).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
        card.slots[0x9A] = replace(card.slots[0x9C], algorithm=KEY_TYPE.RSA2048)
        assert [key.label for key in session.keys()] == ["9c"]
        assert session.sign("9c", MESSAGE)


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "ed25519"])
def test_approval_keys_may_live_in_slot_9a(card: VirtualPivCard, algorithm: Algorithm) -> None:
    with ready_token(card).session(pin) as session:
        made = {label: session.generate(label, algorithm) for label in ("9a", "9c")}
        assert session.keys() == tuple(made.values())
        require_valid(made["9a"].spki, session.sign("9a", MESSAGE), MESSAGE.data, "9a")


def test_only_slots_of_the_standard_have_keys(card: VirtualPivCard) -> None:
    with ready_token(card).session(pin) as session:
        for action in (lambda: session.generate("f9", "ecdsa-p256"), lambda: session.sign("82", MESSAGE)):
            with pytest.raises(MisuseError, match="slots are: 9a, 9c, 9d, 9e"):
                action()
        with pytest.raises(MisuseError, match="slot 9c is empty"):
            session.sign("9c", MESSAGE)


def test_a_kind_of_key_that_nobody_knows_is_one_clear_line(card: VirtualPivCard) -> None:
    with ready_token(card).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
        card.slots[0x9C].algorithm = 0x77
        with pytest.raises(TokenError, match="card 1001, slot 9c: not understood: 119"):
            session.sign("9c", MESSAGE)


def test_a_public_key_that_is_none_is_one_clear_line(card: VirtualPivCard) -> None:
    with ready_token(card).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
        card.slots[0x9C].algorithm = KEY_TYPE.ED25519
        with pytest.raises(TokenError, match=r"card 1001, slot 9c: not understood: .*32 bytes"):
            session.keys()


def test_ed25519_came_with_firmware_5_7() -> None:
    old = VirtualPivCard(1001, firmware=(5, 6, 9))
    with (
        ready_token(old).session(pin) as session,
        pytest.raises(TokenError, match=r"card 1001: Ed25519 needs firmware 5\.7\.0 or newer, this is 5\.6\.9"),
    ):
        session.generate("9c", "ed25519")
    assert not old.slots


def test_the_first_firmware_with_ed25519_makes_such_a_key() -> None:
    with ready_token(VirtualPivCard(1001, firmware=(5, 7, 0))).session(pin) as session:
        assert session.generate("9c", "ed25519").algorithm == "ed25519"


class LyingCard(VirtualPivCard):
    """Attests with bytes that are no certificate."""

    def transmit(self, raw: bytes) -> bytes:
        answer = super().transmit(raw)
        return b"nonsense" + answer[-2:] if raw[1] == 0xF9 else answer


def test_an_attestation_that_is_no_certificate_is_one_clear_line() -> None:
    with ready_token(LyingCard(1001)).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
        with pytest.raises(TokenError, match="card 1001, slot 9c: not understood"):
            session.attestation("9c")


@pytest.mark.parametrize("content", [b"", b"\x70\x04none\x71\x01\x00", b"none"])
def test_a_card_whose_own_certificate_was_overwritten_says_so(card: VirtualPivCard, content: bytes) -> None:
    with ready_token(card).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
        card.objects[ATTESTATION_OBJECT] = content
        if not content:
            del card.objects[ATTESTATION_OBJECT]
        with pytest.raises(TokenError, match="card 1001, slot f9: no certificate of the maker's") as caught:
            session.attestation("9c")
        assert "take another card" in caught.value.hint


@pytest.mark.parametrize("algorithm", ["rsa-pss-3072", "ml-dsa-65"])
def test_a_kind_of_key_that_cards_lack_is_not_asked_for(card: VirtualPivCard, algorithm: Algorithm) -> None:
    with (
        ready_token(card).session(pin) as session,
        pytest.raises(MisuseError, match=f"no {algorithm} key; it makes: ecdsa-p256, ecdsa-p384, ed25519"),
    ):
        session.generate("9c", algorithm)


def unwanted() -> float:
    pytest.fail("a finger was asked for")


def test_ed25519_signs_what_fits_in_one_command_and_a_finger_is_not_asked_for_more(card: VirtualPivCard) -> None:
    """The card takes 3,062 bytes; one more than the longest message would be one more than that."""
    with ready_token(card).session(pin) as session:
        key = session.generate("9c", "ed25519")
        longest = proof_of_possession(b"c" * (ED25519_BYTES - len(POSSESSION_DOMAIN)))
        require_valid(key.spki, session.sign("9c", longest), longest.data, "9c")
        card.touch = unwanted
        with pytest.raises(MisuseError, match="signs up to 3045 bytes, not 3046"):
            session.sign("9c", proof_of_possession(longest.data[len(POSSESSION_DOMAIN) :] + b"c"))
    assert card.signatures == 1


def test_the_card_takes_no_longer_command_than_we_think(card: VirtualPivCard) -> None:
    """The limit is the card's own: what we refuse to send, it refuses to take."""
    assert card.transmit(SELECT)[-2:] == b"\x90\0"
    for size, status in ((3_055, b"\x6d\0"), (3_056, b"\x67\0")):
        command = bytes([0, 0xEE, 0, 0, 0]) + size.to_bytes(2, "big") + b"\0" * size
        assert card.transmit(command)[-2:] == status


def test_a_card_too_old_to_say_what_it_holds_is_one_clear_line() -> None:
    token = token_of(VirtualPivCard(1001, firmware=(5, 2, 7)))
    with pytest.raises(TokenError, match="card 1001: its firmware is too old"):
        token.identity()
    with (
        token.session(lambda _: "123456") as session,
        pytest.raises(TokenError, match="card 1001: its firmware is too old"),
    ):
        session.keys()


class ForgetfulCard(VirtualPivCard):
    """Makes every key without a touch policy, whatever was asked for."""

    def transmit(self, raw: bytes) -> bytes:
        answer = super().transmit(raw)
        for slot in self.slots.values():
            slot.touch_policy = TOUCH_NEVER
        return answer


def test_a_key_that_was_made_otherwise_than_asked_is_refused_at_once() -> None:
    with (
        ready_token(ForgetfulCard(1001)).session(pin) as session,
        pytest.raises(
            RefusedError, match="TOKEN-ATTRIBUTES: card 1001, slot 9c, touch_policy: expected always, got never"
        ),
    ):
        session.generate("9c", "ecdsa-p256")
