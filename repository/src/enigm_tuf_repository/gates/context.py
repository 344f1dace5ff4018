"""What a gate may look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.model.tuf import Root
from enigm_tuf_repository.gates.artifacts import StagedArtifacts
from enigm_tuf_repository.lineage import Heads, SignedFile
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class GateContext:
    """``roles`` are the record's staged roles, with its candidate timestamp; ``before`` is what is published.

    ``root`` is the root that will be in force. ``digests`` gives the SHA-256 of every staged file by its path in the
    record, as step 6 verified them. ``artifacts`` are what the record brings, read once for all gates.
    """

    workspace: Workspace
    record: ReleaseRecord
    roles: Mapping[str, SignedFile]
    before: Heads
    root: Root
    digests: Mapping[str, str]
    artifacts: StagedArtifacts
    now: datetime

    @property
    def after(self) -> Heads:
        """Every role as it will be published."""
        return self.before.with_files(self.roles)
