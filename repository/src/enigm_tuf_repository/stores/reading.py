"""A file on its way out: what leaves is what was verified, or it does not leave whole."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from enigm_tuf.errors import StateError
from enigm_tuf_repository.publication import Sent


def verified_pieces(source: Path, sha256: str, size: int, sent: Sent) -> Iterator[bytes]:
    """Pieces of ``size`` bytes; StateError in place of the last one if the whole does not hash to ``sha256``."""
    digest = hashlib.sha256()
    with source.open("rb") as file:
        piece = file.read(size)
        while True:
            digest.update(piece)
            following = file.read(size)
            if not following and digest.hexdigest() != sha256:
                raise StateError(f"{source}: changed while it was being published")
            yield piece
            sent(len(piece))
            if not following:
                return
            piece = following
