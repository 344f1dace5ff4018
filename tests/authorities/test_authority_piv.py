"""The manifest authority and an operator on PIV cards: PIN, touch, and a card that is pulled out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from enigm_testkit.house import House, build_house
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_desk import CARD, desk_with_key
from enigm_testkit.piv_finger import at_once
from enigm_testkit.piv_people import PIN as HOLDERS_PIN
from enigm_testkit.recovery import get_on
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.history import history_of
from enigm_tuf.model.request import read_response


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Root and payload keys on SoftHSM; a manifest key and alice's approval key on cards."""
    house = build_house(tmp_path / "house", "manifest-a", "alice").with_root()
    house.repo("product", "add", "phone", "--channel", "stable")
    return house


@pytest.fixture
def request_file(house: House) -> Path:
    return house.request("product-phone", "manifest")


def last_entry(house: House) -> EntryType:
    return read_log(house.home("manifest") / "audit.log")[-1].type


def in_doubt(house: House) -> bool:
    return history_of(read_log(house.home("manifest") / "audit.log")).open_intent is not None


def performed(house: House) -> int:
    return sum(entry.type == EntryType.SIGN_PERFORMED for entry in read_log(house.home("manifest") / "audit.log"))


def test_a_card_approves_and_a_card_signs_three_payloads(house: House, request_file: Path) -> None:
    (path,) = house.signed_by(request_file, "manifest-a")
    response, envelopes = read_response(path.read_bytes(), path.name)
    assert [item.role for item in response.signatures] == ["phone.manifest", "snapshot", "targets"]
    assert len(envelopes) == 2


def test_what_came_from_the_cards_is_published(house: House, request_file: Path) -> None:
    answers = house.signed_by(house.request("product-phone"), "payload-a", "payload-b")
    house.publish("product-phone", *answers, *house.signed_by(request_file, "manifest-a"))
    assert (house.path / "repository" / "published" / "metadata" / "1.phone.manifest.json").is_file()


def test_a_wrong_pin_shows_the_tries_that_are_left(
    house: House, request_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    votes = house.votes(request_file)
    assert house.signs(request_file, "manifest-a", votes, PIN="000000") == 2
    assert "wrong PIN (2 tries left)" in capsys.readouterr().err
    assert house.cards["manifest-a"].signatures == 1  # the proof of possession, when it was enrolled
    assert (last_entry(house), performed(house)) == (EntryType.SIGN_REFUSED, 0)
    assert house.signs(request_file, "manifest-a", votes) == 0


def test_without_a_touch_nothing_is_signed_and_it_can_be_done_again(
    house: House, request_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    votes = house.votes(request_file)
    touches: Iterator[float | None] = iter([0.0, None])
    house.cards["manifest-a"].touch = lambda: next(touches)
    assert house.signs(request_file, "manifest-a", votes) == 2
    assert "nobody touched it in 15 seconds" in capsys.readouterr().err
    assert (last_entry(house), performed(house)) == (EntryType.SIGN_REFUSED, 1)
    assert not in_doubt(house)
    house.cards["manifest-a"].touch = at_once
    assert house.signs(request_file, "manifest-a", votes) == 0
    assert performed(house) == 3


def test_a_card_pulled_out_while_it_signs_leaves_a_doubt_that_only_people_end(
    house: House, request_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    votes = house.votes(request_file)
    card = house.cards["manifest-a"]

    def pulled() -> float:
        card.pulled = True
        return at_once()

    card.touch = pulled
    assert house.signs(request_file, "manifest-a", votes) == 2
    said = capsys.readouterr().err
    assert "error: card 7000001: pulled out or gone" in said
    assert "hint: the token may have signed" in said
    assert (last_entry(house), in_doubt(house)) == (EntryType.SIGN_REFUSED, True)
    card.pulled, card.touch = False, at_once
    signatures = card.signatures
    assert house.signs(request_file, "manifest-a", votes) == 3
    assert "error: SIGN-INTENT-OPEN" in capsys.readouterr().err
    assert card.signatures == signatures
    get_on(house, authority="manifest")
    assert house.signs(request_file, "manifest-a", votes) == 0


def test_a_card_that_is_not_in_is_one_clear_line(
    house: House, request_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    votes = house.votes(request_file)
    house.cards["manifest-a"].pulled = True
    assert house.signs(request_file, "manifest-a", votes) == 2
    assert "error: card 7000001 is not in a reader" in capsys.readouterr().err


def enrolled_ed25519(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[VirtualPivCard, bytes]:
    desk = desk_with_key(folder, capsys)
    desk.card.slots.clear()
    assert desk.run("key", "generate", "--token", CARD, "--label", "9c", "--algorithm", "ed25519") == 0
    assert desk.enrol(environment="staging") == 0
    return desk.card, desk.record.read_bytes()


def test_an_ed25519_key_signs_until_the_metadata_outgrows_the_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A card takes 3,045 bytes; the targets of one product are 1.8 kB, and each further one adds to them."""
    card, record = enrolled_ed25519(tmp_path, capsys)
    house = build_house(tmp_path / "house", ready={"manifest-a": (card, record)}).with_root()

    def signs(product: str) -> tuple[int, int]:
        house.repo("product", "add", product, "--channel", "stable")
        request, before = house.request(f"product-{product}", "manifest"), card.signatures
        votes = house.votes(request)
        capsys.readouterr()
        return house.signs(request, "manifest-a", votes, PIN=HOLDERS_PIN), card.signatures - before

    number = 0
    while (outcome := signs(name := f"{'p' * 50}-{number}")) == (0, 3):
        answers = house.signed_by(house.request(f"product-{name}"), "payload-a", "payload-b")
        response = house.response(house.request(f"product-{name}", "manifest"), "manifest-a")
        house.publish(f"product-{name}", *answers, response)
        number += 1
    assert number > 0
    assert outcome == (2, 2)  # the new product's manifest and the snapshot are small
    error, hint = capsys.readouterr().err.splitlines()[-2:]
    assert error.startswith("error: card 1001, slot 9c: an Ed25519 key on a card signs up to 3045 bytes, not 3")
    assert "ecdsa-p384" in hint
    assert not in_doubt(house)
