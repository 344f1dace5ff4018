"""What changed between two reports, in lines that a person can check."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from enigm_tuf.model.manifest import Release
from enigm_tuf.trust.eligibility import reached_percent
from enigm_tuf_repository.report.facts import Facts, KeyFact
from enigm_tuf_repository.standing import RoleStanding


def changes(before: Facts, after: Facts) -> tuple[str, ...]:
    """Keys, roles, releases and rollouts, records and logs; empty where all is as it was."""
    lines: list[str] = []
    for what in ("environment", "model", "root_version", "recovery"):
        old, new = getattr(before, what), getattr(after, what)
        if old != new:
            lines.append(f"{what.replace('_', ' ')}: {old} → {new}")
    lines += _compared("key", _keys(before), _keys(after))
    lines += _compared("role", _roles(before), _roles(after))
    lines += _compared("signers of", _signers(before), _signers(after))
    lines += _compared("release", _releases(before), _releases(after))
    lines += _compared("record", _records(before), _records(after))
    lines += _compared("audit log", _logs(before), _logs(after))
    return tuple(lines)


def _compared(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if name not in before:
            yield f"new {what} {name}: {after[name]}"
        elif name not in after:
            yield f"{what} {name} is gone: was {before[name]}"
        elif before[name] != after[name]:
            yield f"{what} {name}: {before[name]} → {after[name]}"


def _keys(facts: Facts) -> dict[str, str]:
    return {item.words: _key(item) for item in facts.keys}


def _key(item: KeyFact) -> str:
    return f"{item.algorithm}, {item.home}, {item.custodian}"


def _roles(facts: Facts) -> dict[str, str]:
    """The timestamp is new every day, and says nothing."""
    return {item.role: _role(item) for item in facts.roles if item.role != "timestamp"}


def _role(item: RoleStanding) -> str:
    return f"version {item.version}, until {item.expires:%F}{f', {item.due}' if item.due else ''}"


def _signers(facts: Facts) -> dict[str, str]:
    return {item.role: _may_sign(facts, item) for item in facts.roles}


def _may_sign(facts: Facts, item: RoleStanding) -> str:
    names = sorted(key.words for keyid in item.keyids if (key := facts.key(keyid)))
    return f"{item.threshold} of {'; '.join(names)}"


def _releases(facts: Facts) -> dict[str, str]:
    return {
        f"{item.product}/{item.channel} {release.version}": _release(release, facts.made)
        for item in facts.channels
        for release in item.releases
    }


def _release(release: Release, now: datetime) -> str:
    state = "halted" if release.rollout.halted else f"{reached_percent(release.rollout, now)} %"
    return f"build {release.build_id}, {state}{', mandatory' if release.mandatory else ''}"


def _records(facts: Facts) -> dict[str, str]:
    return {item.id: item.steps[-1].step if item.steps else "opened" for item in facts.records}


def _logs(facts: Facts) -> dict[str, str]:
    return {item.authority: f"{item.entries:,} entries" for item in facts.audit}
