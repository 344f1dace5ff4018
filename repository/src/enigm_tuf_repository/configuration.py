"""``repository.toml``: whose keys a repository trusts, how long its metadata lives, where it is published.

Strict, no defaults but one: without ``[store]`` it is published in a directory.

Key files and policies are found beside the file at ``init`` and ``root prepare``; later by their name in the workspace.
In the model ``manifest-only`` everything of the release authority is left out, and ``root_keys`` name keys that were
enrolled for the manifest authority.
"""

from dataclasses import dataclass
from datetime import timedelta

from enigm_tuf.audit.pins import log_place, read_pin
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import ENVIRONMENT, Environment, Purpose
from enigm_tuf.model.request import Authority
from enigm_tuf.model.root_extension import AUTHORITY_MODEL, AuditLogPin, AuthorityModel
from enigm_tuf.model.shapes import NAME, SHA256, WORD, Boolean, Integer, Optional, Record, Sequence, Table, Text
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf_repository.evidence_rules import EVIDENCE_RULES, EvidenceRules, require_possible
from enigm_tuf_repository.freezes import FREEZES, WEEKLY_FREEZES, Freeze, WeeklyFreeze, Window, require_windows
from enigm_tuf_repository.secret_exceptions import SECRET_EXCEPTIONS, SecretException
from enigm_tuf_repository.stores.settings import STORE_SETTINGS, StoreSettings


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    manifest: str
    release: str | None


@dataclass(frozen=True, slots=True)
class AuditLogSettings:
    """The log of an authority as ``authority init`` names it, and who must cosign its checkpoints."""

    public_key: str
    witnesses: tuple[str, ...]
    witness_threshold: int

    @property
    def pin(self) -> AuditLogPin:
        """As root has it."""
        return AuditLogPin(self.public_key.partition("+")[0], self.public_key, self.witnesses, self.witness_threshold)


@dataclass(frozen=True, slots=True)
class AuditLogs:
    manifest: AuditLogSettings
    release: AuditLogSettings | None

    def pins(self) -> tuple[AuditLogPin, ...]:
        """As root has them."""
        return tuple(log.pin for log in (self.manifest, self.release) if log is not None)


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
class ArtifactRules:
    """What the artifacts of one product must be. Keys are SHA-256 of their SubjectPublicKeyInfo.

    ``update_keys`` sign update packages, and are exactly those in each image of ``update_key_images``. ``avb_keys``
    gives the key of every partition with a vbmeta of its own; ``avb_uncovered`` names those that verified boot does
    not cover. ``bundle_keys`` sign RAUC and SWUpdate bundles. ``evidence`` is what its builds must show, in production.
    """

    product: str
    kinds: tuple[str, ...]
    update_keys: tuple[str, ...] | None = None
    update_key_images: tuple[str, ...] | None = None
    avb_keys: dict[str, str] | None = None
    avb_uncovered: tuple[str, ...] | None = None
    bundle_keys: tuple[str, ...] | None = None
    evidence: EvidenceRules | None = None


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
    audit_logs: AuditLogs
    expiry_days: ExpiryDays
    timestamp_signer: tuple[str, ...]
    artifacts: tuple[ArtifactRules, ...]
    also_required_gates: tuple[str, ...] | None = None
    secret_exceptions: tuple[SecretException, ...] | None = None
    freezes: tuple[Freeze, ...] | None = None
    weekly_freezes: tuple[WeeklyFreeze, ...] | None = None
    store: StoreSettings | None = None
    also_sha512: bool | None = None

    @property
    def hash_algorithms(self) -> tuple[str, ...]:
        """Those that payloads are listed with."""
        return ("sha256", "sha512") if self.also_sha512 else ("sha256",)

    @property
    def windows(self) -> tuple[Window, ...]:
        """The freezes of both kinds."""
        return (*(self.freezes or ()), *(self.weekly_freezes or ()))

    @property
    def required_gates(self) -> tuple[str, ...]:
        """IDs of other people's gates that must have run beside the pinned ones."""
        return self.also_required_gates or ()

    def artifact_rules(self, product: str) -> ArtifactRules:
        """Those of ``product``; where there are none, no kind of artifact is allowed."""
        return next((rules for rules in self.artifacts if rules.product == product), ArtifactRules(product, ()))

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
_KEYS = Sequence(SHA256, minimum=1, maximum=100, unique=True)
_PARTITION = Text(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}", "the name of a partition", 64)
_THRESHOLD = Integer(1, 100)
_DAYS = Integer(1, 3_650)

_LOG = Record(
    AuditLogSettings,
    public_key=WORD,
    witnesses=Sequence(WORD, maximum=100, unique=True),
    witness_threshold=Integer(0, 100),
)

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
    audit_logs=Record(AuditLogs, manifest=_LOG, release=Optional(_LOG)),
    expiry_days=Record(
        ExpiryDays, root=_DAYS, targets=_DAYS, snapshot=_DAYS, manifest=_DAYS, payload=Optional(_DAYS), timestamp=_DAYS
    ),
    timestamp_signer=Sequence(WORD, minimum=1, maximum=100),
    artifacts=Sequence(
        Record(
            ArtifactRules,
            product=NAME,
            kinds=Sequence(WORD, minimum=1, maximum=100, unique=True),
            update_keys=Optional(_KEYS),
            update_key_images=Optional(Sequence(_PARTITION, minimum=1, maximum=100, unique=True)),
            avb_keys=Optional(Table(_PARTITION, SHA256, minimum=1)),
            avb_uncovered=Optional(Sequence(_PARTITION, maximum=1_000, unique=True)),
            bundle_keys=Optional(_KEYS),
            evidence=Optional(EVIDENCE_RULES),
        ),
        maximum=10_000,
    ),
    also_required_gates=Optional(Sequence(WORD, maximum=100, unique=True)),
    secret_exceptions=Optional(SECRET_EXCEPTIONS),
    freezes=Optional(FREEZES),
    weekly_freezes=Optional(WEEKLY_FREEZES),
    store=Optional(STORE_SETTINGS),
    also_sha512=Optional(Boolean()),
)


def read_configuration(data: bytes, source: str) -> RepositoryConfig:
    """Parse ``repository.toml``; MalformedError names the field."""
    config = REPOSITORY_CONFIG.read(parse_toml(data, source), source)
    products = [rules.product for rules in config.artifacts]
    if len(set(products)) != len(products):
        raise MalformedError(source, "artifacts", "each product once")
    for rules in config.artifacts:
        if rules.evidence:
            require_possible(rules.evidence, source, f"artifacts.{rules.product}.evidence")
    require_windows(config.freezes or (), config.weekly_freezes or (), source)
    _require_model(config, source)
    _require_logs(config, source)
    return config


def _require_model(config: RepositoryConfig, source: str) -> None:
    """What belongs to the release authority is there where there is one, and only there."""
    dual = config.authority_model == "dual"
    of_the_release_authority = {
        "payload_keys": config.payload_keys,
        "payload_threshold": config.payload_threshold,
        "policies.release": config.policies.release,
        "audit_logs.release": config.audit_logs.release,
        "expiry_days.payload": config.expiry_days.payload,
    }
    for field, value in of_the_release_authority.items():
        if dual != (value is not None):
            word = "needed" if dual else "not allowed"
            raise MalformedError(source, field, f"{word} in model {config.authority_model}")


def _require_logs(config: RepositoryConfig, source: str) -> None:
    """Each log is the one of that authority in this environment."""
    for authority, log in (("manifest", config.audit_logs.manifest), ("release", config.audit_logs.release)):
        place = log_place(config.environment, authority)
        if log is not None and not read_pin(log.pin, source).key.name.endswith(f"/{place}"):
            raise MalformedError(source, f"audit_logs.{authority}", f"must be a log whose name ends in /{place}")
