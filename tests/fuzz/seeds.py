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
from securesystemslib.signer import CryptoSigner

from enigm_testkit.authorities import Cast, make_role, make_root, make_snapshot, make_targets, make_timestamp, signed
from enigm_testkit.scenes import ota
from enigm_tuf.errors import EnigmTufError
from enigm_tuf.model.strict_json import canonical, parse


def signer(name: str) -> CryptoSigner:
    """The key of this name."""
    number = int.from_bytes(sha256(name.encode()).digest()) >> 8
    return CryptoSigner(ec.derive_private_key(number, ec.SECP256R1()))


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
