"""One key, however it is written: its digest, and what verifies with it."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.public_keys import spki_of
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.trust.signatures import verifies

DATA = b"what is signed"
P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())


def pem(private: ec.EllipticCurvePrivateKey) -> str:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def der(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def armoured(data: bytes, width: int = 64, newline: str = "\n") -> str:
    text = base64.b64encode(data).decode()
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return newline.join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])


def compressed(private: ec.EllipticCurvePrivateKey) -> bytes:
    """The same P-256 key with a compressed point: valid DER, other bytes (RFC 5480 section 2.2)."""
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point


@pytest.mark.parametrize(
    "public",
    [
        pem(P256),
        pem(P256).strip(),
        armoured(der(P256), 76),
        armoured(der(P256), 64, "\r\n"),
        armoured(compressed(P256)),
        "text before\n" + pem(P256),
    ],
    ids=["pem", "stripped", "wide", "crlf", "compressed", "preamble"],
)
def test_a_key_has_one_digest_however_it_is_written(public: str) -> None:
    """Else one key could count as two."""
    key = Key("a" * 64, "ecdsa", "ecdsa-sha2-nistp256", public)
    assert spki_of(key) == der(P256)
    assert verifies(key, P256.sign(DATA, ec.ECDSA(SHA256())).hex(), DATA)
    assert not verifies(key, P256.sign(DATA + b".", ec.ECDSA(SHA256())).hex(), DATA)


@pytest.mark.parametrize(
    ("scheme", "public"),
    [
        ("ecdsa-sha2-nistp384", pem(P256)),
        ("ecdsa-sha2-nistp256", pem(P384)),
        ("ecdsa-sha2-nistp256", ""),
        ("ecdsa-sha2-nistp256", armoured(der(P256)[:-1])),
        ("ecdsa-sha2-nistp256", armoured(der(P256)[:-1] + bytes([der(P256)[-1] ^ 1]))),
        ("ecdsa-sha2-nistp256", armoured(der(P256) + b"\0")),
        ("ecdsa-sha2-nistp256", pem(P256).replace("A", "!", 1)),
    ],
    ids=["p256 as p384", "p384 as p256", "empty", "short", "off the curve", "long", "not base64"],
)
def test_what_is_no_key_of_its_scheme_is_malformed_and_never_verifies(scheme: str, public: str) -> None:
    key = Key("a" * 64, "ecdsa", scheme, public)
    with pytest.raises(MalformedError, match="public key"):
        spki_of(key)
    assert not verifies(key, P256.sign(DATA, ec.ECDSA(SHA256())).hex(), DATA)
    assert not verifies(key, P384.sign(DATA, ec.ECDSA(SHA384())).hex(), DATA)


def test_the_hash_is_the_one_of_the_curve() -> None:
    key = Key("a" * 64, "ecdsa", "ecdsa-sha2-nistp384", pem(P384))
    assert verifies(key, P384.sign(DATA, ec.ECDSA(SHA384())).hex(), DATA)
    assert not verifies(key, P384.sign(DATA, ec.ECDSA(SHA256())).hex(), DATA)


@pytest.mark.parametrize("signature", ["", "zz", "00", "30" * 40])
def test_what_is_no_signature_does_not_verify(signature: str) -> None:
    assert not verifies(Key("a" * 64, "ecdsa", "ecdsa-sha2-nistp256", pem(P256)), signature, DATA)


def test_ed25519_rsa_pss_and_ml_dsa_verify_in_their_own_schemes() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate()
    raw = edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    assert verifies(Key("a", "ed25519", "ed25519", raw), edwards.sign(DATA).hex(), DATA)

    private = rsa.generate_private_key(65537, 2048)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)
    key = Key("a", "rsa", "rsassa-pss-sha256", public)
    assert verifies(key, private.sign(DATA, pss, SHA256()).hex(), DATA)
    assert not verifies(key, private.sign(DATA, padding.PKCS1v15(), SHA256()).hex(), DATA)
    assert not verifies(Key("a", "rsa", "rsa-pkcs1v15-sha256", public), private.sign(DATA, pss, SHA256()).hex(), DATA)


def _ml_dsa(size: int) -> mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey:
    if size == 44:
        return mldsa.MLDSA44PrivateKey.generate()
    return mldsa.MLDSA65PrivateKey.generate() if size == 65 else mldsa.MLDSA87PrivateKey.generate()


@pytest.mark.parametrize("size", [44, 65, 87])
def test_ml_dsa_verifies_by_tap_21(size: int) -> None:
    private = _ml_dsa(size)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signature = private.sign(b"tuf\x01" + hashlib.sha512(DATA).digest()).hex()
    assert verifies(Key("a", "ml-dsa", f"ml-dsa-{size}/1", public), signature, DATA)
    assert not verifies(Key("a", "ml-dsa", f"ml-dsa-{size}/1", public), private.sign(DATA).hex(), DATA)
    other = 44 if size != 44 else 65
    assert not verifies(Key("a", "ml-dsa", f"ml-dsa-{other}/1", public), signature, DATA)
