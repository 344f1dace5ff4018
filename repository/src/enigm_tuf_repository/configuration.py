"""``repository.toml``: whose keys a new repository trusts, how long its metadata lives, where it is
published. Strict, no defaults but one: without ``[store]`` it is published in a directory.

Key files and policies are found beside the file at ``init``; later by their name in the workspace.
"""

from dataclasses import dataclass
from datetime import timedelta

from enigm_tuf.model.keys import ENVIRONMENT, Environment, Purpose
from enigm_tuf.model.shapes import NAME, WORD, Integer, Optional, Record, Sequence
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf_repository.stores.settings import STORE_SETTINGS, StoreSettings


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    manifest: str
    release: str


@dataclass(frozen=True, slots=True)
class ExpiryDays:
    """How many days ahead each role expires when it is made."""

    root: int
    targets: int
    snapshot: int
    manifest: int
    payload: int
    timestamp: int

    def of(self, role: str) -> timedelta:
        """The life of ``root``, ``targets``, ``snapshot``, ``timestamp`` or ``<product>.manifest|payload``."""
        return timedelta(days=getattr(self, role.rpartition(".")[2]))


@dataclass(frozen=True, slots=True)
class RepositoryConfig:
    environment: Environment
    requester: str
    request_hours: int
    root_keys: tuple[str, ...]
    root_threshold: int
    recovery_threshold: int
    payload_keys: tuple[str, ...]
    payload_threshold: int
    manifest_keys: tuple[str, ...]
    manifest_threshold: int
    timestamp_keys: tuple[str, ...]
    policies: PolicyFiles
    expiry_days: ExpiryDays
    timestamp_signer: tuple[str, ...]
    store: StoreSettings | None = None

    def key_files(self) -> dict[Purpose, tuple[str, ...]]:
        """The key files by what their keys are for."""
        return {
            "root": self.root_keys,
            "payload": self.payload_keys,
            "manifest": self.manifest_keys,
            "timestamp": self.timestamp_keys,
        }


_FILES = Sequence(WORD, minimum=1, maximum=100, unique=True)
_THRESHOLD = Integer(1, 100)
_DAYS = Integer(1, 3_650)

REPOSITORY_CONFIG = Record(
    RepositoryConfig,
    environment=ENVIRONMENT,
    requester=NAME,
    request_hours=Integer(1, 24 * 90),
    root_keys=_FILES,
    root_threshold=_THRESHOLD,
    recovery_threshold=_THRESHOLD,
    payload_keys=_FILES,
    payload_threshold=_THRESHOLD,
    manifest_keys=_FILES,
    manifest_threshold=_THRESHOLD,
    timestamp_keys=_FILES,
    policies=Record(PolicyFiles, manifest=WORD, release=WORD),
    expiry_days=Record(
        ExpiryDays, root=_DAYS, targets=_DAYS, snapshot=_DAYS, manifest=_DAYS, payload=_DAYS, timestamp=_DAYS
    ),
    timestamp_signer=Sequence(WORD, minimum=1, maximum=100),
    store=Optional(STORE_SETTINGS),
)


def read_configuration(data: bytes, source: str) -> RepositoryConfig:
    """Parse ``repository.toml``; MalformedError names the field."""
    return REPOSITORY_CONFIG.read(parse_toml(data, source), source)
