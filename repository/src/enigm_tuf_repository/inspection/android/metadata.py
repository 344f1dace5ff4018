"""``META-INF/com/android/metadata`` and its twin ``metadata.pb``: what an update package says of itself.

The text is what older devices and update servers read, the protocol buffer (``build.tools.releasetools.OtaMetadata``)
what newer ones do. Each is read into the same value, so that they can be compared.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.protobuf import Message

TEXT = "META-INF/com/android/metadata"
PROTOBUF = "META-INF/com/android/metadata.pb"
_TYPES = {0: "UNKNOWN", 1: "AB", 2: "BLOCK", 3: "BRICK"}
_PROPERTY_FILES = re.compile(r"ota(-[a-z0-9]+)*-property-files")
_KNOWN = (
    *("ota-type", "ota-wipe", "ota-downgrade", "ota-required-cache", "ota-retrofit-dynamic-partitions"),
    *("spl-downgrade", "pre-device", "pre-build", "pre-build-incremental", "post-build", "post-build-incremental"),
    *("post-sdk-level", "post-security-patch-level", "post-timestamp"),
)


@dataclass(frozen=True, slots=True)
class OtaMetadata:
    """Empty texts and tuples, 0 and False stand for what is absent. ``timestamp`` is in seconds since 1970."""

    type: str
    wipe: bool
    downgrade: bool
    spl_downgrade: bool
    retrofit_dynamic_partitions: bool
    required_cache: int
    pre_device: tuple[str, ...]
    pre_build: tuple[str, ...]
    pre_incremental: str
    post_build: tuple[str, ...]
    post_incremental: str
    sdk_level: str
    security_patch_level: str
    timestamp: int
    property_files: Mapping[str, str]

    def difference(self, other: "OtaMetadata") -> tuple[str, object, object] | None:
        """The first field in which they differ, with both values; None if they say the same."""
        for name in (item.name for item in fields(self)):
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                return name, ours, theirs
        return None


def read_metadata_text(data: bytes, source: str) -> OtaMetadata:
    """The lines ``key=value``; MalformedError for a key that is unknown or stands twice."""
    values = read_properties(data, source)
    property_files = {key: value.rstrip(" ") for key, value in values.items() if _PROPERTY_FILES.fullmatch(key)}
    for key in values.keys() - property_files.keys():
        if key not in _KNOWN:
            raise MalformedError(source, key, "no such property of an update package")
    return OtaMetadata(
        type=values.get("ota-type", "UNKNOWN"),
        wipe=_yes(values, "ota-wipe", source),
        downgrade=_yes(values, "ota-downgrade", source),
        spl_downgrade=_yes(values, "spl-downgrade", source),
        retrofit_dynamic_partitions=_yes(values, "ota-retrofit-dynamic-partitions", source),
        required_cache=_number(values, "ota-required-cache", source),
        pre_device=_several(values, "pre-device"),
        pre_build=_several(values, "pre-build"),
        pre_incremental=values.get("pre-build-incremental", ""),
        post_build=_several(values, "post-build"),
        post_incremental=values.get("post-build-incremental", ""),
        sdk_level=values.get("post-sdk-level", ""),
        security_patch_level=values.get("post-security-patch-level", ""),
        timestamp=_number(values, "post-timestamp", source),
        property_files=property_files,
    )


def read_metadata_protobuf(data: bytes, source: str) -> OtaMetadata:
    """The message OtaMetadata."""
    message = Message(data, source)
    before = message.message(5) or Message(b"", source, "precondition")
    after = message.message(6) or Message(b"", source, "postcondition")
    return OtaMetadata(
        type=_TYPES.get(message.integer(1), "UNKNOWN"),
        wipe=message.boolean(2),
        downgrade=message.boolean(3),
        spl_downgrade=message.boolean(9),
        retrofit_dynamic_partitions=message.boolean(7),
        required_cache=message.signed(8),
        pre_device=before.texts(1),
        pre_build=before.texts(2),
        pre_incremental=before.text(3),
        post_build=after.texts(2),
        post_incremental=after.text(3),
        sdk_level=after.text(5),
        security_patch_level=after.text(6),
        timestamp=after.signed(4),
        property_files=_map(message.messages(4), source),
    )


def read_properties(data: bytes, source: str) -> dict[str, str]:
    """Lines ``key=value``, each key once, in ASCII."""
    values: dict[str, str] = {}
    try:
        lines = data.decode("ascii").splitlines()
    except UnicodeDecodeError as error:
        raise MalformedError(source, "", "must be ASCII") from error
    for number, line in enumerate(lines, start=1):
        key, equals, value = line.partition("=")
        if not equals or not key.isprintable() or not value.isprintable():
            raise MalformedError(source, f"line {number}", "must be key=value")
        if key in values:
            raise MalformedError(source, key, "stands twice")
        values[key] = value
    return values


def _map(entries: tuple[Message, ...], source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in entries:
        if entry.text(1) in found:
            raise MalformedError(source, f"property_files.{entry.text(1):.60}", "stands twice")
        found[entry.text(1)] = entry.text(2).rstrip(" ")
    return found


def _several(values: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(values[key].split("|")) if values.get(key) else ()


def _yes(values: Mapping[str, str], key: str, source: str) -> bool:
    if values.get(key, "yes") != "yes":
        raise MalformedError(source, key, f"must be yes or absent, is {values[key][:60]!r}")
    return key in values


def _number(values: Mapping[str, str], key: str, source: str) -> int:
    text = values.get(key, "0")
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise MalformedError(source, key, f"must be a number, is {text[:60]!r}")
    return int(text)
