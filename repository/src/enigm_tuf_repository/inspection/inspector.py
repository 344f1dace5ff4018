"""What an inspector is: the interface of the entry-point group ``enigm_tuf_repository.inspectors``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from enigm_tuf.model.payload import PayloadType
from enigm_tuf_repository.inspection.source import Source

GROUP = "enigm_tuf_repository.inspectors"


@dataclass(frozen=True, slots=True)
class Claims:
    """What an artifact says of itself, in the words of manifest and payload record. None: it does not say."""

    version: str | None = None
    build_id: str | None = None
    security_patch_level: str | None = None
    rollback_index: int | None = None
    hardware_ids: tuple[str, ...] | None = None
    type: PayloadType | None = None
    source_build: str | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file is. ``facts`` is a JSON object for people and scripts; ``value`` what the parser made of it."""

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    claims: Claims = field(default_factory=Claims)
    value: object = None


class Inspector(Protocol):
    """Knows one kind of artifact."""

    @property
    def kind(self) -> str:
        """Its name, as in ``artifact_kinds`` of repository.toml; the name of the entry point too."""

    def recognises(self, source: Source) -> bool:
        """Does it look like this kind, by its magic? Cheap; a file that is cut off or broken may still look so."""

    def inspect(self, source: Source) -> Inspection:
        """Read it; MalformedError where it is not what it looked like. Nothing is extracted to the disk."""
