"""What a new root changes: a closed list. What is not on it cannot be changed by a root at all (TRANSITION-ROOT)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from enigm_tuf.model.root_extension import FIELD, KeyInfo, PolicyPin
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.model.words import words
from enigm_tuf.trust.root_rules import RootView


class RootChange(StrEnum):
    """The legal changes of root. The value is the word for people and documents."""

    RENEW_EXPIRY = "renew-expiry"
    ROTATE_ROOT_KEYS = "rotate-root-keys"
    CHANGE_ROOT_THRESHOLD = "change-root-threshold"
    CHANGE_RECOVERY_THRESHOLD = "change-recovery-threshold"
    ROTATE_MANIFEST_KEYS = "rotate-manifest-keys"
    REVOKE_MANIFEST_KEYS = "revoke-manifest-keys"
    CHANGE_MANIFEST_THRESHOLD = "change-manifest-threshold"
    ROTATE_PAYLOAD_KEYS = "rotate-payload-keys"
    REVOKE_PAYLOAD_KEYS = "revoke-payload-keys"
    CHANGE_PAYLOAD_THRESHOLD = "change-payload-threshold"
    ROTATE_TIMESTAMP_KEYS = "rotate-timestamp-keys"
    CHANGE_MANIFEST_POLICY = "change-manifest-policy"
    CHANGE_RELEASE_POLICY = "change-release-policy"
    CHANGE_AUDIT_LOGS = "change-audit-logs"
    HAND_OVER_KEYS = "hand-over-keys"
    MIGRATE_TO_DUAL = "migrate-to-dual"


@dataclass(frozen=True, slots=True)
class Change:
    """One listed change, in words."""

    kind: RootChange
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def root_changes(before: RootView, after: RootView) -> tuple[Change, ...]:
    """Every listed change between two roots; what ``unlisted_difference`` finds is not among them."""
    found = tuple(change for of in _DIFFERENCES for change in of(before, after))
    if before.extension.authority_model == after.extension.authority_model:
        return found
    text = f"from {before.extension.authority_model} to {after.extension.authority_model}"
    return (Change(RootChange.MIGRATE_TO_DUAL, text), *found)


IN_A_MIGRATION = frozenset(
    {
        RootChange.MIGRATE_TO_DUAL,
        RootChange.RENEW_EXPIRY,
        RootChange.ROTATE_ROOT_KEYS,
        RootChange.CHANGE_ROOT_THRESHOLD,
        RootChange.CHANGE_RECOVERY_THRESHOLD,
        RootChange.ROTATE_PAYLOAD_KEYS,
        RootChange.CHANGE_PAYLOAD_THRESHOLD,
        RootChange.CHANGE_AUDIT_LOGS,
        RootChange.CHANGE_RELEASE_POLICY,
    }
)
"""What a migration is made of. It comes alone, so that what people compare is the migration and nothing else."""


def unlisted_difference(before: RootView, after: RootView) -> str:
    """What differs and is on no list, in words; empty if nothing does."""
    old, new = _rest(before), _rest(after)
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            return f"{name} {old.get(name)} -> {new.get(name)}"
    return _kept_keys(before, after) or _changed_sides(before, after)


def untidy(view: RootView) -> str:
    """What a root defines beside its roles and authorities, in words; empty if it defines nothing else."""
    root, authorities = view.root, view.extension.authorities
    in_roles = {keyid for role in root.roles.values() for keyid in role.keyids}
    manifest = {*view.role("targets").keyids, *view.role("snapshot").keyids}
    listed = [("keys", set(root.raw["keys"]), in_roles), ("keyinfo", set(view.extension.keyinfo), set(view.spki))]
    if release := authorities.release:
        own = {*view.role("root").keyids, *release.payload_keyids}
        listed.append(("release authority's keys", set(release.keyids), own))
        if shared := set(view.role("root").keyids) & set(release.payload_keyids):
            return f"key {min(shared)} signs root and payload roles"
    else:
        manifest |= set(view.role("root").keyids)
    listed.append(("manifest authority's keys", set(authorities.manifest.keyids), manifest))
    for name, got, expected in listed:
        if got != expected:
            return f"{name}: {min(got ^ expected)} is {'missing' if got < expected else 'not of any role'}"
    return ""


def _expiry(before: RootView, after: RootView) -> Iterator[Change]:
    old, new = before.root.expires, after.root.expires
    if old != new:
        yield Change(RootChange.RENEW_EXPIRY, f"{old.isoformat()} -> {new.isoformat()}")


def _root_keys(before: RootView, after: RootView) -> Iterator[Change]:
    keys = [view.digests(view.role("root").keyids) for view in (before, after)]
    if keys[0] != keys[1]:
        yield Change(RootChange.ROTATE_ROOT_KEYS, _moves(before, after, *keys))


def _manifest_keys(before: RootView, after: RootView) -> Iterator[Change]:
    roles = [[view.digests(view.role(name).keyids) for name in ("targets", "snapshot")] for view in (before, after)]
    if roles[0] == roles[1]:
        return
    old, new = (frozenset().union(*part) for part in roles)
    kind = RootChange.ROTATE_MANIFEST_KEYS if old & new else RootChange.REVOKE_MANIFEST_KEYS
    yield Change(kind, _moves(before, after, old, new))


def _payload_keys(before: RootView, after: RootView) -> Iterator[Change]:
    old, new = before.payload_keys, after.payload_keys
    if old != new:
        kind = RootChange.REVOKE_PAYLOAD_KEYS if old and not old & new else RootChange.ROTATE_PAYLOAD_KEYS
        yield Change(kind, _moves(before, after, old, new))


def _timestamp_keys(before: RootView, after: RootView) -> Iterator[Change]:
    roles = [view.role("timestamp") for view in (before, after)]
    keys = [view.digests(role.keyids) for view, role in zip((before, after), roles, strict=True)]
    if keys[0] != keys[1] or roles[0].threshold != roles[1].threshold:
        text = f"{_moves(before, after, *keys)}, threshold {roles[0].threshold} -> {roles[1].threshold}"
        yield Change(RootChange.ROTATE_TIMESTAMP_KEYS, text)


def _number(kind: RootChange, of: Callable[[RootView], object]) -> Callable[[RootView, RootView], Iterator[Change]]:
    def difference(before: RootView, after: RootView) -> Iterator[Change]:
        if of(before) != of(after):
            yield Change(kind, f"{of(before)} -> {of(after)}")

    return difference


def _manifest_threshold(view: RootView) -> str:
    return f"targets {view.role('targets').threshold}, snapshot {view.role('snapshot').threshold}"


def _payload_threshold(view: RootView) -> object:
    return view.payload_threshold if view.extension.authorities.release else "none"


def _logs(view: RootView) -> str:
    logs = view.extension.audit_logs
    told = (f"{log.origin} {log.public_key}, {log.witness_threshold} of {log.witnesses}" for log in logs)
    return "; ".join(told) or "none"


def _hand_over(before: RootView, after: RootView) -> Iterator[Change]:
    old, new = _infos(before), _infos(after)
    for digest in sorted(old.keys() & new.keys()):
        if old[digest].custodian != new[digest].custodian:
            text = f"{_key(old[digest])}: from {old[digest].custodian} to {new[digest].custodian}"
            yield Change(RootChange.HAND_OVER_KEYS, text)


_DIFFERENCES: tuple[Callable[[RootView, RootView], Iterator[Change]], ...] = (
    _expiry,
    _root_keys,
    _number(RootChange.CHANGE_ROOT_THRESHOLD, lambda view: view.role("root").threshold),
    _number(RootChange.CHANGE_RECOVERY_THRESHOLD, lambda view: view.extension.recovery.threshold),
    _manifest_keys,
    _number(RootChange.CHANGE_MANIFEST_THRESHOLD, _manifest_threshold),
    _payload_keys,
    _number(RootChange.CHANGE_PAYLOAD_THRESHOLD, _payload_threshold),
    _timestamp_keys,
    _number(RootChange.CHANGE_MANIFEST_POLICY, lambda view: _pin(view.extension.policies.manifest)),
    _number(RootChange.CHANGE_RELEASE_POLICY, lambda view: _pin(view.extension.policies.release)),
    _number(RootChange.CHANGE_AUDIT_LOGS, _logs),
    _hand_over,
)


def _moves(before: RootView, after: RootView, old: frozenset[str], new: frozenset[str]) -> str:
    """Who leaves, who comes, how many stay."""
    parts = [f"- {_owned(before, digest)}" for digest in sorted(old - new)]
    parts += [f"+ {_owned(after, digest)}" for digest in sorted(new - old)]
    return "; ".join([*parts, f"{len(old & new)} stay"])


def _owned(view: RootView, digest: str) -> str:
    info = _infos(view)[digest]
    return f"{info.custodian}'s {_key(info)}"


def _key(info: KeyInfo) -> str:
    return f"key {info.spki_sha256} ({' '.join(words(info.spki_sha256)[:4])}) on token {info.token.serial}"


def _infos(view: RootView) -> dict[str, KeyInfo]:
    """Of the keys in force, by public key."""
    return {digest: view.extension.keyinfo[keyid] for keyid, digest in view.spki.items()}


def _pin(pin: PolicyPin | None) -> str:
    return f"version {pin.version} ({pin.sha256})" if pin else "none"


def _rest(view: RootView) -> JsonObject:
    """What no listed change may touch."""
    listed = {"version", "expires", "keys", "roles", FIELD}
    rest = {name: value for name, value in view.root.raw.items() if name not in listed}
    roles = {f"role {name}": dict(role.unrecognized_fields) for name, role in view.root.roles.items()}
    return rest | roles | {"environment": view.extension.environment}


def _kept_keys(before: RootView, after: RootView) -> str:
    """A key that stays keeps its name and all that root says of it, but for who keeps it."""
    old, new = _by_key(before), _by_key(after)
    for digest in sorted(old.keys() & new.keys()):
        if old[digest] != new[digest]:
            return f"key {digest}: {old[digest]} -> {new[digest]}"
    for keyid in sorted(before.root.keys.keys() & after.root.keys.keys()):
        if before.root.keys[keyid] != after.root.keys[keyid]:
            return f"key {keyid}: another key object"
    return ""


def _by_key(view: RootView) -> dict[str, tuple[object, ...]]:
    return {
        info.spki_sha256: (keyid, info.home, info.token, info.attestation, info.environment)
        for keyid, info in view.extension.keyinfo.items()
        if keyid in view.spki
    }


def _changed_sides(before: RootView, after: RootView) -> str:
    """No key goes from one authority, or from the freshness key, to another: each side's people know it."""
    for was, old in _sides(before):
        for is_now, new in _sides(after):
            if was != is_now and (moved := set(old) & set(new)):
                return f"key {min(moved)} goes from {was} to {is_now}"
    return ""


def _sides(view: RootView) -> Iterable[tuple[str, frozenset[str]]]:
    root = frozenset() if view.extension.authority_model == "manifest-only" else view.digests(view.role("root").keyids)
    return (
        ("manifest authority", view.manifest_keys),
        ("root", root),
        ("payload roles", view.payload_keys),
        ("timestamp", view.digests(view.role("timestamp").keyids)),
    )
