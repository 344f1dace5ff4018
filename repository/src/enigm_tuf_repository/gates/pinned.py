"""The gates that must have run, and who must have provided them. Code, not configuration: nobody switches one off."""

from collections.abc import Mapping
from types import MappingProxyType

from enigm_tuf.trust.build_evidence import BuildRule
from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf_repository.rules import ArtifactRule, RepositoryRule

DISTRIBUTION = "enigm-tuf-repository"
_HERE = "enigm_tuf_repository.gates"

PINNED_GATES: Mapping[str, str] = MappingProxyType(
    {
        RepositoryRule.PAYLOAD_BYTES: f"{_HERE}.payload_bytes:GATE",
        RepositoryRule.VERSION_INCREASE: f"{_HERE}.version_increase:GATE",
        AuthorityRule.TEST_KEY: f"{_HERE}.test_key:GATE",
        RepositoryRule.EXPIRY_HORIZON: f"{_HERE}.expiry_horizon:GATE",
        RepositoryRule.NEGATIVE_CLIENT: f"{_HERE}.negative_client:GATE",
        RepositoryRule.FREEZE_WINDOW: f"{_HERE}.freeze_window:GATE",
        RepositoryRule.DECISIONS: f"{_HERE}.decisions:GATE",
        RepositoryRule.INVENTORY_FRESH: f"{_HERE}.inventory_fresh:GATE",
        RepositoryRule.TWO_VERIFIERS: f"{_HERE}.two_verifiers:GATE",
        RepositoryRule.SECRET_SCAN: f"{_HERE}.secret_scan:GATE",
        BuildRule.PROVENANCE: f"{_HERE}.provenance:GATE",
        BuildRule.REBUILD: f"{_HERE}.rebuild:GATE",
        BuildRule.TESTS: f"{_HERE}.tests_passed:GATE",
        ArtifactRule.SBOM: f"{_HERE}.sbom:GATE",
        ArtifactRule.ARTIFACT_KIND: f"{_HERE}.artifact_kind:GATE",
        ArtifactRule.ARTIFACT_CLAIMS: f"{_HERE}.artifact_claims:GATE",
        ArtifactRule.DELTA_SOURCE: f"{_HERE}.delta_source:GATE",
        ArtifactRule.ANDROID_METADATA: f"{_HERE}.android_metadata:GATE",
        ArtifactRule.ANDROID_FINGERPRINT: f"{_HERE}.android_fingerprint:GATE",
        ArtifactRule.ANDROID_CERTIFICATE: f"{_HERE}.android_certificate:GATE",
        ArtifactRule.ANDROID_SIGNATURE: f"{_HERE}.android_signature:GATE",
        ArtifactRule.ANDROID_DOWNGRADE: f"{_HERE}.android_downgrade:GATE",
        ArtifactRule.AVB_KEY: f"{_HERE}.avb_key:GATE",
        ArtifactRule.AVB_VERIFIED: f"{_HERE}.avb_verified:GATE",
        ArtifactRule.ROLLBACK_INDEX_PRESENT: f"{_HERE}.rollback_index:GATE",
        ArtifactRule.UPDATE_KEYS: f"{_HERE}.update_keys:GATE",
        ArtifactRule.BUNDLE_SIGNATURE: f"{_HERE}.bundle_signature:GATE",
    }
)
"""Gate ID: the entry point that it must be loaded from. pyproject.toml registers the same; a test compares them."""
