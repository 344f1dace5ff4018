"""A PIN that is locked or forgotten, through the command line: the PUK, with its own tries."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from enigm_testkit.piv_desk import CARD, Desk, Holder, desk_with_key
from enigm_testkit.piv_people import PIN


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return desk_with_key(tmp_path, capsys)


def test_the_puk_gives_a_locked_card_a_new_pin_and_its_keys_stay(desk: Desk) -> None:
    desk.card.pin.left = 0
    assert desk.unblock(new_PIN="246813") == 0
    assert "card 1001: has a new PIN" in desk.capsys.readouterr().out
    assert desk.enrol(Holder(desk.card, PIN="246813")) == 0


@dataclass(frozen=True)
class PukTrouble:
    answers: dict[str, str]
    error: str
    hint: str
    kind: str
    left: int = 3
    left_after: int = 3


PUK_TROUBLES = {
    "a wrong PUK": PukTrouble(
        {"PUK": "00000000"},
        "card 1001: wrong PUK (2 tries left); the PIN is as it was",
        "ask the security officer for this card's PUK; when no try is left, the card must be reset",
        "WrongPukError",
        left_after=2,
    ),
    "a PUK that no card can have": PukTrouble(
        {"PUK": "12345"},
        "card 1001: wrong PUK (3 tries left); the PIN is as it was",
        "ask the security officer for this card's PUK; when no try is left, the card must be reset",
        "WrongPukError",
    ),
    "the last wrong PUK": PukTrouble(
        {"PUK": "00000000"},
        "card 1001: the PUK is locked; nothing unlocks the PIN any more",
        "take another card, and treat its keys as lost; ykman piv reset makes this one new and destroys its keys",
        "PukLockedError",
        left=1,
        left_after=0,
    ),
    "a PUK that no card can have, locked": PukTrouble(
        {"PUK": "12345"},
        "card 1001: the PUK is locked; nothing unlocks the PIN any more",
        "take another card, and treat its keys as lost; ykman piv reset makes this one new and destroys its keys",
        "PukLockedError",
        left=0,
        left_after=0,
    ),
    "the right PUK, locked": PukTrouble(
        {},
        "card 1001: the PUK is locked; nothing unlocks the PIN any more",
        "take another card, and treat its keys as lost; ykman piv reset makes this one new and destroys its keys",
        "PukLockedError",
        left=0,
        left_after=0,
    ),
    "the factory's PIN as the new one": PukTrouble(
        {"new_PIN": "123456"},
        "the factory's secrets are everybody's; nothing was changed",
        "choose others",
        "MisuseError",
    ),
}


@pytest.mark.parametrize("name", PUK_TROUBLES)
@pytest.mark.parametrize("shown", ["text", "json"])
def test_trouble_with_the_puk_leaves_the_pin_as_it_was(desk: Desk, name: str, shown: str) -> None:
    trouble = PUK_TROUBLES[name]
    desk.card.pin.left, desk.card.puk.left = 0, trouble.left
    answers = {"new_PIN": "246813"} | trouble.answers
    if shown == "text":
        assert desk.unblock(**answers) == 2
        assert desk.said() == (trouble.error, trouble.hint)
    else:
        holder = Holder(desk.card, **answers)
        assert desk.run("token", "unblock", "--token", CARD, "--json", holder=holder) == 2
        assert json.loads(desk.capsys.readouterr().out)["error"]["kind"] == trouble.kind
    assert (desk.card.pin.value, desk.card.pin.left) == (PIN.encode(), 0)
    assert desk.card.puk.left == trouble.left_after


def test_a_new_pin_that_is_typed_two_ways_changes_nothing(desk: Desk) -> None:
    assert desk.unblock(again="246814", new_PIN="246813") == 2
    assert "the two new PINs differ; nothing was changed" in desk.capsys.readouterr().err
    assert desk.card.pin.value == PIN.encode()


def test_a_key_file_has_no_puk(desk: Desk) -> None:
    assert desk.run("token", "unblock", "--token", "development:dev.json") == 2
    error, hint = desk.said()
    assert error.endswith("a key file has no PUK")
    assert "make a new file" in hint
