"""The virtual PIV cards in a real pcscd: every client on this machine finds them. One pcscd, so one worker."""

import subprocess
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.vpcd import PORTS, VpcdPlug, pcscd
from enigm_tuf.authorities.tokens.attestation import verify_attestation
from enigm_tuf.authorities.tokens.piv import PcscCards, PivToken
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import NoTokenError, TokenRemovedError
from enigm_tuf.trust.signable import proof_of_possession

pytestmark = [pytest.mark.reader, pytest.mark.xdist_group("reader")]
CA = AttestationCa()
MESSAGE = proof_of_possession(b"c" * 32)
MANAGEMENT_KEY = "ab" * 24


@pytest.fixture(scope="module", autouse=True)
def _daemon() -> Iterator[None]:
    with pcscd(patience=120):
        yield


@pytest.fixture
def cards() -> Iterator[tuple[VirtualPivCard, VirtualPivCard]]:
    """Two cards, both in."""
    first, second = VirtualPivCard(1001, attestation_ca=CA), VirtualPivCard(1002, attestation_ca=CA)
    with VpcdPlug(first, PORTS[0]), VpcdPlug(second, PORTS[1]):
        wait_for_cards()
        yield first, second
    time.sleep(0.5)  # pcscd sees empty readers before the next test plugs its cards in


def wait_for_cards() -> None:
    for _ in range(50):
        if len(PcscCards().serials()) == 2:
            return
        time.sleep(0.1)
    pytest.fail("pcscd does not see both cards")


def token(serial: int) -> PivToken:
    made = PivToken(serial, PcscCards(), lambda _: MANAGEMENT_KEY)
    made.initialise("654321", "87654321", MANAGEMENT_KEY)
    return made


def output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_both_cards_are_found_by_their_serials(cards: tuple[VirtualPivCard, VirtualPivCard]) -> None:
    assert sorted(PcscCards().serials()) == [card.serial for card in cards]


def test_a_card_in_a_reader_makes_a_key_signs_and_is_attested(cards: tuple[VirtualPivCard, VirtualPivCard]) -> None:
    assert cards
    with token(1002).session(lambda _: "654321") as session:
        key = session.generate("9c", "ecdsa-p256")
        signature = session.sign("9c", MESSAGE)
        chain = session.attestation("9c")
    require_valid(key.spki, signature, MESSAGE.data, "9c")
    assert verify_attestation(chain, (CA.root.public_bytes(Encoding.DER),), key.spki).serial == 1002


def test_a_card_pulled_out_in_the_middle_is_named() -> None:
    card, other = VirtualPivCard(1001, attestation_ca=CA), VirtualPivCard(1002, attestation_ca=CA)
    with VpcdPlug(card, PORTS[0]) as plug, VpcdPlug(other, PORTS[1]):
        wait_for_cards()
        made = token(1001)
        with pytest.raises(TokenRemovedError, match="card 1001"):
            sign_while_it_is_pulled(made, plug)
        with pytest.raises(NoTokenError, match="1002"):
            made.identity()
    time.sleep(0.5)


def sign_while_it_is_pulled(made: PivToken, plug: VpcdPlug) -> None:
    with made.session(lambda _: "654321") as session:
        session.generate("9c", "ecdsa-p256")
        plug.unplug()
        session.sign("9c", MESSAGE)


def test_the_makers_own_tools_find_the_cards(cards: tuple[VirtualPivCard, VirtualPivCard]) -> None:
    assert cards
    assert "Serial: 1001" in output(".venv/bin/ykman", "list")
    assert "PIV version:              5.7.4" in output(".venv/bin/ykman", "--device", "1001", "piv", "info")
    assert "Serial Number:" in output("yubico-piv-tool", "-r", "Yubico YubiKey CCID 00 00", "-a", "status")


def test_opensc_finds_a_piv_card(cards: tuple[VirtualPivCard, VirtualPivCard]) -> None:
    assert cards
    assert "Personal Identity Verification Card" in output("opensc-tool", "-r", "0", "-n")
    assert "PIV" in output("pkcs15-tool", "-r", "0", "-D")


@pytest.mark.parametrize("name", ["opensc-pkcs11.so", "libykcs11.so"])
def test_foreign_pkcs11_modules_show_the_key(cards: tuple[VirtualPivCard, VirtualPivCard], name: str) -> None:
    assert cards
    with token(1001).session(lambda _: "654321") as session:
        session.generate("9c", "ecdsa-p256")
    listing = output("pkcs11-tool", "--module", f"/usr/lib/x86_64-linux-gnu/{name}", "-L")
    assert "1001" in listing or "PIV" in listing
