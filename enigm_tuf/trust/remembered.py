"""What a store keeps of a verification, so that the same bytes need not be verified at every start (ADR 12).

It stands in the store beside the root that it rests on: whoever can write the one can write the other.
"""

from __future__ import annotations

from enigm_tuf.model.lean import datetime
from enigm_tuf.model.value import Value


class Remembered(Value):
    """One role's metadata that was verified and admitted.

    ``sha256`` (hex) and ``length`` (bytes) are of the file; ``root`` and ``delegator`` are the SHA-256 of the root in
    force and of the metadata whose keys were counted; ``signers`` are SPKI digests; ``admission`` names the rules.
    """

    sha256: str
    length: int
    version: int
    expires: datetime
    root: str
    delegator: str
    signers: tuple[str, ...]
    admission: str

    def holds(self, admission: str, root: str, delegator: str) -> bool:
        """Under the same root, keys and rules; any other must look again."""
        return (self.admission, self.root, self.delegator) == (admission, root, delegator)
