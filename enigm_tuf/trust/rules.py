"""The rules of the two authorities: their IDs and what each demands (DESIGN section 3.2).

The TUF client workflow's own rules stand in ``tuf_rules``; the policy's in ``enigm_tuf.policy``.
"""

from dataclasses import dataclass
from enum import StrEnum


class AuthorityRule(StrEnum):
    """Each refuses on its own. The value is the ID in errors, logs, tests and docs/assurance.md."""

    demand: str

    def __new__(cls, identifier: str, demand: str) -> "AuthorityRule":
        rule = str.__new__(cls, identifier)
        rule._value_ = identifier
        rule.demand = demand
        return rule

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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rule saw when it passed."""

    rule: str
    subject: str
    detail: str
