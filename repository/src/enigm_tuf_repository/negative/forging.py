"""Signatures by a key that nobody trusts, made for one attack and thrown away."""

import hashlib
import json
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_tuf.model.strict_json import canonical, encode
from enigm_tuf_repository.lineage import SignedFile, file_name
from enigm_tuf_repository.negative.scene import signed_by


@dataclass(frozen=True, slots=True)
class _Nobody:
    """A fresh key of somebody outside."""

    private: EllipticCurvePrivateKey

    @property
    def key(self) -> dict[str, object]:
        """As metadata would hold it."""
        pem = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": {"public": pem.decode()}}

    @property
    def keyid(self) -> str:
        return hashlib.sha256(canonical(self.key)).hexdigest()

    def sign(self, data: bytes) -> str:
        return self.private.sign(data, ECDSA(SHA256())).hex()


def _nobody() -> _Nobody:
    return _Nobody(generate_private_key(SECP256R1()))


def resigned(file: SignedFile) -> bytes:
    """The same content, signed by a stranger under the keyids of those who should have."""
    signature = _nobody().sign(file.canonical)
    return signed_by(file, dict.fromkeys(file.signatures, signature))


def forged_root(head: SignedFile) -> tuple[str, bytes]:
    """Path and bytes of a next root whose root role is a stranger's, signed by the stranger alone."""
    stranger = _nobody()
    signed = json.loads(head.data)["signed"]
    signed["version"] += 1
    signed["keys"][stranger.keyid] = stranger.key
    signed["roles"]["root"] |= {"keyids": [stranger.keyid], "threshold": 1}
    signatures = [{"keyid": stranger.keyid, "sig": stranger.sign(canonical(signed))}]
    return f"metadata/{file_name('root', signed['version'])}", encode({"signatures": signatures, "signed": signed})
