"""Build fingerprints: ``brand/product/device:release/id/incremental:type/tags`` (CDD section 3.2.2)."""

import re
from dataclasses import dataclass

from enigm_tuf.errors import MalformedError

_PART = r"[A-Za-z0-9._,+-]+"
_PATTERN = re.compile(rf"({_PART})/({_PART})/({_PART}):({_PART})/({_PART})/({_PART}):({_PART})/({_PART})")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The parts, as they stand. ``tags`` is one text: several have commas between them."""

    text: str
    brand: str
    product: str
    device: str
    release: str
    id: str
    incremental: str
    type: str
    tags: str

    def why_not_release(self) -> str | None:
        """What makes it a build that is not for release; None if nothing does."""
        if self.type != "user":
            return f"a build of type {self.type}"
        if self.tags != "release-keys":
            return f"a build with tags {self.tags}"
        return None


def read_fingerprint(text: str, source: str, field: str) -> Fingerprint:
    """MalformedError unless it has all eight parts."""
    match = _PATTERN.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise MalformedError(source, field, f"must be a build fingerprint, is {text[:60]!r}")
    return Fingerprint(text, *match.groups())
