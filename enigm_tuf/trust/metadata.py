"""The TUF client workflow's decisions (specification section 5): state and bytes in, new state out.

Nothing here reads a file, a socket or a clock. A refusal leaves the state that was passed in as it was.
``stored`` marks bytes that this client trusted before: they may have expired since, and still serve the
rollback checks; before anything is decided on them, their successors are admitted without it.
"""

from __future__ import annotations

from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.lean import Mapping, MappingProxyType, datetime
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import MetaFile, Root, Signed, Snapshot, Targets, Timestamp, matches
from enigm_tuf.model.value import Value, replace
from enigm_tuf.trust._seal import SEAL, Seal, require_seal
from enigm_tuf.trust.admission import Admission
from enigm_tuf.trust.remembered import Remembered
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf.trust.verified import (
    Document,
    Readings,
    Verified,
    read_document,
    read_snapshot,
    read_targets,
    recalled,
    verify,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias, TypeVar

    T = TypeVar("T", bound=Signed)
    Delegator: TypeAlias = "Verified[Root] | Verified[Targets]"
else:
    T = None

Lineage = tuple[str, ...]
"""The way to a role from ``targets``: ``("targets", "a", "b")`` is b as delegated by a."""


class TrustedMetadata(Value):
    """What is trusted so far in one refresh. ``now`` is its one fixed start time (specification 5.1).

    ``targets`` is keyed by lineage, such as ``("targets", "a", "b")`` for b delegated by a: what one delegator
    vouches for proves nothing under another. ``readings`` spares reading the same bytes again; None on a device.
    """

    now: datetime
    admission: Admission
    root: Verified[Root]
    timestamp: Verified[Timestamp] | None = None
    snapshot: Verified[Snapshot] | None = None
    targets: Mapping[Lineage, Verified[Targets]] = MappingProxyType({})
    readings: Readings | None = None
    _seal: Seal | None = None

    def __post_init__(self) -> None:
        require_seal(self._seal, "trusted metadata")


def trust_root(
    data: bytes,
    now: datetime,
    admission: Admission,
    *,
    source: str = "root",
    remembered: Remembered | None = None,
    readings: Readings | None = None,
) -> TrustedMetadata:
    """5.2: the root that the device was shipped with, or stored before. It meets its own threshold and the rules."""
    document = read_document(data, Root, source, LIMITS.root_bytes)
    known = recalled(remembered, admission, document, document, document)
    root = known or verify(document, document, document, "root", "root")
    if not known:
        admission.root(None, root)
    return TrustedMetadata(now, admission, root, readings=readings, _seal=SEAL)


def admit_root(state: TrustedMetadata, data: bytes) -> TrustedMetadata:
    """5.3.3 to 5.3.6: the next root, signed by the trusted one's threshold and by its own."""
    trusted = state.root.value
    source = f"root version {trusted.version + 1}"
    document = read_document(data, Root, source, LIMITS.root_bytes)
    verify(document, state.root, state.root, "root", f"{source}, keys of version {trusted.version}")
    root = verify(document, document, document, "root", f"{source}, its own keys")
    if root.value.version != trusted.version + 1:
        raise RefusedError(TufRule.ROOT_VERSION, source, expected=str(trusted.version + 1), got=str(root.value.version))
    state.admission.root(state.root, root)
    return TrustedMetadata(state.now, state.admission, root, readings=state.readings, _seal=SEAL)


def require_fresh_root(state: TrustedMetadata) -> None:
    """5.3.10, after the last root of the chain."""
    _require_unexpired(state.root.value, state.now, TufRule.ROOT_EXPIRED, "root")


def admit_timestamp(
    state: TrustedMetadata, data: bytes, *, stored: bool = False, remembered: Remembered | None = None
) -> TrustedMetadata:
    """5.4.2 to 5.4.4. The same version again leaves the state as it is (5.4.3.1)."""
    require_fresh_root(state)
    document = read_document(data, Timestamp, "timestamp", LIMITS.timestamp_bytes)
    timestamp = _top_level(state, document, "timestamp", remembered)
    if state.timestamp is not None:
        before, after = state.timestamp.value, timestamp.value
        if after.version == before.version:
            return state
        _require_not_older(TufRule.ROLLBACK_TIMESTAMP, "timestamp", before.version, after.version)
        _require_not_older(
            TufRule.ROLLBACK_TIMESTAMP,
            "snapshot version in timestamp",
            before.snapshot_meta.version,
            after.snapshot_meta.version,
        )
    if not stored:
        _require_unexpired(timestamp.value, state.now, TufRule.TIMESTAMP_EXPIRED, "timestamp")
    return replace(state, timestamp=timestamp, _seal=SEAL)


def admit_snapshot(
    state: TrustedMetadata, data: bytes, *, stored: bool = False, remembered: Remembered | None = None
) -> TrustedMetadata:
    """5.5.2 to 5.5.6. A stored one may be older than timestamp says; see ``snapshot_is_current``."""
    timestamp = current_timestamp(state)
    meta = timestamp.snapshot_meta
    digest = sha256(data)
    if not stored:
        _require_hashes(meta, data, digest, TufRule.SNAPSHOT_HASH, "snapshot")
    read = state.readings.snapshot if state.readings else read_snapshot
    document = read(data, "snapshot", LIMITS.snapshot_bytes, digest)
    snapshot = _top_level(state, document, "snapshot", remembered)
    if state.snapshot is not None:
        _require_no_role_rollback(state.snapshot.value, snapshot.value)
    if not stored:
        if snapshot.value.version != meta.version:
            raise RefusedError(
                TufRule.SNAPSHOT_VERSION, "snapshot", expected=str(meta.version), got=str(snapshot.value.version)
            )
        _require_unexpired(snapshot.value, state.now, TufRule.SNAPSHOT_EXPIRED, "snapshot")
    return replace(state, snapshot=snapshot, _seal=SEAL)


def snapshot_is_current(state: TrustedMetadata) -> bool:
    """Whether the snapshot in the state is the very one that timestamp names, and unexpired."""
    if state.snapshot is None:
        return False
    meta, snapshot = current_timestamp(state).snapshot_meta, state.snapshot
    if matches(snapshot.data, meta.length, meta.hashes, snapshot.sha256):
        return False  # the same version with other bytes: two snapshots were signed, and this is not the one
    return snapshot.value.version == meta.version and not snapshot.value.is_expired(state.now)


def admit_targets(
    state: TrustedMetadata, lineage: Lineage, data: bytes, *, remembered: Remembered | None = None
) -> TrustedMetadata:
    """5.6.2 to 5.6.5, for ``targets`` and for every delegated role alike."""
    role = lineage[-1]
    meta = current_meta(state, role)
    digest = sha256(data)
    _require_hashes(meta, data, digest, TufRule.TARGETS_HASH, role)
    document = (state.readings.targets if state.readings else read_targets)(data, role, targets_bound(meta), digest)
    parent = delegator_of(state, lineage)
    known = recalled(remembered, state.admission, document, state.root, parent)
    targets = known or verify(document, state.root, parent, role, f"{role}, delegated by {('root', *lineage)[-2]}")
    if targets.value.version != meta.version:
        raise RefusedError(TufRule.TARGETS_VERSION, role, expected=str(meta.version), got=str(targets.value.version))
    _require_unexpired(targets.value, state.now, TufRule.TARGETS_EXPIRED, role)
    if not known:
        state.admission.targets(state.root, parent, role, targets)
    return replace(state, targets=MappingProxyType({**state.targets, lineage: targets}), _seal=SEAL)


def targets_bound(meta: MetaFile) -> int:
    """Bytes that a role's file may have: more where the signed snapshot states its length."""
    return LIMITS.targets_bytes if meta.length is None else min(meta.length, LIMITS.stated_targets_bytes)


def targets_are_current(state: TrustedMetadata, lineage: Lineage, remembered: Remembered) -> bool:
    """Whether ``admit_targets`` would take the remembered bytes: decided without reading them."""
    meta, parent = current_meta(state, lineage[-1]), delegator_of(state, lineage)
    return (
        remembered.holds(state.admission.identity, state.root.sha256, parent.sha256)
        and remembered.version == meta.version
        and meta.length in {None, remembered.length}
        and all(name == "sha256" and digest == remembered.sha256 for name, digest in (meta.hashes or {}).items())
        and state.now < remembered.expires
    )


def current_timestamp(state: TrustedMetadata) -> Timestamp:
    """The timestamp, if it is unexpired."""
    if state.timestamp is None:
        raise MisuseError("timestamp comes before snapshot")
    _require_unexpired(state.timestamp.value, state.now, TufRule.TIMESTAMP_EXPIRED, "timestamp")
    return state.timestamp.value


def current_meta(state: TrustedMetadata, role: str) -> MetaFile:
    """What the current snapshot says about a role's metadata."""
    if state.snapshot is None or not snapshot_is_current(state):
        raise MisuseError("the current snapshot comes before targets")
    meta = state.snapshot.value.meta.get(f"{role}.json")
    if meta is None:
        raise RefusedError(TufRule.TARGETS_VERSION, role, expected="to be listed in snapshot", got="not listed")
    return meta


def delegator_of(state: TrustedMetadata, lineage: Lineage) -> Delegator:
    """The verified metadata that delegates to the last role of ``lineage``; MisuseError if it is not here yet."""
    if len(lineage) == 1:
        return state.root
    if lineage[:-1] not in state.targets:
        raise MisuseError(f"{lineage[-2]} comes before the roles that it delegates to")
    return state.targets[lineage[:-1]]


def _top_level(state: TrustedMetadata, document: Document[T], role: str, remembered: Remembered | None) -> Verified[T]:
    known = recalled(remembered, state.admission, document, state.root, state.root)
    return known or verify(document, state.root, state.root, role, role)


def _require_unexpired(signed: Signed, now: datetime, rule: TufRule, name: str) -> None:
    if signed.is_expired(now):
        raise RefusedError(
            rule,
            f"{name} version {signed.version}",
            expected=f"an expiry after {now.isoformat()}",
            got=signed.expires.isoformat(),
        )


def _require_not_older(rule: TufRule, subject: str, before: int, after: int) -> None:
    if after < before:
        raise RefusedError(rule, subject, expected=f"version {before} or newer", got=f"version {after}")


def _require_no_role_rollback(before: Snapshot, after: Snapshot) -> None:
    for name, meta in before.meta.items():
        if name not in after.meta:
            raise RefusedError(TufRule.ROLLBACK_SNAPSHOT, name, expected="still listed in snapshot", got="missing")
        _require_not_older(TufRule.ROLLBACK_SNAPSHOT, name, meta.version, after.meta[name].version)


def _require_hashes(meta: MetaFile, data: bytes, digest: str, rule: TufRule, subject: str) -> None:
    if wrong := matches(data, meta.length, meta.hashes, digest):
        raise RefusedError(rule, subject, expected="the length and hashes that are signed", got=wrong)
