"""The TUF client workflow's decisions (specification section 5): state and bytes in, new state out.

Nothing here reads a file, a socket or a clock. A refusal leaves the state that was passed in as it was.
``stored`` marks bytes that this client trusted before: they may have expired since, and still serve the
rollback checks; before anything is decided on them, their successors are admitted without it.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Key, MetaFile, Root, Snapshot, Targets, Timestamp

from enigm_tuf.errors import MalformedError, MisuseError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import JsonObject, canonical, parse
from enigm_tuf.trust._seal import SEAL, Seal, require_seal
from enigm_tuf.trust.admission import Admission
from enigm_tuf.trust.threshold import ALLOWED_SCHEMES, require_threshold
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf.trust.tuf_types import require_types

T = TypeVar("T", Root, Timestamp, Snapshot, Targets)
Delegator = Root | Targets


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """Parsed, not verified. ``canonical`` are the bytes under the signatures, from the original object."""

    value: T
    data: bytes
    signed: JsonObject
    signatures: Mapping[str, str]
    canonical: bytes


@dataclass(frozen=True, slots=True)
class Verified(Generic[T]):
    """Metadata that met its role's threshold. ``signers`` are SPKI digests; ``root_version`` says under which root."""

    value: T
    data: bytes
    signed: JsonObject
    signatures: Mapping[str, str]
    canonical: bytes
    signers: frozenset[str]
    root_version: int
    _seal: Seal = field(repr=False, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        require_seal(self._seal, "verified metadata")


@dataclass(frozen=True, slots=True)
class TrustedMetadata:
    """What is trusted so far in one refresh. ``now`` is its one fixed start time (specification 5.1).

    ``targets`` is keyed by (delegator, role): what one delegator vouches for proves nothing under another.
    """

    now: datetime
    admission: Admission
    root: Verified[Root]
    timestamp: Verified[Timestamp] | None = None
    snapshot: Verified[Snapshot] | None = None
    targets: Mapping[tuple[str, str], Verified[Targets]] = field(default_factory=lambda: MappingProxyType({}))
    _seal: Seal = field(repr=False, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        require_seal(self._seal, "trusted metadata")


def read_document(data: bytes, kind: type[T], source: str, max_bytes: int) -> Document[T]:
    """Strict JSON, then tuf.api. Keys of types that we never count are dropped for parsing only."""
    envelope = parse(data, source=source, max_bytes=max_bytes)
    signed = envelope.get("signed")
    if not isinstance(signed, dict):
        raise MalformedError(source, "signed", "must be an object")
    if signed.get("_type") != kind.type:
        raise RefusedError(TufRule.METADATA_TYPE, source, expected=kind.type, got=f"{signed.get('_type')!r:.40}")
    require_types(signed, source, "signed")
    try:
        value = kind.from_dict(_without_unknown_keys(copy.deepcopy(signed)))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise MalformedError(source, "signed", f"not TUF {kind.type} metadata: {error!r:.200}") from error
    return Document(value, data, signed, _signatures(envelope, source), canonical(signed))


def trust_root(data: bytes, now: datetime, admission: Admission, *, source: str = "root") -> TrustedMetadata:
    """5.2: the root that the device was shipped with, or stored before. It meets its own threshold and the rules."""
    document = read_document(data, Root, source, LIMITS.root_bytes)
    root = _verify(document, document.value, "root", "root", document.value.version)
    admission.root(None, root)
    return TrustedMetadata(now, admission, root, _seal=SEAL)


def admit_root(state: TrustedMetadata, data: bytes) -> TrustedMetadata:
    """5.3.3 to 5.3.6: the next root, signed by the trusted one's threshold and by its own."""
    trusted = state.root.value
    source = f"root version {trusted.version + 1}"
    document = read_document(data, Root, source, LIMITS.root_bytes)
    _verify(document, trusted, "root", f"{source}, keys of version {trusted.version}", trusted.version)
    root = _verify(document, document.value, "root", f"{source}, its own keys", document.value.version)
    if root.value.version != trusted.version + 1:
        raise RefusedError(TufRule.ROOT_VERSION, source, expected=str(trusted.version + 1), got=str(root.value.version))
    state.admission.root(state.root, root)
    return TrustedMetadata(state.now, state.admission, root, _seal=SEAL)


def require_fresh_root(state: TrustedMetadata) -> None:
    """5.3.10, after the last root of the chain."""
    _require_unexpired(state.root.value, state.now, TufRule.ROOT_EXPIRED, "root")


def admit_timestamp(state: TrustedMetadata, data: bytes, *, stored: bool = False) -> TrustedMetadata:
    """5.4.2 to 5.4.4. The same version again leaves the state as it is (5.4.3.1)."""
    require_fresh_root(state)
    document = read_document(data, Timestamp, "timestamp", LIMITS.timestamp_bytes)
    timestamp = _verify(document, state.root.value, "timestamp", "timestamp", state.root.value.version)
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
    return replace(state, timestamp=timestamp)


def admit_snapshot(state: TrustedMetadata, data: bytes, *, stored: bool = False) -> TrustedMetadata:
    """5.5.2 to 5.5.6. A stored one may be older than timestamp says; see ``snapshot_is_current``."""
    timestamp = current_timestamp(state)
    meta = timestamp.snapshot_meta
    if not stored:
        _require_hashes(meta, data, TufRule.SNAPSHOT_HASH, "snapshot")
    document = read_document(data, Snapshot, "snapshot", LIMITS.snapshot_bytes)
    snapshot = _verify(document, state.root.value, "snapshot", "snapshot", state.root.value.version)
    if state.snapshot is not None:
        _require_no_role_rollback(state.snapshot.value, snapshot.value)
    if not stored:
        if snapshot.value.version != meta.version:
            raise RefusedError(
                TufRule.SNAPSHOT_VERSION, "snapshot", expected=str(meta.version), got=str(snapshot.value.version)
            )
        _require_unexpired(snapshot.value, state.now, TufRule.SNAPSHOT_EXPIRED, "snapshot")
    return replace(state, snapshot=snapshot)


def snapshot_is_current(state: TrustedMetadata) -> bool:
    """Whether the snapshot in the state is the very one that timestamp names, and unexpired."""
    if state.snapshot is None:
        return False
    meta, snapshot = current_timestamp(state).snapshot_meta, state.snapshot
    try:
        meta.verify_length_and_hashes(snapshot.data)
    except LengthOrHashMismatchError:
        return False  # the same version with other bytes: two snapshots were signed, and this is not the one
    return snapshot.value.version == meta.version and not snapshot.value.is_expired(state.now)


def admit_targets(state: TrustedMetadata, role: str, delegator: str, data: bytes) -> TrustedMetadata:
    """5.6.2 to 5.6.5, for ``targets`` (delegator ``root``) and for every delegated role alike."""
    meta = current_meta(state, role)
    _require_hashes(meta, data, TufRule.TARGETS_HASH, role)
    document = read_document(data, Targets, role, LIMITS.targets_bytes)
    parent = delegator_of(state, delegator)
    targets = _verify(document, parent.value, role, f"{role}, delegated by {delegator}", state.root.value.version)
    if targets.value.version != meta.version:
        raise RefusedError(TufRule.TARGETS_VERSION, role, expected=str(meta.version), got=str(targets.value.version))
    _require_unexpired(targets.value, state.now, TufRule.TARGETS_EXPIRED, role)
    state.admission.targets(state.root, parent, role, targets)
    return replace(state, targets=MappingProxyType({**state.targets, (delegator, role): targets}))


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


def delegator_of(state: TrustedMetadata, name: str) -> "Verified[Root] | Verified[Targets]":
    """The verified metadata of a delegator; MisuseError if it was not admitted before."""
    if name == "root":
        return state.root
    for (_, role), verified in state.targets.items():
        if role == name:
            return verified
    raise MisuseError(f"{name} comes before the roles that it delegates to")


def _verify(document: Document[T], delegator: Delegator, role: str, subject: str, root_version: int) -> Verified[T]:
    """The one place that makes Verified metadata."""
    try:
        definition = delegator.get_delegated_role(role)
    except ValueError as error:
        raise RefusedError(
            TufRule.SIGNATURE_THRESHOLD, subject, expected="a delegation of this role", got="none"
        ) from error
    keys = _keys_of(delegator)
    signers = require_threshold(
        keys, definition.keyids, definition.threshold, document.signatures, document.canonical, subject
    )
    return Verified(
        document.value,
        document.data,
        document.signed,
        document.signatures,
        document.canonical,
        signers,
        root_version,
        _seal=SEAL,
    )


def _keys_of(delegator: Delegator) -> Mapping[str, Key]:
    if isinstance(delegator, Root):
        return delegator.keys
    return delegator.delegations.keys if delegator.delegations else {}


def _signatures(envelope: JsonObject, source: str) -> Mapping[str, str]:
    items = envelope.get("signatures")
    if not isinstance(items, list):
        raise MalformedError(source, "signatures", "must be a list")
    signatures: dict[str, str] = {}
    for index, item in enumerate(items):
        if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in ("keyid", "sig")):
            raise MalformedError(source, f"signatures[{index}]", "must have keyid and sig, both texts")
        if item["keyid"] in signatures:
            raise MalformedError(source, f"signatures[{index}].keyid", "the same keyid twice")
        signatures[item["keyid"]] = item["sig"]
    return MappingProxyType(signatures)


def _without_unknown_keys(signed: dict[str, Any]) -> dict[str, Any]:
    """tuf.api refuses a whole root for one key of a type that it does not know; such keys never count here."""
    for holder in (signed, signed.get("delegations")):
        keys = holder.get("keys") if isinstance(holder, dict) else None
        if isinstance(holder, dict) and isinstance(keys, dict):
            holder["keys"] = {keyid: key for keyid, key in keys.items() if _is_known(key)}
    return signed


def _is_known(key: object) -> bool:
    if not isinstance(key, dict) or not isinstance(key.get("keytype"), str) or not isinstance(key.get("scheme"), str):
        return True  # malformed: tuf.api says what is wrong
    return (key["keytype"], key["scheme"]) in ALLOWED_SCHEMES


def _require_unexpired(signed: Root | Timestamp | Snapshot | Targets, now: datetime, rule: TufRule, name: str) -> None:
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


def _require_hashes(meta: MetaFile, data: bytes, rule: TufRule, subject: str) -> None:
    try:
        meta.verify_length_and_hashes(data)
    except LengthOrHashMismatchError as error:
        raise RefusedError(rule, subject, expected="the length and hashes that are signed", got=str(error)) from error
