"""Packages of whole images: target-files (``IMAGES/*.img``), and what ``img`` packages for flashing hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.android.fingerprint import Fingerprint, read_fingerprint
from enigm_tuf_repository.inspection.avb.vbmeta import Vbmeta, vbmeta_of
from enigm_tuf_repository.inspection.inspector import Claims, Inspection
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import Source, bytes_source
from enigm_tuf_repository.inspection.zip_package import ZipEntry, ZipPackage, looks_like_zip, read_zip

KIND = "android-images"
_SUFFIX = ".img"
_FOLDERS = ("IMAGES/", "")  # target-files; img package
FINGERPRINT = "com.android.build.system.fingerprint"
PATCH_LEVEL = "com.android.build.system.security_patch"


@dataclass(frozen=True, slots=True)
class ImagePackage:
    """``images`` by partition. ``fingerprint`` is what the top vbmeta says of the system partition."""

    package: ZipPackage
    images: Mapping[str, ZipEntry]
    vbmeta: Vbmeta
    fingerprint: Fingerprint | None


class ImagePackageInspector:
    """Implements ``enigm_tuf_repository.inspection.inspector.Inspector``."""

    kind = KIND

    def recognises(self, source: Source) -> bool:
        """A zip file with a vbmeta image."""
        return looks_like_zip(source) and bool(_folder(read_zip(source)))

    def inspect(self, source: Source) -> Inspection:
        """MalformedError; signatures and digests are not verified yet."""
        package = read_zip(source)
        folder = (_folder(package) or "/vbmeta.img").removesuffix("vbmeta.img")
        images = {
            name.removeprefix(folder)[:-4]: entry for name, entry in package.entries.items() if _is_image(name, folder)
        }
        if len(images) > INSPECTION_LIMITS.partitions:
            raise MalformedError(source.name, "", f"at most {INSPECTION_LIMITS.partitions} images")
        data = package.read(f"{folder}vbmeta.img")
        vbmeta = vbmeta_of(bytes_source(data, f"{source.name}: vbmeta"))
        if vbmeta is None:
            raise MalformedError(source.name, "vbmeta.img", "no vbmeta image")
        value = ImagePackage(package, images, vbmeta, fingerprint_of(vbmeta))
        facts = {
            "images": {name: entry.size for name, entry in images.items()},
            "fingerprint": value.fingerprint.text if value.fingerprint else None,
            "rollback_index": vbmeta.rollback_index,
        }
        return Inspection(KIND, facts, claims_of(vbmeta), value)


INSPECTOR = ImagePackageInspector()


def claims_of(vbmeta: Vbmeta) -> Claims:
    """What a top vbmeta says of the build."""
    fingerprint = fingerprint_of(vbmeta)
    return Claims(
        version=fingerprint.incremental if fingerprint else None,
        build_id=fingerprint.id if fingerprint else None,
        security_patch_level=vbmeta.properties().get(PATCH_LEVEL),
        rollback_index=vbmeta.rollback_index,
        hardware_ids=(fingerprint.device,) if fingerprint else None,
        type="image",
    )


def fingerprint_of(vbmeta: Vbmeta) -> Fingerprint | None:
    """Of the system partition; None where no property says it."""
    text = vbmeta.properties().get(FINGERPRINT)
    return read_fingerprint(text, vbmeta.source, FINGERPRINT) if text else None


def _folder(package: ZipPackage) -> str | None:
    return next((f"{folder}vbmeta.img" for folder in _FOLDERS if f"{folder}vbmeta.img" in package.entries), None)


def _is_image(name: str, folder: str) -> bool:
    return name.startswith(folder) and name.endswith(_SUFFIX) and "/" not in name.removeprefix(folder)
