"""Security rules by ID, and those of the two authorities (DESIGN section 3.2).

Other families stand where they are enforced: the TUF client workflow's in ``tuf_rules``, the policy's in
``enigm_tuf.policy``. docs/assurance.md lists them all.
"""

from __future__ import annotations

from enigm_tuf.model.lean import StrEnum
from enigm_tuf.model.value import Value

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Self


class Rule(StrEnum):
    """A family of security rules: each member is its ID, as in errors, logs, tests and docs/assurance.md."""

    demand: str

    def __new__(cls, identifier: str, demand: str) -> Self:
        rule = str.__new__(cls, identifier)
        rule._value_ = identifier
        rule.demand = demand
        return rule


class AuthorityRule(Rule):
    """The rules of the two authorities; each refuses on its own."""

    AUTHORITY_DISJOINT = "AUTHORITY-DISJOINT", "no public key serves two authorities, compared by key material"
    THRESHOLD_DISTINCT = "THRESHOLD-DISTINCT", "a threshold counts distinct public keys"
    AUTHORITY_ROLES = "AUTHORITY-ROLES", "each role uses keys of its own authority only"
    PAYLOAD_PINNED = "PAYLOAD-PINNED", "payload metadata is signed by the payload keys that root pins"
    DUAL_AGREEMENT = "DUAL-AGREEMENT", "manifest and payload record agree on every payload"
    ROOT_CONSENT = "ROOT-CONSENT", "the manifest authority agrees to every change of itself"
    ENVIRONMENT_MATCH = "ENVIRONMENT-MATCH", "keys, documents and device belong to one environment"
    MODEL_RATCHET = "MODEL-RATCHET", "a fleet never goes back from dual to manifest-only"
    ROLLBACK_INDEX = "ROLLBACK-INDEX", "nothing below the device's rollback floor is installed"
    ARTIFACT_INTEGRITY = "ARTIFACT-INTEGRITY", "the bytes have the agreed length and every agreed hash"
    TEST_KEY = "TEST-KEY", "no well-known test key is in force"


class Evidence(Value):
    """What a rule saw when it passed."""

    rule: str
    subject: str
    detail: str
