"""The things that a key on a token may sign: one builder each, so that nothing else ever reaches a token.

Every builder but ``approved_metadata`` prefixes a domain, so that a signature made for one purpose never
serves for another. TUF signatures have no prefix: their bytes are the canonical JSON of the specification.
"""

from dataclasses import dataclass, field

from enigm_tuf.trust._seal import SEAL, Seal, require_seal

POSSESSION_DOMAIN = b"enigm-tuf proof of possession v1\n"


@dataclass(frozen=True, slots=True)
class Signable:
    """Bytes with a purpose. ``purpose`` is for prompts and the audit log."""

    purpose: str
    data: bytes
    _seal: Seal = field(repr=False, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        require_seal(self._seal, "a Signable")


def proof_of_possession(challenge: bytes) -> Signable:
    """That the key answers now: ``challenge`` is 32 random bytes of the party that enrols."""
    return Signable("proof of possession", POSSESSION_DOMAIN + challenge, _seal=SEAL)
