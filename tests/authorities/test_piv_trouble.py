"""What goes wrong with a card, through the command line: its own kind of error, one line, the next step, status 2.

The card counts its signatures: where something went wrong there is none that anybody got.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_testkit.piv_desk import CARD, Desk, Holder, desk_with_key
from enigm_testkit.piv_finger import Finger, never, too_late
from enigm_tuf.model.keys import read_key_record


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return desk_with_key(tmp_path, capsys)


def other_card() -> VirtualPivCard:
    return VirtualPivCard(1002)


def finger_that_pulls(card: VirtualPivCard, second: float | None) -> Finger:
    def pull() -> float | None:
        card.pulled = True
        return second

    return pull


@dataclass(frozen=True)
class Trouble:
    """``made`` counts signatures that the card made although nobody got them."""

    kind: str
    error: str
    hint: str
    holder: Callable[[VirtualPivCard], Holder] = Holder
    prepare: Callable[[VirtualPivCard], object] = id
    cards: Callable[[VirtualPivCard], InProcessCards] = InProcessCards
    token: str = CARD
    made: int = 0


def wrong_pin(card: VirtualPivCard) -> Holder:
    return Holder(card, PIN="000000")


def tries(left: int) -> Callable[[VirtualPivCard], object]:
    return lambda card: setattr(card.pin, "left", left)


def finger(touch: Finger) -> Callable[[VirtualPivCard], object]:
    return lambda card: setattr(card, "touch", touch)


TROUBLES = {
    "the card is out": Trouble(
        "NoTokenError",
        "card 1001 is not in a reader; there are: none",
        "put card 1001 in, and run the command again",
        prepare=lambda card: setattr(card, "pulled", True),
    ),
    "another card is in": Trouble(
        "NoTokenError",
        "card 1001 is not in a reader; there are: 1002",
        "put card 1001 in, and run the command again",
        cards=lambda _: InProcessCards(other_card()),
    ),
    "two cards are in, and none is named": Trouble(
        "NoTokenError",
        "which card?; there are: 1001, 1002",
        "name one: piv:serial=N",
        cards=lambda card: InProcessCards(card, other_card()),
        token="piv:",
    ),
    "no card is in, and none is named": Trouble(
        "NoTokenError",
        "which card?; there are: none",
        "put a card in, and run the command again",
        cards=lambda _: InProcessCards(),
        token="piv:",
    ),
    "pulled out while its PIN is typed": Trouble(
        "TokenRemovedError",
        "card 1001: pulled out or gone; no answer was received (Card was removed)",
        "put card 1001 back in, and run the command again",
        holder=lambda card: Holder(card, "while asked"),
    ),
    "pulled out while it waits for the finger": Trouble(
        "TokenRemovedError",
        "card 1001: pulled out or gone; no signature was received (Card was removed)",
        "put card 1001 back in, and run the command again",
        prepare=lambda card: setattr(card, "touch", finger_that_pulls(card, None)),
    ),
    "pulled out while it signs": Trouble(
        "TokenRemovedError",
        "card 1001: pulled out or gone; no signature was received (Card was removed)",
        "put card 1001 back in, and run the command again",
        prepare=lambda card: setattr(card, "touch", finger_that_pulls(card, 0.0)),
        made=1,
    ),
    "a wrong PIN": Trouble(
        "WrongPinError",
        "card 1001: wrong PIN (2 tries left)",
        "check which token this is before you try again",
        holder=wrong_pin,
    ),
    "the last wrong PIN": Trouble(
        "PinLockedError",
        "card 1001: the PIN is locked",
        "with the PUK: enigm-sign token unblock --token piv:serial=1001",
        holder=wrong_pin,
        prepare=tries(1),
    ),
    "the right PIN, locked": Trouble(
        "PinLockedError",
        "card 1001: the PIN is locked",
        "with the PUK: enigm-sign token unblock --token piv:serial=1001",
        prepare=tries(0),
    ),
    "nobody touches it": Trouble(
        "TouchTimeoutError",
        "card 1001, slot 9c: nobody touched it in 15 seconds; nothing was signed",
        "run the command again and touch the card when it blinks",
        prepare=finger(never),
    ),
    "the finger comes late": Trouble(
        "TouchTimeoutError",
        "card 1001, slot 9c: nobody touched it in 15 seconds; nothing was signed",
        "run the command again and touch the card when it blinks",
        prepare=finger(too_late),
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_with_the_card_is_one_line_with_the_next_step_and_no_signature(desk: Desk, name: str) -> None:
    trouble = TROUBLES[name]
    trouble.prepare(desk.card)
    arguments: dict[str, Any] = {"cards": trouble.cards(desk.card), "token": trouble.token}
    assert desk.enrol(trouble.holder(desk.card), **arguments) == 2
    assert desk.said() == (trouble.error, trouble.hint)
    assert desk.card.signatures == trouble.made
    assert not desk.record.exists()


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_has_a_class_of_its_own(desk: Desk, name: str) -> None:
    """For programs: ``--json`` gives it as ``kind``."""
    trouble = TROUBLES[name]
    trouble.prepare(desk.card)
    arguments = ["key", "enrol", "--token", trouble.token, "--label", "9c", "--purpose", "manifest", "--json"]
    arguments += ["--environment", "production", "--custodian", "heidi", "--out", str(desk.record)]
    arguments += ["--attestation-root", str(desk.folder / "maker.pem")]
    assert desk.run(*arguments, holder=trouble.holder(desk.card), cards=trouble.cards(desk.card)) == 2
    assert json.loads(desk.capsys.readouterr().out)["error"]["kind"] == trouble.kind


def test_without_trouble_the_key_is_enrolled(desk: Desk) -> None:
    """What each trouble above differs from, in one thing."""
    holder = Holder(desk.card)
    assert desk.enrol(holder) == 0
    assert holder.said == ["card 1001, slot 9c: touch it now to sign proof of possession, 15 s"]
    assert desk.card.signatures == 1
    assert read_key_record(desk.record.read_bytes(), "").token.serial == "1001"


def test_a_card_that_is_pulled_out_when_it_has_signed_has_signed(desk: Desk) -> None:
    assert desk.enrol(Holder(desk.card, "when it has signed")) == 0
    assert desk.card.signatures == 1
    assert desk.record.exists()
