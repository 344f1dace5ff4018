"""CMS SignedData (RFC 5652) with exactly one signer, whose certificate is in it. Verified, trusted by nobody yet."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.certificates import PublicKey, SigningCertificate, read_certificate
from enigm_tuf_repository.inspection.der import OCTET_STRING, OID, SEQUENCE, SET, Value, read_der
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS

SIGNED_DATA = "1.2.840.113549.1.7.2"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": ("sha256", hashes.SHA256()),
    "2.16.840.1.101.3.4.2.2": ("sha384", hashes.SHA384()),
    "2.16.840.1.101.3.4.2.3": ("sha512", hashes.SHA512()),
}
_CONTEXT = 0xA0  # [0], constructed; [1] is one more


@dataclass(frozen=True, slots=True)
class SignedData:
    """One signature. ``content`` is None where it is detached; ``attributes`` are the signed bytes, or None."""

    certificate: SigningCertificate
    digest: str
    content: bytes | None
    attributes: bytes | None
    message_digest: bytes | None
    signature: bytes
    source: str

    def verify(self, content: Iterable[bytes]) -> None:
        """MalformedError unless the certificate's key signed ``content``."""
        name, algorithm = _DIGESTS[self.digest]
        hasher = hashlib.new(name)
        for piece in content:
            hasher.update(piece)
        digest = hasher.digest()
        if self.attributes is not None:
            if self.message_digest != digest:
                raise MalformedError(self.source, "messageDigest", "the signature is over other bytes")
            digest = hashlib.new(name, self.attributes).digest()
        verify_digest(self.certificate.key, self.signature, digest, algorithm, self.source)


def verify_digest(
    key: PublicKey, signature: bytes, digest: bytes, algorithm: hashes.HashAlgorithm, source: str
) -> None:
    """A signature over a digest: PKCS #1 v1.5 or PSS with an RSA key, ECDSA in DER; MalformedError if it is none."""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, digest, ec.ECDSA(Prehashed(algorithm)))
        else:
            _verify_rsa(key, signature, digest, algorithm)
    except (InvalidSignature, ValueError) as error:
        raise MalformedError(source, "signature", "does not verify") from error


def _verify_rsa(key: rsa.RSAPublicKey, signature: bytes, digest: bytes, algorithm: hashes.HashAlgorithm) -> None:
    try:
        key.verify(signature, digest, padding.PKCS1v15(), Prehashed(algorithm))
    except InvalidSignature:
        pss = padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)
        key.verify(signature, digest, pss, Prehashed(algorithm))


def read_signed_data(data: bytes, source: str) -> SignedData:
    """Parse the DER of a ContentInfo; MalformedError."""
    kind, wrapped = _exactly(read_der(data, source).require(SEQUENCE, "ContentInfo"), 2, "ContentInfo")
    if kind.oid != SIGNED_DATA:
        raise MalformedError(source, "contentType", f"must be signed data, is {kind.oid}")
    (signed,) = _exactly(wrapped.require(_CONTEXT, "content"), 1, "content")
    parts = signed.require(SEQUENCE, "SignedData").children()
    if len(parts) < 4:
        raise MalformedError(source, "SignedData", "fields are missing")
    certificates = [part for part in parts[3:-1] if part.tag == _CONTEXT]
    (signer,) = _exactly(parts[-1].require(SET, "signerInfos"), 1, "signerInfos")
    found = _certificates(certificates, source)
    return _signer(signer, found, _content(parts[2]), source)


def _content(encapsulated: Value) -> bytes | None:
    parts = encapsulated.require(SEQUENCE, "encapContentInfo").children()
    if len(parts) < 2:
        return None
    (octets,) = _exactly(parts[1].require(_CONTEXT, "eContent"), 1, "eContent")
    return octets.require(OCTET_STRING, "eContent").contents


def _certificates(found: list[Value], source: str) -> list[tuple[Value, SigningCertificate]]:
    values = [value for part in found for value in part.children()]
    if len(values) > INSPECTION_LIMITS.certificates:
        raise MalformedError(source, "certificates", f"at most {INSPECTION_LIMITS.certificates}")
    return [(value, read_certificate(value.raw, f"{source}: certificate")) for value in values]


def _signer(
    signer: Value, certificates: list[tuple[Value, SigningCertificate]], content: bytes | None, source: str
) -> SignedData:
    parts = signer.require(SEQUENCE, "SignerInfo").children()
    if len(parts) < 5:
        raise MalformedError(source, "SignerInfo", "fields are missing")
    attributes = parts[3] if parts[3].tag == _CONTEXT else None
    rest = parts[4:] if attributes else parts[3:]
    if len(rest) < 2:
        raise MalformedError(source, "SignerInfo", "fields are missing")
    digest = parts[2].children()[0].oid if parts[2].children() else ""
    if digest not in _DIGESTS:
        raise MalformedError(source, "digestAlgorithm", "must be SHA-256, SHA-384 or SHA-512")
    return SignedData(
        certificate=_of_signer(parts[1], certificates, source),
        digest=digest,
        content=content,
        attributes=bytes([SET]) + attributes.raw[1:] if attributes else None,  # RFC 5652 section 5.4
        message_digest=_message_digest(attributes) if attributes else None,
        signature=rest[1].require(OCTET_STRING, "signature").contents,
        source=source,
    )


def _of_signer(
    identifier: Value, certificates: list[tuple[Value, SigningCertificate]], source: str
) -> SigningCertificate:
    """The certificate whose issuer and serial number the signer names."""
    wanted = [part.raw for part in identifier.require(SEQUENCE, "signer").children()]
    for value, certificate in certificates:
        parts = value.children()[0].children()
        offset = 1 if parts and parts[0].tag == _CONTEXT else 0  # the version may be left out
        if len(parts) > offset + 2 and wanted == [parts[offset + 2].raw, parts[offset].raw]:
            return certificate
    raise MalformedError(source, "signer", "its certificate is not in the message")


def _message_digest(attributes: Value) -> bytes:
    found = [part.children() for part in attributes.children()]
    digests = [
        part[1].children() for part in found if len(part) == 2 and part[0].tag == OID and part[0].oid == _MESSAGE_DIGEST
    ]
    if len(digests) != 1 or len(digests[0]) != 1:
        raise MalformedError(attributes.source, "signedAttrs", "must have one message digest")
    return digests[0][0].require(OCTET_STRING, "messageDigest").contents


def _exactly(value: Value, count: int, field: str) -> list[Value]:
    children = value.children()
    if len(children) != count:
        raise MalformedError(value.source, field, f"must have {count} parts, has {len(children)}")
    return children
