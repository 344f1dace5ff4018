"""What would change, in words that a person can check: shown before anybody approves or signs."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.manifest import OtaManifest, Release, Rollout, read_manifest
from enigm_tuf.model.tuf import Root, Snapshot, TargetFile, Targets
from enigm_tuf.model.words import words
from enigm_tuf.policy.question import Question
from enigm_tuf.policy.root_changes import root_changes
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.threshold import spki_sha256

T = TypeVar("T")
Signed = Root | Snapshot | Targets


def difference(question: Question) -> tuple[str, ...]:
    """One line for each thing that is added, removed or changed against the state before.

    No text of the request can move the cursor, forge a line or hide: what does not print is shown as its number.
    """
    lines: list[str] = []
    for role, proposal in sorted(question.proposals.items()):
        old = question.previous.get(role)
        lines.append(f"{role}: version {old.version if old else 'none'} -> {proposal.version}")
        lines += [f"  {line}" for line in _changes(old, proposal.signed)]
    for path, manifest in sorted(question.manifests.items()):
        lines += [f"{path}: {line}" for line in _manifest_lines(question.earlier_manifests.get(path), manifest)]
    for path, data in sorted(question.earlier_manifests.items()):
        if path not in question.manifests:
            lines += [f"{path}: {line}" for line in _manifest_lines(data, None)]
    return tuple(map(_printable, lines))


def _printable(line: str) -> str:
    return "".join(sign if sign.isprintable() else f"<U+{ord(sign):04X}>" for sign in line)


def _changes(old: Signed | None, new: Signed) -> Iterator[str]:
    yield f"expires {old.expires.isoformat() if old else 'never before'} -> {new.expires.isoformat()}"
    if isinstance(new, Root):
        yield from _root_changes(old if isinstance(old, Root) else None, new)
    elif isinstance(new, Snapshot):
        before = old.meta if isinstance(old, Snapshot) else {}
        yield from _compare("meta", before, new.meta, lambda meta: f"version {meta.version}")
    else:
        yield from _targets_changes(old if isinstance(old, Targets) else None, new)
    yield from _compare("field", _flat(old), _flat(new), str)


def _root_changes(old: Root | None, new: Root) -> Iterator[str]:
    yield from _listed_changes(old, new)
    for name, role in new.roles.items():
        before = old.roles.get(name) if old else None
        if before is None or before.threshold != role.threshold:
            yield f"{name} threshold {before.threshold if before else 'none'} -> {role.threshold}"
        yield from _compare(f"{name} key", _keys(old, name), _keys(new, name), str)
    if old is None or old.consistent_snapshot != new.consistent_snapshot:
        yield f"consistent_snapshot {old.consistent_snapshot if old else 'none'} -> {new.consistent_snapshot}"


def _listed_changes(old: Root | None, new: Root) -> tuple[str, ...]:
    """In the words of the closed list; a root that cannot be read is refused by a rule, and is shown all the same."""
    if old is None:
        return ()
    try:
        return tuple(map(str, root_changes(view_root(old), view_root(new))))
    except MalformedError as error:
        return (f"MALFORMED {error}",)


def _keys(root: Root | None, role: str) -> dict[str, str]:
    """Public keys by fingerprint and its words; keyids mean nothing to a person."""
    if root is None or role not in root.roles:
        return {}
    digests = [spki_sha256(root.keys[keyid]) for keyid in root.roles[role].keyids if keyid in root.keys]
    return {digest: _spoken(digest) for digest in digests}


def _spoken(digest: str) -> str:
    return " ".join(words(digest)[:4])


def _flat(signed: Signed | None) -> dict[str, str]:
    """What TUF does not name (in root the extension): its leaves by their path, so that a change names its field."""
    return dict(_leaves("", signed.unrecognized_fields)) if signed else {}


def _leaves(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(f"{path}.{name}" if path else str(name), item)
    else:
        yield path, str(value)


def _targets_changes(old: Targets | None, new: Targets) -> Iterator[str]:
    yield from _compare("target", old.targets if old else {}, new.targets, _target_text)
    yield from _compare("delegation", _delegated(old), _delegated(new), str)


def _delegated(targets: Targets | None) -> dict[str, str]:
    """Delegations by role: what for, how many, and whose keys by fingerprint and its words."""
    if targets is None or targets.delegations is None:
        return {}
    keys = targets.delegations.keys
    found = {}
    for name, role in (targets.delegations.roles or {}).items():
        digests = sorted(spki_sha256(keys[keyid]) for keyid in role.keyids if keyid in keys)
        whose = ", ".join(f"{digest} ({_spoken(digest)})" for digest in digests)
        found[name] = f"{list(role.paths or ())}, terminating {role.terminating}, {role.threshold} of {whose}"
    return found


def _target_text(target: TargetFile) -> str:
    facts = [f"{name} {value}" for name, value in sorted(_leaves("", target.unrecognized_fields))]
    return ", ".join([f"{target.length:,} bytes", f"sha256 {target.hashes.get('sha256')}", *facts])


def _compare(what: str, before: Mapping[str, T], after: Mapping[str, T], text: Callable[[T], str]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if name not in before:
            yield f"+ {what} {name}: {text(after[name])}"
        elif name not in after:
            yield f"- {what} {name}: {text(before[name])}"
        elif before[name] != after[name]:
            yield f"~ {what} {name}: {text(before[name])} -> {text(after[name])}"


def _manifest_lines(earlier: bytes | None, manifest: OtaManifest | None) -> Iterator[str]:
    """``manifest`` is None for one that ends with its product."""
    before = read_manifest(earlier, "evidence/manifests-before").releases if earlier is not None else ()
    after = manifest.releases if manifest else ()
    yield from _compare("release", _by_version(before), _by_version(after), _release_text)


def _by_version(releases: tuple[Release, ...]) -> dict[str, Release]:
    return {release.version: release for release in releases}


def _release_text(release: Release) -> str:
    """Every field: what is not said here could change unseen."""
    files = "; ".join(
        f"{item.type} {item.path} ({item.length:,} bytes, sha256 {item.hashes['sha256']}, from {item.source_build})"
        for item in release.payloads
    )
    return (
        f"build {release.build_id}, patch level {release.security_patch_level}, "
        f"rollback index {release.rollback_index}, for {', '.join(release.hardware_ids)}, "
        f"from version {release.applicable_from}, minimum client {release.minimum_client}, "
        f"mandatory {release.mandatory}, {_rollout_text(release.rollout)}, notes {release.release_notes!r}, {files}"
    )


def _rollout_text(plan: Rollout) -> str:
    stages = ", ".join(f"{stage.percent} % after {stage.after_hours} h" for stage in plan.stages)
    halted = "HALTED, " if plan.halted else ""
    return f"{halted}rollout from {plan.start.isoformat()} ({stages}) to {', '.join(plan.cohorts) or 'all'}"
