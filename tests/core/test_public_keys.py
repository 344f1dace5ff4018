"""Public keys: each algorithm to its TUF key and back, with python-tuf's parser as the oracle of the keyid."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from securesystemslib.signer import SSlibKey

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.public_keys import ALGORITHMS, algorithm_of, spki_of, tuf_key

MAKERS = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa-pss-3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa-pss-4096": lambda: rsa.generate_private_key(65537, 4096),
    "ml-dsa-44": mldsa.MLDSA44PrivateKey.generate,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey.generate,
    "ml-dsa-87": mldsa.MLDSA87PrivateKey.generate,
}


def spki(private: object) -> bytes:
    data: bytes = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return data


def test_every_algorithm_is_tried() -> None:
    assert set(MAKERS) == set(ALGORITHMS)


@pytest.mark.parametrize("algorithm", sorted(MAKERS))
def test_a_key_goes_to_tuf_and_back(algorithm: str) -> None:
    der = spki(MAKERS[algorithm]())
    key = tuf_key(der)
    assert algorithm_of(der) == algorithm
    assert spki_of(key) == der
    oracle = SSlibKey.from_crypto(load_der_public_key(der))
    assert key.to_dict() == oracle.to_dict()
    assert key.keyid == oracle.keyid


@pytest.mark.parametrize(
    "der",
    [spki(ec.generate_private_key(ec.SECP521R1())), spki(rsa.generate_private_key(65537, 2048)), b"", b"\x30\x00"],
    ids=["P-521", "RSA-2048", "nothing", "an empty sequence"],
)
def test_what_counts_nowhere_is_refused(der: bytes) -> None:
    with pytest.raises(MalformedError, match="public key"):
        tuf_key(der)
