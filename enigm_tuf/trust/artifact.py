"""A downloaded artifact that has been proved to be the one both authorities agreed on."""

from __future__ import annotations

from enigm_tuf.model.value import Value
from enigm_tuf.trust._seal import Seal, require_seal

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from pathlib import PurePath


class VerifiedArtifact(Value):
    """A file whose length and hashes are those of the agreed release. The only thing an Installer takes."""

    file: PurePath
    product: str
    version: str
    build_id: str
    rollback_index: int
    length: int
    hashes: dict[str, str]
    _seal: Seal | None = None

    def __post_init__(self) -> None:
        require_seal(self._seal, "a VerifiedArtifact")
