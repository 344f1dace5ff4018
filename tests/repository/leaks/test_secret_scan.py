"""Private keys in every form, made by real tools at run time, are found wherever they lie; nothing else is one."""

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import random
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

from enigm_testkit.softhsm import SoftHsm
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.leaks import scanning
from enigm_tuf_repository.leaks.leaks import leaks_of, require_no_leak
from enigm_tuf_repository.leaks.scanning import Found, Scan
from enigm_tuf_repository.secret_exceptions import SecretException

NOW = datetime(2026, 11, 26, tzinfo=UTC)
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
ED = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
SECRET = BestAvailableEncryption(b"secret")
PKCS8, OLD, SSH, OPEN = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH, NoEncryption()


def spki(key: Key) -> str:
    return sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def found_in(data: bytes) -> list[Found]:
    scan = Scan()
    scan.data(data, "it")
    return scan.found


def only(data: bytes) -> tuple[str, str | None]:
    """Kind and public key of the one key that is found; it is found in the middle of other bytes too."""
    before = os.urandom(1_000).replace(b"\x30", b"\x31")
    (found,) = found_in(data)
    (inside,) = found_in(before + data + b"\n" + before)
    assert (inside.candidate.kind, inside.candidate.spki_sha256) == (found.candidate.kind, found.candidate.spki_sha256)
    assert inside.offset == found.offset + len(before)
    return found.candidate.kind, found.candidate.spki_sha256


CLEAR: dict[str, tuple[bytes, str, Key]] = {
    "PEM PKCS#8 P-256": (P256.private_bytes(Encoding.PEM, PKCS8, OPEN), "PEM PRIVATE KEY", P256),
    "PEM PKCS#8 RSA": (RSA.private_bytes(Encoding.PEM, PKCS8, OPEN), "PEM PRIVATE KEY", RSA),
    "PEM PKCS#1": (RSA.private_bytes(Encoding.PEM, OLD, OPEN), "PEM RSA PRIVATE KEY", RSA),
    "PEM SEC 1": (P384.private_bytes(Encoding.PEM, OLD, OPEN), "PEM EC PRIVATE KEY", P384),
    "PEM Ed25519": (ED.private_bytes(Encoding.PEM, PKCS8, OPEN), "PEM PRIVATE KEY", ED),
    "PEM OpenSSH": (ED.private_bytes(Encoding.PEM, SSH, OPEN), "PEM OPENSSH PRIVATE KEY", ED),
    "DER PKCS#8 P-256": (P256.private_bytes(Encoding.DER, PKCS8, OPEN), "PKCS#8", P256),
    "DER PKCS#8 P-384": (P384.private_bytes(Encoding.DER, PKCS8, OPEN), "PKCS#8", P384),
    "DER PKCS#8 RSA": (RSA.private_bytes(Encoding.DER, PKCS8, OPEN), "PKCS#8", RSA),
    "DER PKCS#8 Ed25519": (ED.private_bytes(Encoding.DER, PKCS8, OPEN), "PKCS#8", ED),
    "DER PKCS#1": (RSA.private_bytes(Encoding.DER, OLD, OPEN), "PKCS#1", RSA),
    "DER SEC 1 P-256": (P256.private_bytes(Encoding.DER, OLD, OPEN), "SEC 1", P256),
    "DER SEC 1 P-384": (P384.private_bytes(Encoding.DER, OLD, OPEN), "SEC 1", P384),
    "PKCS#12": (pkcs12.serialize_key_and_certificates(b"k", P256, None, None, OPEN), "PKCS#12", P256),
    "base64 PKCS#8": (base64.b64encode(P256.private_bytes(Encoding.DER, PKCS8, OPEN)), "base64 of a key", P256),
    "base64 RSA": (base64.b64encode(RSA.private_bytes(Encoding.DER, PKCS8, OPEN)), "base64 of a key", RSA),
    "base64 SEC 1": (base64.b64encode(P256.private_bytes(Encoding.DER, OLD, OPEN)), "base64 of a key", P256),
}


@pytest.mark.parametrize("form", CLEAR)
def test_a_key_is_found_and_its_public_key_is_known(form: str) -> None:
    data, kind, key = CLEAR[form]
    assert only(data) == (kind, spki(key))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (RSA.private_bytes(Encoding.PEM, PKCS8, SECRET), "PEM ENCRYPTED PRIVATE KEY"),
        (RSA.private_bytes(Encoding.PEM, OLD, SECRET), "PEM RSA PRIVATE KEY"),
        (P256.private_bytes(Encoding.DER, PKCS8, SECRET), "PKCS#8, encrypted"),
        (pkcs12.serialize_key_and_certificates(b"k", P256, None, None, SECRET), "PKCS#12, with a password"),
    ],
    ids=["PKCS#8 PEM", "PKCS#1 PEM", "PKCS#8 DER", "PKCS#12"],
)
def test_an_encrypted_key_is_found_though_nobody_sees_whose_it_is(data: bytes, kind: str) -> None:
    assert only(data) == (kind, None)


@pytest.mark.parametrize("junk", [b"\xff\xfe", b" \x00", b"-" * 100])
def test_junk_behind_the_first_line_of_a_pem_stops_nothing(junk: bytes) -> None:
    """What cannot be read is a finding, and what follows is scanned."""
    head, _, body = PEM.partition(b"\n")
    kinds = [item.candidate.kind for item in found_in(head + junk + b"\n" + body + b"\n" + PEM)]
    assert kinds == ["PEM PRIVATE KEY", "PEM PRIVATE KEY"]


def test_a_key_in_json_with_escaped_line_ends_is_found() -> None:
    """As the service accounts of clouds have them."""
    text = json.dumps({"private_key": P256.private_bytes(Encoding.PEM, PKCS8, OPEN).decode()})
    assert only(text.encode()) == ("PEM PRIVATE KEY", spki(P256))


def test_a_jwk_is_found_and_its_public_half_is_not() -> None:
    numbers = P256.private_numbers()

    def coordinate(value: int) -> str:
        return base64.urlsafe_b64encode(value.to_bytes(32, "big")).rstrip(b"=").decode()

    public = {"use": "sig", "kty": "EC", "crv": "P-256"}
    public |= {"x": coordinate(numbers.public_numbers.x), "y": coordinate(numbers.public_numbers.y)}
    private = public | {"d": coordinate(numbers.private_value)}
    assert only(json.dumps({"keys": [{"kid": "1"}, private]}).encode()) == ("JWK", spki(P256))
    assert found_in(json.dumps({"keys": [public]}).encode()) == []


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("password", ["", "secret"])
def test_ssh_keygen(tmp_path: Path, kind: str, password: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", password, "-f", str(tmp_path / "k")], check=True)
    der = subprocess.run(
        ["ssh-keygen", "-e", "-m", "PKCS8", "-f", str(tmp_path / "k.pub")], capture_output=True, check=False
    ).stdout
    name, public = only((tmp_path / "k").read_bytes())
    assert name == "PEM OPENSSH PRIVATE KEY"
    assert public is not None
    if der and kind != "ed25519":
        spki_der = base64.b64decode(b"".join(der.strip().splitlines()[1:-1]))
        assert public == sha256(spki_der)


@pytest.mark.skipif(shutil.which("gpg") is None, reason="no gpg on this machine")
@pytest.mark.parametrize("passphrase", ["secret", ""])
@pytest.mark.parametrize("algorithm", ["rsa2048", "ed25519", "nistp256", "brainpoolP256r1", "secp256k1", "dsa2048"])
def test_gpg(tmp_path: Path, algorithm: str, passphrase: str) -> None:
    home = ["gpg", "--homedir", str(tmp_path), "--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase]
    tmp_path.chmod(0o700)
    subprocess.run([*home, "--quick-gen-key", "a@example.org", algorithm, "sign"], check=True, capture_output=True)
    try:
        binary = subprocess.run([*home, "--export-secret-keys"], check=True, capture_output=True).stdout
        armour = subprocess.run([*home, "--armor", "--export-secret-keys"], check=True, capture_output=True).stdout
        public = subprocess.run([*home, "--export"], check=True, capture_output=True).stdout
    finally:
        subprocess.run(["gpgconf", "--homedir", str(tmp_path), "--kill", "all"], check=False)
    kind, digest = only(binary)
    assert kind == "PGP secret key"
    assert (digest is not None) == (algorithm in {"rsa2048", "ed25519", "nistp256"})
    assert only(armour) == ("PEM PGP PRIVATE KEY BLOCK", digest)
    assert found_in(public) == []


def test_compressed_bytes_are_no_keys() -> None:
    """A gibibyte of them holds tens of packet headers: an update package must not be stopped by chance."""
    chance = random.Random(7)
    for _ in range(8):
        assert found_in(chance.randbytes(1 << 24)) == []


def test_an_object_of_softhsm_is_found_in_its_file(tmp_path: Path) -> None:
    hsm = SoftHsm(tmp_path)
    token = hsm.token("leaky")
    command = ["pkcs11-tool", "--module", "/usr/lib/softhsm/libsofthsm2.so", "--token-label", "leaky", "--login"]
    make = ["--pin", "1234", "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "k"]
    subprocess.run([*command, *make], check=True, capture_output=True)
    assert token
    kinds = {
        path.name: [item.candidate.kind for item in found_in(path.read_bytes())] for path in tmp_path.rglob("*.object")
    }
    assert sorted(kinds.values()) == [[], [], ["SoftHSM private key object"]]


def test_a_dump_of_a_yubihsm_is_known_by_its_name() -> None:
    scan = Scan()
    scan.data(base64.b64encode(os.urandom(120)), "0x0001.yhw")
    assert [item.candidate.kind for item in scan.found] == ["YubiHSM wrap"]


@pytest.mark.parametrize(
    "data",
    [
        P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        P256.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        b'"-----BEGIN PRIVATE KEY-----"\0"-----END PRIVATE KEY-----"\0',
        b"Write -----BEGIN RSA PRIVATE KEY----- above it, and you have a PEM file; see the manual of openssl.",
        b"openssh-key-v1\x00 is the magic",
        P256.private_bytes(Encoding.DER, PKCS8, OPEN)[:-40],
        b"",
        bytes(10_000),
    ],
    ids=["public PEM", "public DER", "words", "text", "magic", "cut off", "empty", "zeros"],
)
def test_what_is_no_private_key_is_not_called_one(data: bytes) -> None:
    assert found_in(data) == []


@pytest.mark.parametrize("library", ["libcrypto.so.3", "libgcrypt.so.20", "libssl.so.3"])
def test_the_words_in_a_library_are_no_key(library: str) -> None:
    files = list(Path("/usr/lib").rglob(library))
    scan = Scan()
    for file in files:
        scan.path(file)
    assert [item for item in scan.found if item.candidate.kind.startswith("PEM")] == []


def _zip(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/", b"")
        archive.writestr("a/inside", data)
    return held.getvalue()


def _tar(data: bytes) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        entry = tarfile.TarInfo("inside")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return held.getvalue()


PACKS: dict[str, Callable[[bytes], bytes]] = {
    "zip": _zip,
    "tar": _tar,
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstandard.ZstdCompressor().compress,
}
PEM = P256.private_bytes(Encoding.PEM, PKCS8, OPEN)


@pytest.mark.parametrize("outer", PACKS)
@pytest.mark.parametrize("inner", PACKS)
def test_an_archive_in_an_archive_is_looked_into(outer: str, inner: str) -> None:
    scan = Scan()
    scan.data(PACKS[outer](PACKS[inner](PEM * 2)), "ota")
    assert scan.unread == []
    assert {item.candidate.spki_sha256 for item in scan.found} == {spki(P256)}
    assert any(item.place.count("!") == 2 for item in scan.found)


def test_what_cannot_be_opened_is_told_and_the_rest_is_scanned() -> None:
    scan = Scan()
    scan.data(gzip.compress(PEM)[:-4] + b"\n" + PEM, "broken.gz")
    assert {item.candidate.spki_sha256 for item in scan.found} == {spki(P256)}
    assert scan.unread[0].startswith("broken.gz!(gz): ")


@pytest.mark.parametrize("pack", ["gz", "xz", "bz2", "zst"])
def test_what_stands_before_a_fault_is_scanned(pack: str) -> None:
    scan = Scan()
    scan.data(PACKS[pack](PEM) + b"and more", "trailing")
    assert {item.candidate.spki_sha256 for item in scan.found} == {spki(P256)}


def test_too_many_containers_in_containers_are_refused() -> None:
    data = PEM
    for _ in range(scanning.DEEPEST + 1):
        data = gzip.compress(data)
    with pytest.raises(MalformedError, match="more than 12 deep"):
        found_in(data)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "LARGEST", 2**20)
    assert found_in(gzip.compress(bytes(2**20))) == []
    with pytest.raises(MalformedError, match="unpacks to more than 1,048,576 bytes"):
        found_in(gzip.compress(bytes(2**20 + 1)))
    with pytest.raises(MalformedError, match="unpacks to more than"):
        found_in(gzip.compress(gzip.compress(bytes(2**20))))


@pytest.mark.parametrize("shift", [-200, -60, -1, 0, 1])
def test_a_key_across_the_pieces_of_a_large_file_is_found_once(tmp_path: Path, shift: int) -> None:
    data = bytearray(2 * scanning._PIECE + 1_000)
    data[scanning._PIECE + shift : scanning._PIECE + shift + len(PEM)] = PEM
    (tmp_path / "image").write_bytes(data)
    scan = Scan()
    scan.path(tmp_path / "image")
    assert [(item.offset, item.candidate.spki_sha256) for item in scan.found] == [(scanning._PIECE + shift, spki(P256))]


def _scan_of(data: bytes) -> Scan:
    scan = Scan()
    scan.data(data, "it")
    return scan


@pytest.mark.rule("SECRET-SCAN", "accept")
def test_an_exception_excuses_one_key_until_it_ends() -> None:
    scan = _scan_of(PEM)
    digest = scan.found[0].candidate.digest
    excuse = SecretException(digest, "a key of the tests", NOW + timedelta(seconds=1))
    leaks = leaks_of(scan, {}, [excuse], NOW)
    require_no_leak(leaks, ())
    assert leaks[0].excused == "a key of the tests"


@pytest.mark.rule("SECRET-SCAN", "reject")
@pytest.mark.parametrize(("digest", "seconds"), [(None, 0), (None, -1), ("0" * 64, 1)])
def test_an_exception_that_has_ended_or_is_for_another_key_excuses_nothing(digest: str | None, seconds: int) -> None:
    scan = _scan_of(PEM)
    digest = digest or scan.found[0].candidate.digest
    excuse = SecretException(digest, "a key of the tests", NOW + timedelta(seconds=seconds))
    with pytest.raises(
        RefusedError, match="SECRET-SCAN: it, byte 0: expected no private key, got PEM PRIVATE KEY: a key"
    ):
        require_no_leak(leaks_of(scan, {}, [excuse], NOW), ())


def test_no_exception_excuses_an_enrolled_key_and_it_is_named_before_all_others() -> None:
    scan = _scan_of(ED.private_bytes(Encoding.PEM, PKCS8, OPEN) + PEM)
    excuses = [SecretException(item.candidate.digest, "tests", NOW + timedelta(1)) for item in scan.found[1:]]
    with pytest.raises(RefusedError, match=r"got PEM PRIVATE KEY: root key of erin \(and 1 more\)"):
        require_no_leak(leaks_of(scan, {spki(P256): "root key of erin"}, excuses, NOW), ())
