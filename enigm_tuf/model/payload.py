"""The payload record: the ``custom`` of a target in a payload role, signed by the release authority.

It says what the bytes are, so that the manifest authority cannot give them another meaning.
"""

from __future__ import annotations

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.shapes import (
    BUILD_ID,
    NAME,
    SHA256,
    SHA512,
    VERSION,
    Choice,
    Integer,
    Optional,
    Record,
    Sequence,
)
from enigm_tuf.model.strict_json import encode
from enigm_tuf.model.value import Value

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    PayloadType: TypeAlias = Literal["full-ota", "delta-ota", "image"]
else:
    PayloadType = str

PAYLOAD_TYPE = Choice(("full-ota", "delta-ota", "image"))
HARDWARE_IDS = Sequence(NAME, minimum=1, maximum=1_000, unique=True)


def _without_none(**hashes: str | None) -> dict[str, str]:
    return {name: digest for name, digest in hashes.items() if digest is not None}


HASHES: Record[dict[str, str]] = Record(_without_none, sha256=SHA256, sha512=Optional(SHA512))
LENGTH = Integer(1, maximum=LIMITS.payload_bytes)


class Chunks(Value):
    """A Merkle tree (RFC 6962 section 2.1, SHA-256) over the digests at the end of every ``size`` bytes, and of all."""

    size: int
    root: str


class PayloadRecord(Value):
    """What both authorities must agree on, beside path, length and hashes, which TUF itself holds.

    ``source_build`` is the build id that a delta applies to. ``provenance`` are SHA-256 of SLSA statements.
    """

    product: str
    version: str
    build_id: str
    rollback_index: int
    hardware_ids: tuple[str, ...]
    type: PayloadType
    source_build: str | None
    provenance: tuple[str, ...]
    chunks: Chunks


PAYLOAD_RECORD = Record(
    PayloadRecord,
    1,
    product=NAME,
    version=VERSION,
    build_id=BUILD_ID,
    rollback_index=Integer(),
    hardware_ids=HARDWARE_IDS,
    type=PAYLOAD_TYPE,
    source_build=Optional(BUILD_ID),
    provenance=Sequence(SHA256, maximum=100, unique=True),
    chunks=Record(Chunks, size=Integer(4096, maximum=64 * 2**20), root=SHA256),
)


def read_payload_record(custom: object, source: str, field: str) -> PayloadRecord:
    """The record in the ``custom`` of the target ``field`` of the role ``source``."""
    record = PAYLOAD_RECORD.read(custom, source, field)
    if len(encode(PAYLOAD_RECORD.write(record))) > LIMITS.record_bytes:
        raise MalformedError(source, field, f"at most {LIMITS.record_bytes:,} bytes")
    require_delta_source(record.type, record.source_build, source, field)
    return record


def require_delta_source(kind: PayloadType, source_build: str | None, source: str, field: str) -> None:
    """A delta names the build that it applies to; nothing else does."""
    if (kind == "delta-ota") != (source_build is not None):
        raise MalformedError(source, f"{field}.source_build", "needed in a delta-ota and nowhere else")
