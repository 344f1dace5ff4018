"""What would change, in words that a person can check: shown before anybody approves or signs."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from tuf.api.metadata import Root, Snapshot, TargetFile, Targets

from enigm_tuf.model.manifest import OtaManifest, Release
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.words import words
from enigm_tuf.policy.question import Question
from enigm_tuf.trust.threshold import spki_sha256

T = TypeVar("T")
Signed = Root | Snapshot | Targets


def difference(question: Question) -> tuple[str, ...]:
    """One line for each thing that is added, removed or changed against the state before."""
    lines: list[str] = []
    for role, proposal in sorted(question.proposals.items()):
        old = question.previous.get(role)
        lines.append(f"{role}: version {old.version if old else 'none'} -> {proposal.version}")
        lines += [f"  {line}" for line in _changes(old, proposal.signed)]
    for path, manifest in sorted(question.manifests.items()):
        lines += [f"{path}: {line}" for line in _manifest_lines(manifest)]
    return tuple(lines)


def _changes(old: Signed | None, new: Signed) -> Iterator[str]:
    yield f"expires {old.expires.isoformat() if old else 'never before'} -> {new.expires.isoformat()}"
    if isinstance(new, Root):
        yield from _root_changes(old if isinstance(old, Root) else None, new)
    elif isinstance(new, Snapshot):
        before = old.meta if isinstance(old, Snapshot) else {}
        yield from _compare("meta", before, new.meta, lambda meta: f"version {meta.version}")
    else:
        yield from _targets_changes(old if isinstance(old, Targets) else None, new)


def _root_changes(old: Root | None, new: Root) -> Iterator[str]:
    for name, role in new.roles.items():
        before = old.roles.get(name) if old else None
        if before is None or before.threshold != role.threshold:
            yield f"{name} threshold {before.threshold if before else 'none'} -> {role.threshold}"
        yield from _compare(f"{name} key", _keys(old, name), _keys(new, name), str)
    yield from _compare(FIELD, _flat(old), _flat(new), str)


def _keys(root: Root | None, role: str) -> dict[str, str]:
    """Public keys by fingerprint and its words; keyids mean nothing to a person."""
    if root is None or role not in root.roles:
        return {}
    digests = [spki_sha256(root.keys[keyid]) for keyid in root.roles[role].keyids if keyid in root.keys]
    return {digest: " ".join(words(digest)[:4]) for digest in digests}


def _flat(root: Root | None) -> dict[str, str]:
    """The extension's leaves by their path, so that a change names its field."""
    return dict(_leaves("", root.unrecognized_fields.get(FIELD))) if root else {}


def _leaves(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(f"{path}.{name}" if path else str(name), item)
    else:
        yield path, str(value)


def _targets_changes(old: Targets | None, new: Targets) -> Iterator[str]:
    yield from _compare("target", old.targets if old else {}, new.targets, _target_text)
    before = old.delegations.roles or {} if old and old.delegations else {}
    after = new.delegations.roles or {} if new.delegations else {}
    yield from _compare(
        "delegation", before, after, lambda role: f"{role.paths}, {role.threshold} of {len(role.keyids)} keys"
    )


def _target_text(target: TargetFile) -> str:
    return f"{target.length:,} bytes, sha256 {target.hashes.get('sha256')}"


def _compare(what: str, before: Mapping[str, T], after: Mapping[str, T], text: Callable[[T], str]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if name not in before:
            yield f"+ {what} {name}: {text(after[name])}"
        elif name not in after:
            yield f"- {what} {name}: {text(before[name])}"
        elif text(before[name]) != text(after[name]):
            yield f"~ {what} {name}: {text(before[name])} -> {text(after[name])}"


def _manifest_lines(manifest: OtaManifest) -> Iterator[str]:
    for release in manifest.releases:
        yield _release_text(release)


def _release_text(release: Release) -> str:
    plan = release.rollout
    stages = ", ".join(f"{stage.percent} % after {stage.after_hours} h" for stage in plan.stages)
    state = "HALTED" if plan.halted else f"from {plan.start.isoformat()}: {stages}"
    return (
        f"release {release.version}, build {release.build_id}, patch level {release.security_patch_level}, "
        f"rollback index {release.rollback_index}, for {', '.join(release.hardware_ids)}, {state}"
    )
