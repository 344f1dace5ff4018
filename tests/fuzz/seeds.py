"""A valid repository and the documents round it, the same in every process, so that a finding can be replayed.

The keys are derived from names: throw-away keys that guard nothing.
"""

import contextlib
import json
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.signer import CryptoSigner

from enigm_testkit.authorities import (
    NOW,
    Cast,
    make_role,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
    signed,
)
from enigm_testkit.scenes import ota
from enigm_tuf.errors import EnigmTufError
from enigm_tuf.model.http_signature import HttpRequest, SignatureParameters, signature_base, signature_fields
from enigm_tuf.model.strict_json import canonical, parse


def signer(name: str) -> CryptoSigner:
    """A signer with the key of this name."""
    return CryptoSigner(private_key(name))


def private_key(name: str) -> ec.EllipticCurvePrivateKey:
    """The key of this name."""
    number = int.from_bytes(sha256(name.encode()).digest()) >> 8
    return ec.derive_private_key(number, ec.SECP256R1())


def spki(name: str) -> bytes:
    """Its public half."""
    return private_key(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signed_request(request: HttpRequest) -> dict[str, str]:
    """The fields of a device's signature over ``request``, made at NOW."""
    parameters = SignatureParameters(int(NOW.timestamp()), "device-1", "ecdsa-p256-sha256", "0" * 32)
    made = private_key("device").sign(signature_base(request, parameters), ec.ECDSA(SHA256()))
    r, s = decode_dss_signature(made)
    return signature_fields(request, parameters, r.to_bytes(32) + s.to_bytes(32))


@cache
def cast() -> Cast:
    """Both authorities, as in the tests, with keys that are the same every time."""
    return Cast(
        root=[signer(f"root {name}") for name in "abc"],
        payload=[signer(f"payload {name}") for name in "ab"],
        manifest=[signer(f"manifest {name}") for name in "ab"],
        timestamp=[signer("timestamp")],
    )


@cache
def metadata() -> dict[str, tuple[bytes, tuple[CryptoSigner, ...]]]:
    """Each role's valid file, and who signs it."""
    people = cast()
    consenting = [*people.root, *people.manifest]
    versions = {"targets": 1, "phone.manifest": 1, "phone.payload": 1}
    payloads = make_role({"payloads/phone/1.0/ota.zip": ota("1.0")})
    files: dict[str, tuple[bytes, list[CryptoSigner]]] = {
        "root": (signed(make_root(people), people.root), people.root),
        "next-root": (signed(make_root(people, 2), consenting), consenting),
        "timestamp": (signed(make_timestamp(), people.timestamp), people.timestamp),
        "snapshot": (signed(make_snapshot(versions), people.manifest), people.manifest),
        "targets": (signed(make_targets(people), people.manifest), people.manifest),
        "phone.payload": (signed(payloads, people.payload), people.payload),
    }
    return {name: (data, tuple(signers)) for name, (data, signers) in files.items()}


def file_of(role: str) -> bytes:
    return metadata()[role][0]


def unsigned(data: bytes) -> bytes:
    """The file with no signatures: what ``signed_again`` signs."""
    return json.dumps(json.loads(data) | {"signatures": []}, sort_keys=True, separators=(",", ":")).encode()


def signed_again(data: bytes, signers: Sequence[CryptoSigner]) -> bytes:
    """``data`` with signatures by ``signers`` where it has an empty list of them; else as it is."""
    with contextlib.suppress(EnigmTufError, UnicodeError, RecursionError):
        envelope = parse(data, source="fuzz", max_bytes=len(data))
        value: Any = envelope.get("signed")
        if envelope.get("signatures") == [] and isinstance(value, dict):
            message = canonical(value)
            envelope["signatures"] = [one.sign(message).to_dict() for one in signers]
            return json.dumps(envelope).encode()
    return data
