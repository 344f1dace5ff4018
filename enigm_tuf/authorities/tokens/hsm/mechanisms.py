"""How each algorithm is made, signed and read in PKCS#11 (v3.1; ML-DSA v3.2). Runs in the worker.

Tokens hash nothing for ECDSA and RSA-PSS: CKM_ECDSA and CKM_RSA_PKCS_PSS over a digest are what most modules have.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from pkcs11 import MGF, Attribute, KeyType, Mechanism
from pkcs11.attributes import AttributeMapper
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key

from enigm_tuf.errors import TokenError
from enigm_tuf.ports import Algorithm

_ED25519 = bytes.fromhex("06032b6570")  # OID 1.3.101.112, as EC_PARAMS
_SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Mechanics:
    """``parameters`` describe the key pair to make; ``encode`` turns what C_Sign gave into TUF's form."""

    key_type: KeyType
    parameters: dict[Attribute, Any]
    generates: Mechanism
    parameter: Any = None
    encode: Callable[[bytes], bytes] = bytes


def _der_signature(raw: bytes) -> bytes:
    """From r and s, side by side (PKCS#11 v3.1, 6.3.1)."""
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))


def _ec(curve: str) -> Mechanics:
    return Mechanics(
        KeyType.EC,
        {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)},
        Mechanism.EC_KEY_PAIR_GEN,
        encode=_der_signature,
    )


def _rsa(bits: int) -> Mechanics:
    parameter = (Mechanism.SHA256, MGF.SHA256, _SALT_BYTES)
    made = {Attribute.MODULUS_BITS: bits}
    return Mechanics(KeyType.RSA, made, Mechanism.RSA_PKCS_KEY_PAIR_GEN, parameter)


def _ml_dsa(parameter_set: int) -> Mechanics:
    made = {Attribute.PARAMETER_SET: parameter_set}
    return Mechanics(KeyType.ML_DSA, made, Mechanism.ML_DSA_KEY_PAIR_GEN)


MECHANICS: dict[Algorithm, Mechanics] = {
    "ecdsa-p256": _ec("secp256r1"),
    "ecdsa-p384": _ec("secp384r1"),
    "ed25519": Mechanics(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _ED25519}, Mechanism.EC_EDWARDS_KEY_PAIR_GEN),
    "rsa-pss-3072": _rsa(3072),
    "rsa-pss-4096": _rsa(4096),
    "ml-dsa-44": _ml_dsa(1),  # CKP_ML_DSA_44
    "ml-dsa-65": _ml_dsa(2),
    "ml-dsa-87": _ml_dsa(3),
}


class Mapper(AttributeMapper):
    """python-pkcs11's, and CKA_ALLOWED_MECHANISMS: a text of names such as ``ECDSA``, separated by blanks."""

    def __init__(self) -> None:
        super().__init__()
        self.attribute_types = {**self.attribute_types, Attribute.ALLOWED_MECHANISMS: (_packed, _unpacked)}


def _packed(names: str) -> bytes:
    return b"".join(_ULONG.pack(Mechanism[name]) for name in names.split())


def _unpacked(data: bytes) -> str:
    numbers = [_ULONG.unpack_from(data, at)[0] for at in range(0, len(data) - _ULONG.size + 1, _ULONG.size)]
    return " ".join(_name(number) for number in numbers)


def _name(number: int) -> str:
    try:
        return Mechanism(number).name
    except ValueError:
        return f"0x{number:08x}"  # a maker's own


_ULONG = struct.Struct("@L")  # CK_ULONG

_ML_DSA_KEYS: dict[int, Any] = {1: mldsa.MLDSA44PublicKey, 2: mldsa.MLDSA65PublicKey, 3: mldsa.MLDSA87PublicKey}


def spki_of(public: Any) -> bytes:
    """DER SubjectPublicKeyInfo of a public key object; TokenError for a type that nobody here signs with."""
    kind = public[Attribute.KEY_TYPE]
    if kind == KeyType.EC:
        return bytes(encode_ec_public_key(public))
    if kind == KeyType.RSA:
        return _der(load_der_public_key(encode_rsa_public_key(public)))
    if kind == KeyType.EC_EDWARDS:
        point = bytes(public[Attribute.EC_POINT])
        raw = point[2:] if len(point) == 34 and point[:2] == b"\x04\x20" else point  # DER OCTET STRING, or bare
        return _der(Ed25519PublicKey.from_public_bytes(raw))
    if kind == KeyType.ML_DSA:
        family = _ML_DSA_KEYS[public[Attribute.PARAMETER_SET]]
        return _der(family.from_public_bytes(bytes(public[Attribute.VALUE])))
    raise TokenError(f"a public key of type {kind!r:.40}")


def _der(key: Any) -> bytes:
    spki: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return spki
