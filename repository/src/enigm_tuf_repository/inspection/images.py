"""Inspectors for a single image: vbmeta, boot image, file systems. An AVB footer is told of in each."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from enigm_tuf_repository.inspection.android.images import claims_of
from enigm_tuf_repository.inspection.android.ramdisk import looks_like_boot_image, read_boot_image
from enigm_tuf_repository.inspection.android.sparse import looks_sparse
from enigm_tuf_repository.inspection.avb.vbmeta import MAGIC, read_footer, vbmeta_of
from enigm_tuf_repository.inspection.bundles.rauc import INSPECTOR as RAUC
from enigm_tuf_repository.inspection.filesystems.erofs import looks_like_erofs, read_erofs
from enigm_tuf_repository.inspection.filesystems.ext4 import looks_like_ext4, read_ext4
from enigm_tuf_repository.inspection.filesystems.squashfs import looks_like_squashfs, read_squashfs
from enigm_tuf_repository.inspection.inspector import Claims, Inspection
from enigm_tuf_repository.inspection.source import Source


@dataclass(frozen=True, slots=True)
class ImageInspector:
    """Implements ``enigm_tuf_repository.inspection.inspector.Inspector`` with two functions."""

    kind: str
    looks: Callable[[Source], bool]
    facts: Callable[[Source], dict[str, Any]]

    def recognises(self, source: Source) -> bool:
        """By its magic."""
        return self.looks(source)

    def inspect(self, source: Source) -> Inspection:
        """MalformedError."""
        footer = read_footer(source)
        facts = self.facts(source) | ({"avb_footer": asdict(footer)} if footer else {})
        return Inspection(self.kind, facts, Claims(type="image"), None)


class VbmetaInspector:
    """Implements ``enigm_tuf_repository.inspection.inspector.Inspector``."""

    kind = "vbmeta"

    def recognises(self, source: Source) -> bool:
        """By its magic."""
        return source.length >= len(MAGIC) and source.read(0, len(MAGIC)) == MAGIC

    def inspect(self, source: Source) -> Inspection:
        """MalformedError; nothing is verified yet."""
        vbmeta = vbmeta_of(source)
        if vbmeta is None:
            raise AssertionError("it has the magic")
        facts = {
            "algorithm": vbmeta.algorithm,
            "rollback_index": vbmeta.rollback_index,
            "flags": vbmeta.flags,
            "release": vbmeta.release,
            "properties": vbmeta.properties(),
            "key": {"spki_sha256": vbmeta.key.spki_sha256, "avb_sha256": vbmeta.key.avb_sha256} if vbmeta.key else None,
        }
        return Inspection(self.kind, facts, claims_of(vbmeta), vbmeta)


def _ext4(source: Source) -> dict[str, Any]:
    image = read_ext4(source)
    return {"block": image.block, "label": image.label, "uuid": image.uuid}


def _erofs(source: Source) -> dict[str, Any]:
    image = read_erofs(source)
    return {"block": image.block, "label": image.label, "uuid": image.uuid}


def _squashfs(source: Source) -> dict[str, Any]:
    image = read_squashfs(source)
    return {name: getattr(image, name) for name in ("used", "inodes", "block", "compression", "made")}


def _boot(source: Source) -> dict[str, Any]:
    image = read_boot_image(source)
    level = image.security_patch_level
    return {"version": image.version, "vendor": image.vendor, "name": image.name, "security_patch_level": level}


def _is_squashfs(source: Source) -> bool:
    return looks_like_squashfs(source) and not RAUC.recognises(source)


VBMETA = VbmetaInspector()
BOOT = ImageInspector("boot-image", looks_like_boot_image, _boot)
EXT4 = ImageInspector("ext4", looks_like_ext4, _ext4)
EROFS = ImageInspector("erofs", looks_like_erofs, _erofs)
SQUASHFS = ImageInspector("squashfs", _is_squashfs, _squashfs)
SPARSE = ImageInspector("android-sparse", looks_sparse, lambda source: {"bytes": source.length})
