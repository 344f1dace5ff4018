"""``repository.toml``: whose keys a repository trusts, and how long its metadata lives. Strict, no defaults.

Key files and policies are found beside the file at ``init`` and ``root prepare``; later by their name in the workspace.
In the model ``manifest-only`` everything of the release authority is left out, and ``root_keys`` name keys that were
enrolled for the manifest authority.
"""

from dataclasses import dataclass
from datetime import timedelta

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import ENVIRONMENT, Environment, Purpose
from enigm_tuf.model.request import Authority
from enigm_tuf.model.root_extension import AUTHORITY_MODEL, AuthorityModel
from enigm_tuf.model.shapes import NAME, WORD, Integer, Optional, Record, Sequence
from enigm_tuf.model.strict_toml import parse_toml


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    manifest: str
    release: str | None


@dataclass(frozen=True, slots=True)
class ExpiryDays:
    """How many days ahead each role expires when it is made."""

    root: int
    targets: int
    snapshot: int
    manifest: int
    payload: int | None
    timestamp: int

    def of(self, role: str) -> timedelta:
        """The life of ``root``, ``targets``, ``snapshot``, ``timestamp`` or ``<product>.manifest|payload``."""
        return timedelta(days=getattr(self, role.rpartition(".")[2]))


@dataclass(frozen=True, slots=True)
class RepositoryConfig:
    environment: Environment
    authority_model: AuthorityModel
    requester: str
    request_hours: int
    root_keys: tuple[str, ...]
    root_threshold: int
    recovery_threshold: int
    payload_keys: tuple[str, ...] | None
    payload_threshold: int | None
    manifest_keys: tuple[str, ...]
    manifest_threshold: int
    timestamp_keys: tuple[str, ...]
    policies: PolicyFiles
    expiry_days: ExpiryDays
    timestamp_signer: tuple[str, ...]

    def key_files(self) -> dict[Purpose, tuple[str, ...]]:
        """The key files by what their keys are for."""
        return {
            "root": self.root_keys,
            "payload": self.payload_keys or (),
            "manifest": self.manifest_keys,
            "timestamp": self.timestamp_keys,
        }

    def policy_files(self) -> dict[Authority, str]:
        """The policy file of each authority that there is."""
        files: dict[Authority, str | None] = {"manifest": self.policies.manifest, "release": self.policies.release}
        return {authority: name for authority, name in files.items() if name is not None}


_FILES = Sequence(WORD, minimum=1, maximum=100, unique=True)
_THRESHOLD = Integer(1, 100)
_DAYS = Integer(1, 3_650)

REPOSITORY_CONFIG = Record(
    RepositoryConfig,
    environment=ENVIRONMENT,
    authority_model=AUTHORITY_MODEL,
    requester=NAME,
    request_hours=Integer(1, 24 * 90),
    root_keys=_FILES,
    root_threshold=_THRESHOLD,
    recovery_threshold=_THRESHOLD,
    payload_keys=Optional(_FILES),
    payload_threshold=Optional(_THRESHOLD),
    manifest_keys=_FILES,
    manifest_threshold=_THRESHOLD,
    timestamp_keys=_FILES,
    policies=Record(PolicyFiles, manifest=WORD, release=Optional(WORD)),
    expiry_days=Record(
        ExpiryDays, root=_DAYS, targets=_DAYS, snapshot=_DAYS, manifest=_DAYS, payload=Optional(_DAYS), timestamp=_DAYS
    ),
    timestamp_signer=Sequence(WORD, minimum=1, maximum=100),
)


def read_configuration(data: bytes, source: str) -> RepositoryConfig:
    """Parse ``repository.toml``; MalformedError names the field."""
    config = REPOSITORY_CONFIG.read(parse_toml(data, source), source)
    dual = config.authority_model == "dual"
    of_the_release_authority = {
        "payload_keys": config.payload_keys,
        "payload_threshold": config.payload_threshold,
        "policies.release": config.policies.release,
        "expiry_days.payload": config.expiry_days.payload,
    }
    for field, value in of_the_release_authority.items():
        if dual != (value is not None):
            raise MalformedError(
                source, field, f"{'needed' if dual else 'not allowed'} in model {config.authority_model}"
            )
    return config
