"""Signing keys with certificates, made by openssl. They live as long as the test."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from enigm_tuf.model.strict_json import sha256


@dataclass(frozen=True)
class SigningKey:
    """``NAME.pem`` is the private key, ``NAME.pk8`` the same in DER, ``NAME.x509.pem`` its certificate."""

    folder: Path
    name: str

    @property
    def private(self) -> Path:
        return self.folder / f"{self.name}.pem"

    @property
    def pk8(self) -> Path:
        return self.folder / f"{self.name}.pk8"

    @property
    def certificate(self) -> Path:
        return self.folder / f"{self.name}.x509.pem"

    @property
    def public(self) -> RSAPublicKey:
        key = load_pem_x509_certificate(self.certificate.read_bytes()).public_key()
        assert isinstance(key, RSAPublicKey)
        return key

    @property
    def spki(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, as repository.toml pins it."""
        return sha256(self.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, data: bytes) -> bytes:
        """PKCS #1 v1.5 with SHA-256."""
        command = ["openssl", "dgst", "-sha256", "-sign", str(self.private)]
        return subprocess.run(command, input=data, check=True, capture_output=True).stdout


def make_key(folder: Path, name: str, subject: str = "/O=Enigm/CN=Enigm release signing") -> SigningKey:
    """A new RSA key of 2048 bits with a self-signed certificate for e-mail protection, as RAUC and SWUpdate want it."""
    key = SigningKey(folder, name)
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", subject]
    make += ["-addext", "extendedKeyUsage=emailProtection", "-keyout", str(key.private), "-out", str(key.certificate)]
    subprocess.run(make, check=True, capture_output=True)
    pk8 = ["openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", str(key.private), "-out", str(key.pk8)]
    subprocess.run(pk8, check=True, capture_output=True)
    return key
