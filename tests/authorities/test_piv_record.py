"""A key record is checked again by whoever gets it: its chain, its key, its card."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_desk import Desk, desk_with_key
from enigm_testkit.piv_people import attested
from enigm_tuf.model.keys import read_key_record
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.strict_json import sha256


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """With the record of its key."""
    desk = desk_with_key(tmp_path, capsys)
    assert desk.enrol() == 0
    return desk


def check(desk: Desk) -> int:
    root = ["--attestation-root", str(desk.folder / "maker.pem")]
    return desk.run("key", "show", "--record", str(desk.record), *root)


def forge(desk: Desk, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(desk.record.read_text())
    change(document)
    desk.record.write_text(json.dumps(document))


def test_the_record_of_an_attested_key_is_taken(desk: Desk) -> None:
    assert check(desk) == 0
    assert "attested_serial" in desk.capsys.readouterr().out


def another_key(document: dict[str, Any]) -> None:
    """The forger's own, in software, under the attestation of the card's."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    public = tuf_key(spki)
    document.update(keyid=public.keyid, key=public.to_dict(), spki_sha256=sha256(spki))


def forgers_chain(document: dict[str, Any]) -> None:
    chain, _ = attested(VirtualPivCard(1001, attestation_ca=AttestationCa()))
    document["attestation"] = [b64encode(certificate).decode() for certificate in chain]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (another_key, "TOKEN-ATTESTATION: attested key: expected the key that is enrolled, got another key"),
        (forgers_chain, "TOKEN-ATTESTATION-CHAIN: end: expected a pinned root"),
        (lambda document: document.update(attestation=[]), "TOKEN-ATTESTATION: chain: expected an attestation"),
        (lambda document: document["token"].update(serial="1002"), "TOKEN-ATTESTED-CARD: card 1002, attested serial"),
        (lambda document: document["token"].update(firmware="5.7.5"), "TOKEN-ATTESTED-CARD: card 1001, attested firm"),
        (lambda document: document.update(enrolled="2024-11-30T23:59:59Z"), "TOKEN-ATTESTATION-CHAIN: dates"),
    ],
)
def test_a_record_that_somebody_changed_on_the_way_is_refused(
    desk: Desk, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    forge(desk, change)
    assert read_key_record(desk.record.read_bytes(), "")  # its form is right
    assert check(desk) == 3
    assert desk.capsys.readouterr().err.startswith(f"error: {says}")


def test_an_attestation_that_is_no_base64_is_one_clear_line(desk: Desk) -> None:
    forge(desk, lambda document: document.update(attestation=["AAAAA"]))
    assert desk.run("key", "show", "--record", str(desk.record)) == 2
    assert "attestation: must be base64" in desk.capsys.readouterr().err
