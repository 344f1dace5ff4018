"""``release.toml``: what a release is, as the person who prepares it says."""

from dataclasses import dataclass

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.manifest import RELEASE, Rollout
from enigm_tuf.model.payload import HARDWARE_IDS, PAYLOAD_TYPE, PayloadType, require_delta_source
from enigm_tuf.model.shapes import BUILD_ID, NAME, WORD, Optional, Record, Sequence
from enigm_tuf.model.strict_toml import parse_toml


@dataclass(frozen=True, slots=True)
class PayloadFile:
    """A build artifact, relative to the description. ``source_build`` is the build that a delta applies to."""

    file: str
    type: PayloadType
    source_build: str | None


@dataclass(frozen=True, slots=True)
class ReleaseDescription:
    """The fields of a manifest's release, with files in place of their digests."""

    product: str
    channel: str
    version: str
    build_id: str
    security_patch_level: str
    rollback_index: int
    hardware_ids: tuple[str, ...]
    release_notes: str
    minimum_client: str
    mandatory: bool
    applicable_from: str | None
    payloads: tuple[PayloadFile, ...]
    rollout: Rollout
    provenance: tuple[str, ...]


_SAME = ("version", "build_id", "security_patch_level", "rollback_index", "release_notes", "minimum_client")
_ALSO = ("mandatory", "applicable_from", "rollout")

RELEASE_DESCRIPTION = Record(
    ReleaseDescription,
    product=NAME,
    channel=NAME,
    hardware_ids=HARDWARE_IDS,
    payloads=Sequence(
        Record(PayloadFile, file=WORD, type=PAYLOAD_TYPE, source_build=Optional(BUILD_ID)), minimum=1, maximum=100
    ),
    provenance=Sequence(WORD, maximum=100, unique=True),
    **{name: RELEASE.fields[name] for name in (*_SAME, *_ALSO)},
)


def read_release_description(data: bytes, source: str) -> ReleaseDescription:
    """Parse ``release.toml``; MalformedError names the field."""
    description = RELEASE_DESCRIPTION.read(parse_toml(data, source), source)
    for index, payload in enumerate(description.payloads):
        require_delta_source(payload.type, payload.source_build, source, f"payloads[{index}]")
    names = [payload.file.rpartition("/")[2] for payload in description.payloads]
    if len(set(names)) != len(names):
        raise MalformedError(source, "payloads", "no file name may stand twice in one release")
    return description
