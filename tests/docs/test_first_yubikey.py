"""The page for a first YubiKey is played: its commands in their order, on a virtual card, to the first signature."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

import enigm_testkit
from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.house import PIN, House, build_house, read
from enigm_testkit.pages import Page, code
from enigm_testkit.people import Answers
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.clock import SystemClock
from enigm_tuf.model.request import read_response
from enigm_tuf.model.words import last_words

PAGE = Page("howto/first-yubikey")
PUBLISHED = Path(enigm_testkit.__path__[0]) / "yubico_piv_ca.txt"


@dataclass(frozen=True)
class Shown:
    """A command of the page and what the page says that it prints."""

    command: str
    output: str


def shown() -> list[Shown]:
    parts = [part for block in PAGE.blocks("console") for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [Shown(*part.split("\n", 1)) for part in parts]


@pytest.fixture
def card() -> VirtualPivCard:
    return VirtualPivCard(12345678, attestation_ca=AttestationCa(between=2))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


class Player:
    """Plays the page's commands one after the other."""

    def __init__(self, card: VirtualPivCard, capsys: pytest.CaptureFixture[str]) -> None:
        self._card, self._capsys = card, capsys
        self._left: Iterator[Shown] = iter(shown())
        self.answers = {"PIN": PIN, "PUK": "97531024"}

    def play(self, starts: str) -> str:
        """The next command, which must begin so; returns what it printed, which must be what the page shows."""
        step = next(self._left)
        assert step.command.startswith(starts)
        printed = self._sign(step.command) if starts.startswith("enigm-sign") else _shell(step.command)
        assert printed.endswith(step.output)
        return printed

    def skip(self, starts: str) -> Shown:
        """The next command, which is not for a test to run."""
        step = next(self._left)
        assert step.command.startswith(starts)
        return step

    def _sign(self, command: str) -> str:
        edges = Edges(SystemClock(), Answers(**self.answers), InProcessCards(self._card))
        self._capsys.readouterr()
        status = main(shlex.split(command)[1:], edges)
        said = self._capsys.readouterr()
        assert status == 0, said.err
        return said.out

    def is_at_its_end(self) -> bool:
        return next(self._left, None) is None


def _shell(command: str) -> str:
    return subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout


def write_yubicos_root(folder: Path) -> None:
    """What curl would bring."""
    (root,) = (
        one
        for one in x509.load_pem_x509_certificates(PUBLISHED.read_bytes())
        if "Yubico Attestation Root 1" in one.subject.rfc4514_string()
    )
    (folder / "yubico-ca-1.pem").write_bytes(root.public_bytes(Encoding.PEM))


def house_with(folder: Path, card: VirtualPivCard, record: bytes) -> House:
    """An authority whose root names the key of the page."""
    house = build_house(folder / "house", ready={"manifest-a": (card, record)}).with_root()
    house.repo("product", "add", "phone", "--channel", "stable")
    return house


def test_the_page_leads_from_the_packet_to_the_first_signature(
    card: VirtualPivCard, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Player(card, capsys)
    page.play("enigm-sign token list")
    assert "yubico-intermediate.pem" in page.skip("curl").command
    write_yubicos_root(desk)
    page.play("openssl x509")
    maker = AttestationCa("the maker of the virtual card", between=2)  # from here on in place of Yubico's
    card.attestation = maker.issue_card(card.serial)
    card.back_to_factory()
    (desk / "yubico-ca-1.pem").write_bytes(maker.root_pem)
    (desk / "yubico-intermediate.pem").write_bytes(maker.intermediates_pem)
    page.answers["management key"] = page.play("openssl rand").strip()
    page.play("enigm-sign token init")
    assert "ecdsa-p384" in page.play("enigm-sign key generate")
    page.play("enigm-sign key enrol")
    assert "attested_form_factor" in page.play("enigm-sign key show")
    record = (desk / "heidi.key.json").read_bytes()
    assert json.loads(record)["token"]["model"] == "YubiKey PIV"

    house = house_with(desk, card, record)
    request = house.request("product-phone", "manifest")
    votes = [str(part) for part in house.votes(request) if part != "--approval"]
    for source, name in zip(votes, ("alice.dsse.json", "bob.dsse.json"), strict=True):
        shutil.copy(source, desk / name)
    shutil.copy(request, desk / "manifest.enigmreq")
    (desk / "manifest.home").symlink_to(house.home("manifest"))
    page.answers["last four words"] = last_words(read(request).digest)
    page.play("enigm-sign request inspect")
    page.play("enigm-sign sign")
    response, _ = read_response((desk / "heidi.enigmresp").read_bytes(), "heidi.enigmresp")
    assert [item.role for item in response.signatures] == ["phone.manifest", "snapshot", "targets"]
    assert card.signatures == 4  # and the proof of possession

    card.pin.left = 0
    page.play("enigm-sign token unblock")
    assert page.is_at_its_end()


def test_what_the_page_says_that_it_says_is_said_somewhere() -> None:
    said, rows = code(), PAGE.rows
    assert len(rows) > 10
    assert [row for row in rows if row not in said] == []
