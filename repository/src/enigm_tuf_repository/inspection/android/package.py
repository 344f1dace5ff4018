"""A/B update packages of Android, whole: the zip, its metadata, its payload, and what they claim together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.android.fingerprint import Fingerprint, read_fingerprint
from enigm_tuf_repository.inspection.android.footer import WholeFileSignature, read_whole_file_signature
from enigm_tuf_repository.inspection.android.metadata import (
    PROTOBUF,
    TEXT,
    OtaMetadata,
    read_metadata_protobuf,
    read_metadata_text,
    read_properties,
)
from enigm_tuf_repository.inspection.android.payload import Payload, read_payload
from enigm_tuf_repository.inspection.android.payload_images import small_image
from enigm_tuf_repository.inspection.avb.vbmeta import Vbmeta, vbmeta_of
from enigm_tuf_repository.inspection.certificates import SigningCertificate, read_certificate
from enigm_tuf_repository.inspection.inspector import Claims, Inspection
from enigm_tuf_repository.inspection.source import Source
from enigm_tuf_repository.inspection.zip_package import ZipPackage, looks_like_zip, read_zip

KIND = "android-ota"
PAYLOAD = "payload.bin"
PROPERTIES = "payload_properties.txt"
CERTIFICATE = "META-INF/com/android/otacert"


@dataclass(frozen=True, slots=True)
class OtaPackage:
    """``after`` is the fingerprint of the build that it brings, ``before`` that of the one it needs, for a delta.

    ``vbmeta`` is None where the payload does not bring it whole.
    """

    package: ZipPackage
    metadata: OtaMetadata
    twin: OtaMetadata
    properties: Mapping[str, str]
    payload: Payload
    certificate: SigningCertificate
    signature: WholeFileSignature
    after: Fingerprint
    before: Fingerprint | None
    vbmeta: Vbmeta | None


class OtaPackageInspector:
    """Implements ``enigm_tuf_repository.inspection.inspector.Inspector``."""

    kind = KIND

    def recognises(self, source: Source) -> bool:
        """A zip file with the metadata of an update package, or with a payload."""
        return looks_like_zip(source) and not {TEXT, PROTOBUF, PAYLOAD}.isdisjoint(read_zip(source).entries)

    def inspect(self, source: Source) -> Inspection:
        """MalformedError; nothing is compared or verified yet."""
        package = read_ota_package(source)
        return Inspection(KIND, _facts(package), _claims(package), package)


INSPECTOR = OtaPackageInspector()


def read_ota_package(source: Source) -> OtaPackage:
    """MalformedError names the entry and the field."""
    package = read_zip(source)
    metadata = read_metadata_text(package.read(TEXT), f"{source.name}: {TEXT}")
    if metadata.type != "AB":
        raise MalformedError(source.name, "ota-type", f"must be AB, is {metadata.type}")
    payload = read_payload(package.stored(PAYLOAD))
    vbmeta = small_image(payload, "vbmeta")
    return OtaPackage(
        package=package,
        metadata=metadata,
        twin=read_metadata_protobuf(package.read(PROTOBUF), f"{source.name}: {PROTOBUF}"),
        properties=read_properties(package.read(PROPERTIES), f"{source.name}: {PROPERTIES}"),
        payload=payload,
        certificate=read_certificate(package.read(CERTIFICATE), f"{source.name}: {CERTIFICATE}"),
        signature=read_whole_file_signature(source, package.comment),
        after=_fingerprint(metadata.post_build, source.name, "post-build"),
        before=_fingerprint(metadata.pre_build, source.name, "pre-build") if metadata.pre_build else None,
        vbmeta=vbmeta_of(vbmeta) if vbmeta else None,
    )


def _fingerprint(builds: tuple[str, ...], source: str, field: str) -> Fingerprint:
    if len(builds) != 1:
        raise MalformedError(source, field, f"must be one build, has {len(builds)}")
    return read_fingerprint(builds[0], source, field)


def _claims(package: OtaPackage) -> Claims:
    metadata = package.metadata
    return Claims(
        version=metadata.post_incremental or None,
        build_id=package.after.id,
        security_patch_level=metadata.security_patch_level or None,
        rollback_index=package.vbmeta.rollback_index if package.vbmeta else None,
        hardware_ids=metadata.pre_device or None,
        type="delta-ota" if package.payload.delta or package.before else "full-ota",
        source_build=package.before.id if package.before else None,
    )


def _facts(package: OtaPackage) -> dict[str, Any]:
    metadata, payload = package.metadata, package.payload
    return {
        "post_build": package.after.text,
        "pre_build": package.before.text if package.before else None,
        "incremental": metadata.post_incremental,
        "devices": list(metadata.pre_device),
        "security_patch_level": metadata.security_patch_level,
        "timestamp": metadata.timestamp,
        "wipe": metadata.wipe,
        "downgrade": metadata.downgrade,
        "spl_downgrade": metadata.spl_downgrade,
        "partitions": {item.name: {"bytes": item.size, "sha256": item.sha256.hex()} for item in payload.partitions},
        "partial": payload.partial,
        "delta": payload.delta,
        "block_size": payload.block_size,
        "minor_version": payload.minor_version,
        "unknown_manifest_fields": list(payload.unknown_fields),
        "certificate": {"subject": package.certificate.subject, "spki_sha256": package.certificate.spki_sha256},
        "rollback_index": package.vbmeta.rollback_index if package.vbmeta else None,
    }


def property_file_places(text: str, source: str) -> dict[str, tuple[int, int]]:
    """What a property file says: offset and length in the package, by the last part of an entry's name."""
    found: dict[str, tuple[int, int]] = {}
    for item in text.split(","):
        match = re.fullmatch(r"([A-Za-z0-9._-]+):([0-9]{1,15}):([0-9]{1,15})", item)
        if match is None or match[1] in found:
            raise MalformedError(source, "property files", f"must be name:offset:length, each once, is {item[:60]!r}")
        found[match[1]] = int(match[2]), int(match[3])
    return found
