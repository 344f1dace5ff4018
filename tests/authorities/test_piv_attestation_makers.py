"""What stands between a card and its maker's root: found among what the maker publishes, and trusted for nothing."""

import hashlib
import re
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

import enigm_testkit
from enigm_testkit.attestation_ca import AttestationCa, certificate, common_name
from enigm_testkit.attestation_paths import GOOD, KEY, NOW, SPKI, USUAL, path
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_testkit.piv_desk import CARD, Desk, desk_with_key
from enigm_testkit.piv_people import pin, ready_token
from enigm_tuf.authorities.tokens.attestation import verify_attestation
from enigm_tuf.authorities.tokens.attestation_chain import LONGEST, _require_issued, complete
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.keys import read_key_record

PUBLISHED = Path(enigm_testkit.__path__[0]) / "yubico_piv_ca.txt"


def published() -> dict[str, x509.Certificate]:
    """Yubico's certificates by common name."""
    found = x509.load_pem_x509_certificates(PUBLISHED.read_bytes())
    return {common_name(one): one for one in found}


def test_the_published_certificates_are_those_of_their_fingerprints() -> None:
    stated = dict(re.findall(r"^(Yubico .*)\nSHA-256 ([0-9a-f]{64})$", PUBLISHED.read_text(), re.MULTILINE))
    digests = {name: hashlib.sha256(one.public_bytes(Encoding.DER)).hexdigest() for name, one in published().items()}
    assert digests == stated
    assert len(digests) == 7


@pytest.mark.parametrize(("piv", "between"), [("A 1", "A 1"), ("B 1", "B 1"), ("B2 1", "B 1")])
def test_the_makers_authorities_may_stand_above_a_card(piv: str, between: str) -> None:
    """As on a card with firmware 5.7.4: its own certificate is the first authority, these are the ones above it.

    B2 has no NULL in its signature algorithm, and its path of three authorities is as long as its root allows.
    """
    known = {name: one.public_bytes(Encoding.DER) for name, one in published().items()}
    names = [f"Yubico PIV Attestation {piv}", f"Yubico Attestation Intermediate {between}"]
    chain = complete((known[names[0]],), tuple(known[name] for name in sorted(known) if "Root" not in name))
    assert chain == tuple(known[name] for name in names)
    path = [published()[name] for name in (*names, "Yubico Attestation Root 1")]
    for below, (child, parent) in enumerate(pairwise(path), 2):
        _require_issued(child, parent, below)
        with pytest.raises(RefusedError, match="path length"):
            _require_issued(child, parent, below + 1)


def test_a_card_of_2025_is_enrolled_with_what_its_maker_publishes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maker = AttestationCa(between=2)
    card = VirtualPivCard(1001, attestation_ca=maker)
    with ready_token(card).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
    desk = Desk(card, tmp_path, capsys)
    (tmp_path / "maker.pem").write_bytes(maker.root_pem)
    assert desk.enrol() == 3
    assert "TOKEN-ATTESTATION-CHAIN: end: expected a pinned root" in capsys.readouterr().err
    (tmp_path / "between.pem").write_bytes(maker.intermediates_pem)
    assert desk.enrol(None, None, CARD, "production", "--attestation-intermediate", str(tmp_path / "between.pem")) == 0
    assert len(read_key_record(desk.record.read_bytes(), "").attestation) == 4


def test_a_file_of_roots_pins_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Yubico's file holds roots for other things too."""
    desk = desk_with_key(tmp_path, capsys)
    (tmp_path / "maker.pem").write_bytes(AttestationCa().root_pem * 2)
    assert desk.enrol(cards=InProcessCards(desk.card)) == 2
    assert "must be one certificate, not 2: a root is pinned on purpose" in capsys.readouterr().err


def test_a_chain_that_runs_in_a_circle_ends_nowhere() -> None:
    one, two = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    leaf = certificate("9c", KEY.public_key(), "one", one, ca=False, extensions=GOOD).public_bytes(Encoding.DER)
    circle = (
        certificate("one", one.public_key(), "two", two, ca=True).public_bytes(Encoding.DER),
        certificate("two", two.public_key(), "one", one, ca=True).public_bytes(Encoding.DER),
    )
    root = AttestationCa().root.public_bytes(Encoding.DER)
    completed = complete((leaf,), circle)
    assert completed == (leaf, *circle)
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION-CHAIN: end"):
        verify_attestation(completed, (root,), SPKI, NOW)
    with pytest.raises(RefusedError, match=f"TOKEN-ATTESTATION-CHAIN: length: expected up to {LONGEST}"):
        verify_attestation((leaf, *circle * 4), (root,), SPKI, NOW)


def test_what_stands_between_card_and_root_is_found_in_any_order() -> None:
    leaf, own, *between, root = path(*USUAL)
    other = AttestationCa("elsewhere", between=2)
    pool = [made.public_bytes(Encoding.DER) for made in other.intermediates] + between[::-1]
    completed = complete((leaf, own), tuple(pool))
    assert completed == (leaf, own, *between)
    assert verify_attestation(completed, (root,), SPKI, NOW).serial == 1001


def test_an_intermediate_is_trusted_for_nothing() -> None:
    """Whoever gives a forger's authority as an intermediate has pinned nothing."""
    *chain, forgers_root = path(*USUAL)
    root = AttestationCa().root.public_bytes(Encoding.DER)
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION-CHAIN: end"):
        verify_attestation(complete(tuple(chain), (forgers_root,)), (root,), SPKI, NOW)


def test_certificates_that_cannot_be_read_complete_nothing() -> None:
    chain = path(*USUAL)
    assert complete(chain, (b"none",)) == chain
    assert complete((b"none",), chain) == (b"none",)
