"""The update-verification certificates inside an image: ``otacerts.zip``, in file systems and in ramdisks."""

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.android.ramdisk import looks_like_boot_image, read_boot_image
from enigm_tuf_repository.inspection.certificates import SigningCertificate, read_certificate
from enigm_tuf_repository.inspection.filesystems.erofs import looks_like_erofs, read_erofs
from enigm_tuf_repository.inspection.filesystems.ext4 import looks_like_ext4, read_ext4
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import Source, bytes_source
from enigm_tuf_repository.inspection.zip_package import read_zip

IN_FILE_SYSTEMS = ("system/etc/security/otacerts.zip", "etc/security/otacerts.zip")
"""In a system image that is the root as well, and in one that is mounted at /system."""
IN_RAMDISKS = ("system/etc/security/otacerts.zip", "res/keys")
"""Of recovery: since Android 10, and before, in a form that is not read."""


def update_certificates(image: Source) -> tuple[SigningCertificate, ...] | None:
    """All certificates by which the image verifies updates; None where it has no place for any.

    MalformedError where there is one that cannot be read: nothing that was not seen may pass.
    """
    if looks_like_boot_image(image):
        found = read_boot_image(image).read(*IN_RAMDISKS)
        if "res/keys" in found:
            raise MalformedError(image.name, "res/keys", "keys in the form of Android 9 are not read")
        stores = list(found.values())
    elif looks_like_ext4(image) or looks_like_erofs(image):
        tree = read_ext4(image) if looks_like_ext4(image) else read_erofs(image)
        stores = [data for path in IN_FILE_SYSTEMS if (data := tree.read(path)) is not None]
    else:
        return None
    certificates = [item for data in stores for item in read_otacerts(data, f"{image.name}: otacerts.zip")]
    return tuple(certificates) if stores else None


def read_otacerts(data: bytes, source: str) -> tuple[SigningCertificate, ...]:
    """Every entry is one certificate in PEM; MalformedError where one is something else, or there is none."""
    package = read_zip(bytes_source(data, source))
    names = [name for name in package.entries if not name.endswith("/")]
    if not 0 < len(names) <= INSPECTION_LIMITS.certificates:
        raise MalformedError(source, "", f"must hold 1 to {INSPECTION_LIMITS.certificates} certificates")
    return tuple(read_certificate(package.read(name), f"{source}: {name}") for name in names)
