"""A vbmeta image: header, authentication block, auxiliary block (``avb_vbmeta_image.h``); and the footer (``AVBf``).

The signature covers header and auxiliary block, so all that is read here except the release string's meaning is signed.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.avb.descriptors import Descriptor, PropertyDescriptor, read_descriptors
from enigm_tuf_repository.inspection.avb.keys import AvbKey, read_avb_key
from enigm_tuf_repository.inspection.fields import Layout, text
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import Source

MAGIC = b"AVB0"
FOOTER_MAGIC = b"AVBf"
_HEADER = Layout(
    ">",
    magic="4s",
    major="I",
    minor="I",
    authentication="Q",
    auxiliary="Q",
    algorithm="I",
    hash_offset="Q",
    hash_size="Q",
    signature_offset="Q",
    signature_size="Q",
    key_offset="Q",
    key_size="Q",
    key_metadata_offset="Q",
    key_metadata_size="Q",
    descriptors_offset="Q",
    descriptors_size="Q",
    rollback_index="Q",
    flags="I",
    location="I",
    release="48s",
    reserved="80s",
)
_FOOTER = Layout(">", magic="4s", major="I", minor="I", image_size="Q", offset="Q", size="Q", reserved="28s")
ALGORITHMS: dict[int, tuple[str, int]] = {
    1: ("sha256", 2048),
    2: ("sha256", 4096),
    3: ("sha256", 8192),
    4: ("sha512", 2048),
    5: ("sha512", 4096),
    6: ("sha512", 8192),
}
"""Algorithm type: hash and bits of the RSA key. 0 is an image without a signature."""
HASHTREE_DISABLED, VERIFICATION_DISABLED = 1, 2
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Vbmeta:
    """``key`` is None where nobody signed. ``signed`` are the bytes under ``signature``."""

    source: str
    algorithm: int
    key: AvbKey | None
    signed: bytes
    hash: bytes
    signature: bytes
    rollback_index: int
    location: int
    flags: int
    release: str
    descriptors: tuple[Descriptor, ...]

    def verify(self) -> AvbKey:
        """The key that signed it; MalformedError where nobody did, or where hash or signature is of other bytes."""
        if self.key is None:
            raise MalformedError(self.source, "algorithm_type", "must be signed, is NONE")
        name, bits = ALGORITHMS[self.algorithm]
        digest = hashlib.new(name, self.signed).digest()
        if digest != self.hash:
            raise MalformedError(self.source, "hash", "is that of other bytes")
        if bits != self.key.bits:
            raise MalformedError(self.source, "public key", f"must have {bits} bits, has {self.key.bits}")
        algorithm = hashes.SHA256() if name == "sha256" else hashes.SHA512()
        try:
            self.key.key.verify(self.signature, digest, padding.PKCS1v15(), Prehashed(algorithm))
        except InvalidSignature as error:
            raise MalformedError(self.source, "signature", "does not verify") from error
        return self.key

    def properties(self) -> dict[str, str]:
        """By key, each once; bytes that are no text are shown as such."""
        found = [item for item in self.descriptors if isinstance(item, PropertyDescriptor)]
        properties = {item.key: item.value.decode("utf-8", "replace") for item in found}
        if len(properties) != len(found):
            raise MalformedError(self.source, "descriptors", "no property may stand twice")
        return properties


@dataclass(frozen=True, slots=True)
class AvbFooter:
    """Where a partition's own vbmeta lies, in bytes from its start."""

    image_size: int
    offset: int
    size: int


def read_vbmeta(data: bytes, source: str) -> Vbmeta:
    """MalformedError names the field. Bytes behind the image are padding of the partition, and must be zero."""
    header = _HEADER.read(data, source, "header")
    _require_header(header, len(data), source)
    authentication = data[_HEADER.size : _HEADER.size + header["authentication"]]
    end = _HEADER.size + header["authentication"] + header["auxiliary"]
    auxiliary = data[_HEADER.size + header["authentication"] : end]
    if any(data[end:]):
        raise MalformedError(source, "", "bytes behind the vbmeta image")
    key = _piece(auxiliary, header, "key", source)
    descriptors = read_descriptors(_piece(auxiliary, header, "descriptors", source), source)
    if header["algorithm"] and not key:
        raise MalformedError(source, "public key", "must be there in a signed image")
    return Vbmeta(
        source=source,
        algorithm=header["algorithm"],
        key=read_avb_key(key, source) if header["algorithm"] else None,
        signed=data[: _HEADER.size] + auxiliary,
        hash=_piece(authentication, header, "hash", source),
        signature=_piece(authentication, header, "signature", source),
        rollback_index=header["rollback_index"],
        location=header["location"],
        flags=header["flags"],
        release=text(header["release"], source, "release_string"),
        descriptors=descriptors,
    )


def _require_header(header: dict[str, Any], length: int, source: str) -> None:
    if header["magic"] != MAGIC or header["major"] != 1:
        raise MalformedError(source, "header", "must be AVB0, version 1")
    if header["algorithm"] not in {0, *ALGORITHMS}:
        raise MalformedError(source, "algorithm_type", f"no such algorithm: {header['algorithm']}")
    blocks = (header["authentication"], header["auxiliary"])
    if any(size % _BLOCK for size in blocks) or _HEADER.size + sum(blocks) > min(length, INSPECTION_LIMITS.vbmeta):
        raise MalformedError(
            source, "header", f"its blocks must be whole, and at most {INSPECTION_LIMITS.vbmeta:,} bytes"
        )


def _piece(block: bytes, header: dict[str, Any], name: str, source: str) -> bytes:
    start, size = header[f"{name}_offset"], header[f"{name}_size"]
    if start + size > len(block):
        raise MalformedError(source, name, "reaches beyond its block")
    return block[start : start + size]


def read_footer(source: Source) -> AvbFooter | None:
    """The footer at the end of a partition's image; None where there is none."""
    if source.length < _FOOTER.size:
        return None
    footer = _FOOTER.read(source.read(source.length - _FOOTER.size, _FOOTER.size), source.name, "AVB footer")
    if footer["magic"] != FOOTER_MAGIC:
        return None
    end = footer["offset"] + footer["size"]
    fits = footer["image_size"] <= footer["offset"] and end <= source.length - _FOOTER.size
    if footer["major"] != 1 or footer["size"] > INSPECTION_LIMITS.vbmeta or not fits:
        raise MalformedError(source.name, "AVB footer", "must be of version 1 and name what lies before it")
    return AvbFooter(footer["image_size"], footer["offset"], footer["size"])


def vbmeta_of(source: Source) -> Vbmeta | None:
    """The vbmeta that an image is, or that its footer names; None where there is none."""
    if source.length >= len(MAGIC) and source.read(0, len(MAGIC)) == MAGIC:
        return read_vbmeta(source.read(0, min(source.length, INSPECTION_LIMITS.vbmeta)), source.name)
    footer = read_footer(source)
    return read_vbmeta(source.read(footer.offset, footer.size), source.name) if footer else None
