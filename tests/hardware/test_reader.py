"""The virtual PIV cards in a real pcscd: our backend, and the tools of others, find them and sign with them.

There can be one pcscd on a machine: pytest-xdist gives a file to one worker (``--dist loadfile``).
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from smartcard.System import readers

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_people import MANAGEMENT_KEY, PIN, pin, ready_token
from enigm_testkit.vpcd import PORTS, READERS, VpcdPlug, pcscd
from enigm_tuf.authorities.tokens.attestation import verify_attestation
from enigm_tuf.authorities.tokens.piv import PcscCards, PivToken
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import NoTokenError, TokenRemovedError
from enigm_tuf.ports import TokenKey
from enigm_tuf.trust.signable import proof_of_possession

pytestmark = pytest.mark.reader
CA = AttestationCa()
MESSAGE = proof_of_possession(b"c" * 32)
YKMAN = str(Path(sys.executable).with_name("ykman"))


@pytest.fixture(scope="module", autouse=True)
def _daemon() -> Iterator[None]:
    with pcscd():  # where it cannot run, the error says why: a missing reader is never passed over
        yield


@pytest.fixture
def cards() -> Iterator[tuple[VirtualPivCard, VirtualPivCard]]:
    """Two cards with secrets of their own, both in; 1001 has a key."""
    first, second = VirtualPivCard(1001, attestation_ca=CA), VirtualPivCard(1002, attestation_ca=CA)
    with ready_token(first).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
    ready_token(second)
    with VpcdPlug(first, PORTS[0]), VpcdPlug(second, PORTS[1]):
        yield first, second


def token(serial: int | None) -> PivToken:
    return PivToken(serial, PcscCards(), lambda _: MANAGEMENT_KEY)


def key_of(serial: int) -> TokenKey:
    with token(serial).session(pin) as session:
        (key,) = session.keys()
    return key


def output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("cards")
def test_a_card_is_chosen_by_its_serial_and_never_guessed() -> None:
    assert [token(serial).identity().serial for serial in (1002, 1001)] == ["1002", "1001"]
    with pytest.raises(NoTokenError, match="card 1003 is not in a reader; there are: 1001, 1002"):
        token(1003).identity()
    with pytest.raises(NoTokenError, match=r"which card\?; there are: 1001, 1002"):
        token(None).identity()


@pytest.mark.usefixtures("cards")
def test_a_card_in_a_reader_makes_a_key_signs_and_is_attested() -> None:
    with token(1002).session(pin) as session:
        key = session.generate("9c", "ecdsa-p384")
        signature = session.sign("9c", MESSAGE)
        chain = session.attestation("9c")
    require_valid(key.spki, signature, MESSAGE.data, "9c")
    assert verify_attestation(chain, (CA.root.public_bytes(Encoding.DER),), key.spki, datetime.now(UTC)).serial == 1002


def test_the_only_card_needs_no_name_and_an_empty_reader_costs_no_time() -> None:
    with VpcdPlug(VirtualPivCard(1001, attestation_ca=CA)):
        started = time.monotonic()
        assert token(None).identity().serial == "1001"
        assert time.monotonic() - started < 2  # ykman's own search takes three seconds


def test_without_any_card_that_is_what_is_said() -> None:
    with pytest.raises(NoTokenError, match=r"which card\?; there are: none"):
        token(None).identity()


def test_without_pcscd_that_is_what_is_said(tmp_path: Path) -> None:
    """In a process of its own, since the library looks for the socket once."""
    asked = "from enigm_tuf.authorities.cli import main; raise SystemExit(main(['token', 'list', '--piv']))"
    nowhere = {**os.environ, "PCSCLITE_CSOCK_NAME": str(tmp_path / "no socket")}
    done = subprocess.run([sys.executable, "-c", asked], env=nowhere, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1:] == ["hint: is pcscd running?"]
    assert done.stderr.startswith("error: no smart card service: ")


@pytest.mark.usefixtures("cards")
def test_a_card_that_another_program_holds_is_not_called_missing() -> None:
    held = PcscCards().open(1001)
    try:
        for look in (PcscCards().serials, token(1001).identity):
            with pytest.raises(NoTokenError, match=READERS[0]) as caught:
                look()
            assert "another program" in caught.value.hint
        assert token(1002).identity().serial == "1002"
    finally:
        held.close()
    assert token(1001).identity().serial == "1001"


def test_a_card_pulled_out_in_the_middle_is_named_and_works_again_when_it_is_back() -> None:
    card = VirtualPivCard(1001, attestation_ca=CA)
    with ready_token(card).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
    with VpcdPlug(card) as plug, token(1001).session(pin) as session:
        plug.unplug()
        with pytest.raises(TokenRemovedError, match="card 1001: pulled out or gone; no answer was received"):
            session.sign("9c", MESSAGE)
    with VpcdPlug(card), token(1001).session(pin) as session:
        assert session.sign("9c", MESSAGE)


@pytest.mark.usefixtures("cards")
def test_the_makers_own_tools_read_the_cards() -> None:
    assert sorted(line.split()[-1] for line in output(YKMAN, "list").splitlines()) == ["1001", "1002"]
    info = output(YKMAN, "--device", "1001", "piv", "info")
    assert "PIV version:              5.7.4" in info
    assert "Private key type: ECCP256" in info
    status = output("yubico-piv-tool", "-r", READERS[0], "-a", "status")
    assert "Serial Number:\t1001" in status
    assert "PIN tries left:\t3" in status


@pytest.mark.usefixtures("cards")
def test_opensc_reads_a_piv_card() -> None:
    assert "Personal Identity Verification Card" in output("opensc-tool", "-r", "0", "-n")
    assert "PIN [PIV PUK]" in output("pkcs15-tool", "-r", "0", "-D")


@pytest.mark.usefixtures("cards")
def test_other_programs_sign_with_the_key_under_its_policies(tmp_path: Path) -> None:
    """ykman writes a certificate with it, OpenSC and the maker's PKCS#11 module sign; all with PIN and touch always."""
    key = key_of(1001)
    public = load_der_public_key(key.spki).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(public)
    (tmp_path / "digest").write_bytes(hashlib.sha256(MESSAGE.data).digest())
    secrets = ("-m", MANAGEMENT_KEY, "-P", PIN)
    made = (YKMAN, "--device", "1001", "piv", "certificates", "generate", "9c", str(tmp_path / "key.pem"))
    output(*made, "-s", "CN=alice", *secrets)
    for module in ("opensc-pkcs11.so", "libykcs11.so"):
        tool = ("pkcs11-tool", "--module", f"/usr/lib/x86_64-linux-gnu/{module}", "--slot-index", "0", "-l", "-p", PIN)
        private = output(*tool, "-O", "--type", "privkey", "--id", "02")
        assert "always authenticate, sensitive, always sensitive, never extractable, local" in private
        signing = ("--sign", "-m", "ECDSA", "--id", "02", "--signature-format", "openssl")
        output(*tool, *signing, "-i", str(tmp_path / "digest"), "-o", str(tmp_path / module))
        require_valid(key.spki, (tmp_path / module).read_bytes(), MESSAGE.data, module)


def test_the_readers_are_named_as_the_maker_names_them() -> None:
    assert [reader.name for reader in readers()] == list(READERS)
