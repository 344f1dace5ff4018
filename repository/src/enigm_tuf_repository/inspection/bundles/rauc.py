"""RAUC bundles in the format "verity": squashfs, its dm-verity tree, a CMS message with the manifest, its length.

The manifest names root hash, salt and size of the tree, so that one signature covers all. The older format "plain" is
refused: its manifest lies in the squashfs, and RAUC's own manual advises against it.
"""

import configparser
from dataclasses import dataclass
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.avb.descriptors import HashtreeDescriptor
from enigm_tuf_repository.inspection.avb.hashtree import tree_root
from enigm_tuf_repository.inspection.cms import SignedData, read_signed_data
from enigm_tuf_repository.inspection.filesystems.squashfs import looks_like_squashfs, read_squashfs
from enigm_tuf_repository.inspection.inspector import Claims, Inspection
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import Source

KIND = "rauc"
_LENGTH = 8  # bytes at the end, big-endian: how long the CMS message is
_BLOCK = 4096
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class RaucBundle:
    """``signature`` holds the manifest; ``data`` is squashfs and tree."""

    signature: SignedData
    data: Source
    compatible: str
    version: str
    build: str
    images: tuple[str, ...]
    tree: HashtreeDescriptor

    def verify(self) -> None:
        """MalformedError unless the certificate in it signed the manifest, and the manifest names these bytes."""
        self.signature.verify([self.signature.content or b""])
        if tree_root(self.tree, self.data, lambda _: None) != self.tree.digest:
            raise MalformedError(self.data.name, "verity-hash", "is that of other bytes")


class RaucInspector:
    """Implements ``enigm_tuf_repository.inspection.inspector.Inspector``."""

    kind = KIND

    def recognises(self, source: Source) -> bool:
        """A squashfs with a DER message at the end, as long as the last eight bytes say."""
        return looks_like_squashfs(source) and _signature_place(source) is not None

    def inspect(self, source: Source) -> Inspection:
        """MalformedError; the signature is not verified yet."""
        bundle = read_rauc(source)
        facts = {
            "compatible": bundle.compatible,
            "version": bundle.version,
            "build": bundle.build,
            "images": list(bundle.images),
            "certificate": {
                "subject": bundle.signature.certificate.subject,
                "spki_sha256": bundle.signature.certificate.spki_sha256,
            },
        }
        claims = Claims(bundle.version or None, bundle.build or None, hardware_ids=(bundle.compatible,))
        return Inspection(KIND, facts, claims, bundle)


INSPECTOR = RaucInspector()


def read_rauc(source: Source) -> RaucBundle:
    """MalformedError names the field."""
    place = _signature_place(source)
    if place is None:
        raise MalformedError(source.name, "", "no signature at the end")
    signature = read_signed_data(source.read(*place), f"{source.name}: signature")
    if signature.content is None:
        raise MalformedError(source.name, "signature", "has no manifest: make the bundle with format=verity")
    manifest = _manifest(signature.content, f"{source.name}: manifest")
    data = source.part(0, place[0], "data")
    squashfs = read_squashfs(source)
    size = -(-squashfs.used // _BLOCK) * _BLOCK
    return RaucBundle(
        signature=signature,
        data=data,
        compatible=_value(manifest, "update", "compatible", source.name),
        version=manifest.get("update", "version", fallback=""),
        build=manifest.get("update", "build", fallback=""),
        images=tuple(name.removeprefix("image.") for name in manifest.sections() if name.startswith("image.")),
        tree=_tree(manifest, data, size),
    )


def _tree(manifest: configparser.ConfigParser, data: Source, size: int) -> HashtreeDescriptor:
    tree_size = _value(manifest, "bundle", "verity-size", data.name)
    if not tree_size.isdecimal() or len(tree_size) > 15 or size + int(tree_size) != data.length:
        raise MalformedError(data.name, "verity-size", "must be what lies between squashfs and signature")
    return HashtreeDescriptor(
        partition="bundle",
        image_size=size,
        tree_offset=size,
        tree_size=int(tree_size),
        data_block=_BLOCK,
        hash_block=_BLOCK,
        algorithm="sha256",
        salt=_hex(manifest, "verity-salt", data.name),
        digest=_hex(manifest, "verity-hash", data.name),
        flags=0,
    )


def _manifest(data: bytes, source: str) -> configparser.ConfigParser:
    """A key file of GLib: no key and no section twice."""
    parser = configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None, strict=True)
    try:
        parser.read_string(data.decode("utf-8"))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise MalformedError(source, "", f"not a manifest: {str(error).splitlines()[0]}") from error
    if parser.get("bundle", "format", fallback="plain") != "verity":
        raise MalformedError(source, "bundle.format", "must be verity")
    return parser


def _value(manifest: configparser.ConfigParser, section: str, key: str, source: str) -> Any:
    value = manifest.get(section, key, fallback="")
    if not value or not value.isprintable():
        raise MalformedError(source, f"{section}.{key}", "missing from the manifest")
    return value


def _hex(manifest: configparser.ConfigParser, key: str, source: str) -> bytes:
    value = _value(manifest, "bundle", key, source)
    if len(value) != 64 or not set(value) <= _HEX:
        raise MalformedError(source, f"bundle.{key}", "must be 64 hex digits")
    return bytes.fromhex(value)


def _signature_place(source: Source) -> tuple[int, int] | None:
    """Offset and length of the message at the end; None where nothing of the kind is there."""
    if source.length < _LENGTH + _BLOCK:
        return None
    length = int.from_bytes(source.read(source.length - _LENGTH, _LENGTH))
    start = source.length - _LENGTH - length
    if not 64 <= length <= INSPECTION_LIMITS.small_file or start < _BLOCK or source.read(start, 1) != b"\x30":
        return None
    return start, length
