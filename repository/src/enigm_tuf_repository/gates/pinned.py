"""The gates that must have run, and who must have provided them. Code, not configuration: nobody switches one off."""

from collections.abc import Mapping
from types import MappingProxyType

from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf_repository.rules import RepositoryRule

DISTRIBUTION = "enigm-tuf-repository"
_HERE = "enigm_tuf_repository.gates"

PINNED_GATES: Mapping[str, str] = MappingProxyType(
    {
        RepositoryRule.PAYLOAD_BYTES: f"{_HERE}.payload_bytes:GATE",
        RepositoryRule.VERSION_INCREASE: f"{_HERE}.version_increase:GATE",
        AuthorityRule.TEST_KEY: f"{_HERE}.test_key:GATE",
        RepositoryRule.EXPIRY_HORIZON: f"{_HERE}.expiry_horizon:GATE",
    }
)
"""Gate ID: the entry point that it must be loaded from. pyproject.toml registers the same; a test compares them."""
