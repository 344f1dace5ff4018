"""``release.toml``: what a release is, as the person who prepares it says; what the artifacts say may be left out."""

from collections.abc import Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.manifest import RELEASE, Rollout
from enigm_tuf.model.payload import PAYLOAD_TYPE, PayloadType, require_delta_source
from enigm_tuf.model.shapes import BUILD_ID, NAME, WORD, Boolean, Optional, Record, Sequence
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf_repository.claims import OF_RELEASE, filled, of_release
from enigm_tuf_repository.inspection.inspector import Claims, Inspection


@dataclass(frozen=True, slots=True)
class PayloadFile:
    """A build artifact, relative to the description. ``source_build`` is the build that a delta applies to."""

    file: str
    type: PayloadType
    source_build: str | None

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.file.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class ReleaseDescription:
    """The fields of a manifest's release, with files in place of their digests.

    ``downgrade``: this release is meant to bring an older build, or to wipe devices.
    """

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
    downgrade: bool


@dataclass(frozen=True, slots=True)
class WrittenRelease:
    """``release.toml`` itself: the same, but what artifacts say of themselves may be None."""

    fields: Mapping[str, Any]
    source: str

    @property
    def files(self) -> tuple[str, ...]:
        """The artifacts, relative to the description."""
        return tuple(payload["file"] for payload in self.fields["payloads"])

    def completed(self, inspected: Several[Inspection]) -> ReleaseDescription:
        """With what the artifacts say; RefusedError ARTIFACT-CLAIMS, MalformedError where nobody says something."""
        names = [file.rpartition("/")[2] for file in self.files]
        said = Claims(**{name: self.fields[name] for name in OF_RELEASE})
        of_all = [(name, of_release(item.claims)) for name, item in zip(names, inspected, strict=True)]
        release = {name: getattr(filled(said, of_all, self.source), name) for name in OF_RELEASE}
        payloads = tuple(
            self._payload(index, payload, item.claims)
            for index, (payload, item) in enumerate(zip(self.fields["payloads"], inspected, strict=True))
        )
        for name, value in release.items():
            self._require(value, name)
        rest = {"payloads": payloads, "downgrade": bool(self.fields["downgrade"])}
        return ReleaseDescription(**{**self.fields, **release, **rest})

    def _payload(self, index: int, payload: Mapping[str, Any], claims: Claims) -> PayloadFile:
        field, name = f"payloads[{index}]", payload["file"].rpartition("/")[2]
        said = Claims(type=payload["type"], source_build=payload["source_build"])
        own = Claims(type=claims.type, source_build=claims.source_build)
        whole = filled(said, [(name, own)], self.source)
        kind = self._require(whole.type, f"{field}.type")
        require_delta_source(kind, whole.source_build, self.source, field)
        return PayloadFile(payload["file"], kind, whole.source_build)

    def _require(self, value: Any, field: str) -> Any:
        if value is None:
            hint = "write it there; an artifact that says it would do too"
            raise MalformedError(self.source, field, "missing field, and no artifact says it", hint=hint)
        return value


_SAME = ("release_notes", "minimum_client", "mandatory", "applicable_from", "rollout")

RELEASE_DESCRIPTION: Record[dict[str, Any]] = Record(
    dict,
    product=NAME,
    channel=NAME,
    payloads=Sequence(
        Record(dict, file=WORD, type=Optional(PAYLOAD_TYPE), source_build=Optional(BUILD_ID)), minimum=1, maximum=100
    ),
    provenance=Sequence(WORD, maximum=100, unique=True),
    downgrade=Optional(Boolean()),
    **{name: RELEASE.fields[name] for name in _SAME},
    **{name: Optional(RELEASE.fields[name]) for name in OF_RELEASE},
)


def read_release_description(data: bytes, source: str) -> WrittenRelease:
    """Parse ``release.toml``; MalformedError names the field."""
    written = WrittenRelease(RELEASE_DESCRIPTION.read(parse_toml(data, source), source), source)
    names = [file.rpartition("/")[2] for file in written.files]
    if len(set(names)) != len(names):
        raise MalformedError(source, "payloads", "no file name may stand twice in one release")
    return written
