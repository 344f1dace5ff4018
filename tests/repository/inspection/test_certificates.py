"""Certificates: PEM and DER, keys that Android verifies with, and subjects that say what they are for."""

import subprocess
from pathlib import Path

import pytest

from enigm_testkit.android.keys import SigningKey, make_key
from enigm_testkit.bundles import sign_cms
from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.certificates import read_certificate
from enigm_tuf_repository.inspection.cms import read_signed_data


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return make_key(tmp_path_factory.mktemp("keys"), "key")


def made(folder: Path, *options: str) -> bytes:
    """A certificate that openssl made."""
    command = ["openssl", "req", "-x509", "-nodes", "-days", "30", "-keyout", str(folder / "key"), *options]
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_pem_and_der_are_the_same_certificate(key: SigningKey) -> None:
    pem = read_certificate(key.certificate.read_bytes(), "pem")

    assert read_certificate(pem.der, "der") == pem
    assert pem.spki_sha256 == key.spki
    assert pem.why_test() is None


@pytest.mark.parametrize(
    "subject",
    ["/CN=DO NOT TRUST me", "/CN=Android/emailAddress=android@android.com", "/CN=Snakeoil", "/CN=My Test Certificate"],
)
def test_a_subject_that_says_it_is_for_tests_is_heard(tmp_path: Path, subject: str) -> None:
    certificate = read_certificate(make_key(tmp_path, "key", subject).certificate.read_bytes(), "pem")
    assert (certificate.why_test() or "").startswith("a subject with ")


def test_elliptic_curves_are_read(tmp_path: Path) -> None:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=Enigm")
    assert read_certificate(made(tmp_path, *curve), "pem").subject == "CN=Enigm"


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (("-newkey", "rsa:1024"), "must have 2048 bits or more, has 1024"),
        (("-newkey", "ed25519"), "must be RSA or ECDSA"),
    ],
)
def test_keys_that_no_android_verifies_with_are_refused(tmp_path: Path, options: tuple[str, ...], rule: str) -> None:
    with pytest.raises(MalformedError, match=rule):
        read_certificate(made(tmp_path, *options, "-subj", "/CN=Enigm"), "pem")


def test_a_version_that_no_certificate_has_is_refused(key: SigningKey) -> None:
    """Found by the fuzzer."""
    data = read_certificate(key.certificate.read_bytes(), "pem").der
    place = data.index(b"\xa0\x03\x02\x01\x02")
    with pytest.raises(MalformedError, match=r"not an X\.509 certificate"):
        read_certificate(data[:place] + b"\xa0\x03\x02\x01\x06" + data[place + 5 :], "der")


@pytest.mark.parametrize("cut", [1, 10, 300])
def test_a_signature_that_is_cut_off_is_refused(key: SigningKey, tmp_path: Path, cut: int) -> None:
    with pytest.raises(MalformedError):
        read_signed_data(sign_cms(tmp_path, b"data", key)[:-cut], "cms")


def test_a_signature_is_of_its_bytes_and_of_no_others(key: SigningKey, tmp_path: Path) -> None:
    signed = read_signed_data(sign_cms(tmp_path, b"data", key), "cms")

    signed.verify([b"da", b"ta"])
    with pytest.raises(MalformedError, match="the signature is over other bytes"):
        signed.verify([b"dat4"])


def test_every_byte_of_a_signature_matters(key: SigningKey, tmp_path: Path) -> None:
    """But for what is about the certificate, whose key alone counts, and for attributes that nobody reads."""
    whole = sign_cms(tmp_path, b"data", key)
    for place in range(len(whole) - 256, len(whole)):
        data = bytearray(whole)
        data[place] ^= 1
        with pytest.raises(MalformedError):
            read_signed_data(bytes(data), "cms").verify([b"data"])
