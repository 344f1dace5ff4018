"""What the security officer keeps, through the command line: the management key, and secrets that are nobody else's."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from yubikit.piv import DEFAULT_MANAGEMENT_KEY, MANAGEMENT_KEY_TYPE, PivSession

from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards, VirtualPivConnection
from enigm_testkit.piv_desk import CARD, Desk, Holder, desk_with_key
from enigm_testkit.piv_people import MANAGEMENT_KEY, ready_token


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return desk_with_key(tmp_path, capsys)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("cd" * 24, "card 1001: wrong management key; no key was made"),
        ("cd" * 23, "the management key is 48 hex digits, not 46"),
        ("ef" * 32, "the management key is 48 hex digits, not 64"),
        ("not hex", "the management key is 48 hex digits"),
    ],
)
def test_no_key_is_made_without_the_management_key(desk: Desk, key: str, error: str) -> None:
    holder = Holder(desk.card, management_key=key)
    assert desk.run("key", "generate", "--token", CARD, "--label", "9a", holder=holder) == 2
    assert desk.capsys.readouterr().err.startswith(f"error: {error}\n")
    assert list(desk.card.slots) == [0x9C]


def test_a_management_key_of_the_old_kind_makes_no_key(desk: Desk) -> None:
    piv = PivSession(VirtualPivConnection(desk.card))
    piv.authenticate(bytes.fromhex(MANAGEMENT_KEY))
    piv.set_management_key(MANAGEMENT_KEY_TYPE.TDES, bytes.fromhex(MANAGEMENT_KEY))
    assert desk.run("key", "generate", "--token", CARD, "--label", "9a") == 2
    error, hint = desk.said()
    assert error == "card 1001: its management key is TDES, and must be AES192"
    assert "ykman piv access change-management-key --algorithm AES192" in hint


def test_a_card_that_is_too_old_for_ed25519_says_so(desk: Desk) -> None:
    old = VirtualPivCard(1003, firmware=(5, 4, 3))
    ready_token(old)
    arguments = ["key", "generate", "--token", "piv:serial=1003", "--label", "9c", "--algorithm", "ed25519"]
    assert desk.run(*arguments, cards=InProcessCards(old)) == 2
    assert desk.said()[0] == "card 1003: Ed25519 needs firmware 5.7.0 or newer, this is 5.4.3"


def test_an_ed25519_key_is_made_enrolled_and_shown(desk: Desk) -> None:
    desk.card.slots.clear()
    who = ["--token", CARD, "--label", "9c"]
    assert desk.run("key", "generate", *who, "--algorithm", "ed25519") == 0
    assert desk.enrol() == 0
    for shown in (["--record", str(desk.record)], who):
        assert desk.run("key", "show", *shown, "--json") == 0
        facts = json.loads(desk.capsys.readouterr().out)
        attested = {name: value for name, value in facts.items() if name.startswith("attested_")}
        assert attested == {
            "attested_serial": "1001",
            "attested_firmware": "5.7.4",
            "attested_pin_policy": "always",
            "attested_touch_policy": "always",
            "attested_form_factor": "USB-A keychain",
            "attested_certification": "none",
        }
        assert desk.run("key", "show", *shown) == 0
        assert "attested_form_factor" in desk.capsys.readouterr().out


def factory_management_key(card: VirtualPivCard) -> None:
    card.management_key = DEFAULT_MANAGEMENT_KEY


FLAWS: dict[str, tuple[Callable[[VirtualPivCard], object], str, dict[str, str]]] = {
    "the factory's PIN": (lambda card: setattr(card.pin, "value", b"123456"), "factory secrets", {"PIN": "123456"}),
    "the factory's PUK": (lambda card: setattr(card.puk, "value", b"12345678"), "factory secrets", {}),
    "the factory's management key": (factory_management_key, "factory secrets", {}),
    "a management key stored under the PIN": (
        lambda card: card.objects.update({bytes.fromhex("5fff00"): bytes.fromhex("8003810102")}),
        "management key under the PIN",
        {},
    ),
    "a management key derived from the PIN": (
        lambda card: card.objects.update({bytes.fromhex("5fff00"): bytes.fromhex("80128210") + b"s" * 16}),
        "management key under the PIN",
        {},
    ),
}


@pytest.mark.parametrize("name", FLAWS)
def test_production_refuses_each_flaw_alone_and_staging_does_not(desk: Desk, name: str) -> None:
    flaw, called, answers = FLAWS[name]
    flaw(desk.card)
    assert desk.enrol(Holder(desk.card, **answers)) == 3
    error = desk.capsys.readouterr().err
    assert error.startswith("error: TOKEN-PRODUCTION: token card 1001 in production: ")
    assert called in error
    assert desk.card.signatures == 0
    assert desk.enrol(Holder(desk.card, **answers), environment="staging") == 0
