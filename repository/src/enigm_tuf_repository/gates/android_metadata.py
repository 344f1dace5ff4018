"""ANDROID-METADATA: all that an update package says of itself in several places, it says alike."""

import base64
import hashlib
from collections.abc import Iterator

from enigm_tuf_repository.gates.android import evidence_of, packages, refuse, why_no_package
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.inspection.android.package import OtaPackage, property_file_places
from enigm_tuf_repository.inspection.android.payload import Payload
from enigm_tuf_repository.rules import ArtifactRule

_HEAD_ONLY = "payload_metadata.bin"


class AndroidMetadata:
    """Compares metadata, its twin, payload_properties.txt, payload.bin, and the property files for streaming."""

    rule = ArtifactRule.ANDROID_METADATA
    proves = (
        "`metadata` and `metadata.pb` say the same; `payload_properties.txt` has the sizes and hashes of the real"
        " bytes; timestamp and patch level are those of the payload's manifest; every entry that a streaming "
        "device would fetch lies where the property files say; a build to start from is named exactly for a "
        "delta."
    )
    does_not_prove = "That the partitions in the payload are of the build that the metadata names: see AVB-VERIFIED."

    def applies(self, context: GateContext) -> str:
        """To update packages of Android."""
        return why_no_package(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError ANDROID-METADATA names the first difference."""
        found = list(packages(context))
        total = sum(package.payload.source.length for _, package in found)
        done = 0
        for artifact, package in found:
            _require_twins(artifact.name, package)
            for piece in _require_properties(artifact.name, package):
                done += piece
                progress(done, total)
            _require_payload(artifact.name, package)
            _require_places(artifact.name, package)
        facts: dict[str, object] = {
            artifact.name: {"properties": dict(package.properties), "timestamp": package.metadata.timestamp}
            for artifact, package in found
        }
        return evidence_of(context, f"{len(found)} packages, twins and payload properties agree", facts)


GATE = AndroidMetadata()


def _require_twins(name: str, package: OtaPackage) -> None:
    if difference := package.metadata.difference(package.twin):
        field, text, protobuf = difference
        raise refuse(
            GATE.rule, f"{name}, {field}", f"{text!r:.200} as in metadata", f"{protobuf!r:.200} in metadata.pb"
        )


def _require_properties(name: str, package: OtaPackage) -> Iterator[int]:
    """Yields how many bytes it has read."""
    hasher = hashlib.sha256()
    for piece in package.payload.source.pieces():
        hasher.update(piece)
        yield len(piece)
    real = {
        "FILE_HASH": _base64(hasher.digest()),
        "FILE_SIZE": str(package.payload.source.length),
        "METADATA_HASH": _base64(package.payload.metadata_sha256()),
        "METADATA_SIZE": str(package.payload.metadata_size),
    }
    for key, value in real.items():
        if package.properties.get(key) != value:
            got = f"{package.properties.get(key)} in payload_properties.txt"
            raise refuse(GATE.rule, f"{name}, {key}", f"{value} as payload.bin has it", got)


def _require_payload(name: str, package: OtaPackage) -> None:
    metadata, payload = package.metadata, package.payload
    if payload.delta != (package.before is not None):
        kind = "a delta" if payload.delta else "a full payload"
        raise refuse(GATE.rule, f"{name}, pre-build", "a build to start from in a delta and nowhere else", f"{kind}")
    if not metadata.downgrade and payload.timestamp != metadata.timestamp:
        got = f"{payload.timestamp} in the payload"
        raise refuse(GATE.rule, f"{name}, timestamp", f"{metadata.timestamp} as in metadata", got)
    level = payload.security_patch_level
    if level and level != metadata.security_patch_level:
        expected = f"{metadata.security_patch_level} as in metadata"
        raise refuse(GATE.rule, f"{name}, security patch level", expected, f"{level} in the payload")


def _require_places(name: str, package: OtaPackage) -> None:
    """Devices that stream never read the zip's directory: they trust these numbers."""
    for key, value in package.metadata.property_files.items():
        for entry, (offset, length) in property_file_places(value, name).items():
            real = _place(package, entry)
            if real != (offset, length):
                got = f"{offset}:{length} in {key}"
                raise refuse(GATE.rule, f"{name}, {entry}", f"{real} (offset, length) in the package", got)


def _place(package: OtaPackage, name: str) -> tuple[int, int] | None:
    if name == _HEAD_ONLY:
        return package.payload.source.start, _head(package.payload)
    found = [entry for path, entry in package.package.entries.items() if path.rpartition("/")[2] == name]
    return (found[0].data.start, found[0].data.length) if len(found) == 1 and found[0].stored else None


def _head(payload: Payload) -> int:
    return payload.metadata_size + payload.metadata_signature_size


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
