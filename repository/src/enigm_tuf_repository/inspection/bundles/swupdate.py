"""SWUpdate's images (.swu): a cpio archive of ``sw-description``, its signature, and the files that it names.

The signature is CMS, as SWUpdate is built for it where certificates are wanted; a bare RSA signature names nobody and
is refused. The description must give a SHA-256 for each file: SWUpdate itself wants that once it verifies signatures.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import parse
from enigm_tuf_repository.inspection.bundles.libconfig import read_libconfig
from enigm_tuf_repository.inspection.cms import SignedData, read_signed_data
from enigm_tuf_repository.inspection.filesystems.cpio import looks_like_cpio, read_cpio
from enigm_tuf_repository.inspection.inspector import Claims, Inspection
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import Source

KIND = "swupdate"
DESCRIPTION, SIGNATURE = "sw-description", "sw-description.sig"
_DEEPEST = 16


@dataclass(frozen=True, slots=True)
class SwupdateImage:
    """``files`` in the archive, and ``digests`` that the description gives, by name."""

    description: bytes
    signature: SignedData
    version: str
    files: Mapping[str, Source]
    digests: Mapping[str, str]

    def verify(self) -> None:
        """MalformedError unless the certificate in it signed the description, and that names these files."""
        self.signature.verify([self.description])
        for name, source in self.files.items():
            hasher = hashlib.sha256()
            for piece in source.pieces():
                hasher.update(piece)
            if hasher.hexdigest() != self.digests.get(name):
                raise MalformedError(source.name, "sha256", "is not the one of sw-description")


class SwupdateInspector:
    """Implements ``enigm_tuf_repository.inspection.inspector.Inspector``."""

    kind = KIND

    def recognises(self, source: Source) -> bool:
        """A cpio archive: no other artifact is one."""
        return looks_like_cpio(source)

    def inspect(self, source: Source) -> Inspection:
        """MalformedError; the signature is not verified yet."""
        image = read_swupdate(source)
        certificate = image.signature.certificate
        facts = {
            "version": image.version,
            "files": {name: file.length for name, file in image.files.items()},
            "certificate": {"subject": certificate.subject, "spki_sha256": certificate.spki_sha256},
        }
        return Inspection(KIND, facts, Claims(version=image.version or None), image)


INSPECTOR = SwupdateInspector()


def read_swupdate(source: Source) -> SwupdateImage:
    """MalformedError names the entry and the field."""
    entries = list(read_cpio(source, INSPECTION_LIMITS.cpio_entries))
    names = [entry.name for entry in entries]
    if names[:2] != [DESCRIPTION, SIGNATURE] or len(set(names)) != len(names):
        raise MalformedError(source.name, "", f"must hold {DESCRIPTION} and {SIGNATURE} first, and each name once")
    for entry in entries:
        if entry.checksum is not None and entry.checksum != _sum(entry.data):
            raise MalformedError(source.name, entry.name, "its checksum is that of other bytes")
    description = entries[0].data.whole(INSPECTION_LIMITS.small_file)
    signature = read_signed_data(entries[1].data.whole(INSPECTION_LIMITS.small_file), f"{source.name}: {SIGNATURE}")
    software = _software(description, f"{source.name}: {DESCRIPTION}")
    version = software.get("version", "")
    return SwupdateImage(
        description=description,
        signature=signature,
        version=version if isinstance(version, str) else "",
        files={entry.name: entry.data for entry in entries[2:]},
        digests=_digests(software, source.name),
    )


def _software(description: bytes, source: str) -> dict[str, Any]:
    try:
        text = description.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(source, "", "must be UTF-8") from error
    whole = parse(description, source=source) if text.lstrip().startswith("{") else read_libconfig(text, source)
    software = whole.get("software")
    if not isinstance(software, dict):
        raise MalformedError(source, "software", "missing")
    return software


def _digests(software: dict[str, Any], source: str) -> dict[str, str]:
    """The SHA-256 of every file that is named anywhere below ``software``."""
    found: dict[str, str] = {}
    for group in _groups(software, 0):
        name, digest = group.get("filename"), group.get("sha256")
        if not isinstance(name, str):
            continue
        if not isinstance(digest, str) or found.get(name, digest) != digest:
            raise MalformedError(source, f"{DESCRIPTION}: {name:.60}", "needs one sha256")
        found[name] = digest
    return found


def _groups(value: object, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _groups(item, depth + 1)


def _sum(data: Source) -> int:
    return sum(sum(piece) for piece in data.pieces()) & 0xFFFFFFFF
