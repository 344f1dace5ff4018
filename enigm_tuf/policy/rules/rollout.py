"""TRANSITION of a rollout: it changes under an action of its own, and reaches nobody less unless it is halted."""

from collections.abc import Iterator

from enigm_tuf.errors import refuse
from enigm_tuf.model.lean import datetime
from enigm_tuf.model.manifest import OtaManifest, Release, Rollout, read_manifest
from enigm_tuf.model.value import replace
from enigm_tuf.policy.question import Question
from enigm_tuf.trust.eligibility import reached_percent
from enigm_tuf.trust.rules import Rule


class RolloutRule(Rule):
    """Family TRANSITION, of rollouts."""

    ROLLOUT_ONLY = "ROLLOUT-ONLY", "action rollout changes the rollout of one release, and nothing else"
    ROLLOUT_MONOTONIC = "ROLLOUT-MONOTONIC", "a rollout reaches nobody less than before, unless it is halted"


def only(question: Question) -> str:
    """ROLLOUT-ONLY: Action ``rollout`` replaces one manifest by one that says the same but for the rollout of one
    release: no release comes or goes, no note changes, and no payload role moves with it. So that whoever approves a
    halt at night has one thing to read.

    Evidence: the manifest, and the version whose rollout changes.
    """
    if question.request.index.action != "rollout":
        return _NOT_HERE
    if question.other_roles:
        refuse(RolloutRule.ROLLOUT_ONLY, "evidence/roles", "none", ", ".join(sorted(question.other_roles)))
    replaced = list(_replaced(question))
    if len(replaced) != 1:
        refuse(RolloutRule.ROLLOUT_ONLY, "manifests", "one that is replaced", str(len(replaced)))
    path, before, after = replaced[0]
    changed = [new for old, new in zip(before.releases, after.releases, strict=False) if old != new]
    if len(changed) != 1 or after != _with_rollouts(before, after):
        refuse(RolloutRule.ROLLOUT_ONLY, path, "the rollout of one release changed", "something else changed")
    return f"{path}, {changed[0].version}"


def _with_rollouts(before: OtaManifest, after: OtaManifest) -> OtaManifest:
    """What ``before`` says, with the rollouts of ``after``."""
    new = {release.version: release.rollout for release in after.releases}
    releases = tuple(replace(release, rollout=new.get(release.version, release.rollout)) for release in before.releases)
    return replace(before, releases=releases)


def monotonic(question: Question) -> str:
    """ROLLOUT-MONOTONIC: Whoever is offered a release now is still offered it afterwards: the share that is reached
    now is not lower, and no cohort is left out. The one way to fewer is to halt, for everybody; what was halted may
    go on with any share. This holds for every action that replaces a manifest.

    Evidence: for each rollout that changes, the share before and after.
    """
    told = [
        f"{old.version}: {_share(old.rollout, question.now)} to {_share(new.rollout, question.now)}"
        for path, before, after in _replaced(question)
        for old, new in _retained(before, after)
        if old.rollout != new.rollout and _require_no_fewer(path, old, new, question.now)
    ]
    return "; ".join(told) or _NOT_HERE


def _require_no_fewer(path: str, old: Release, new: Release, now: datetime) -> bool:
    before, after = old.rollout, new.rollout
    if before.halted or after.halted:
        return True
    subject = f"{path}, {old.version}"
    least, got = reached_percent(before, now), reached_percent(after, now)
    if got < least:
        refuse(
            RolloutRule.ROLLOUT_MONOTONIC,
            subject,
            f"at least the {least} % that are reached now, or a halt",
            f"{got} %",
        )
    if least and after.cohorts and not (before.cohorts and set(before.cohorts) <= set(after.cohorts)):
        expected = f"all of {', '.join(before.cohorts) or 'the devices'} as before, or a halt"
        refuse(RolloutRule.ROLLOUT_MONOTONIC, f"{subject}, cohorts", expected, ", ".join(after.cohorts))
    return True


def _replaced(question: Question) -> Iterator[tuple[str, OtaManifest, OtaManifest]]:
    """The manifests that change: path, before, after. ARTIFACT-RETAINED holds what is shown to what was signed."""
    for path, data in question.earlier_manifests.items():
        if path in question.manifests:
            yield path, read_manifest(data, path), question.manifests[path]


def _retained(before: OtaManifest, after: OtaManifest) -> Iterator[tuple[Release, Release]]:
    known = {release.version: release for release in before.releases}
    return ((known[release.version], release) for release in after.releases if release.version in known)


def _share(plan: Rollout, now: datetime) -> str:
    return "halted" if plan.halted else f"{reached_percent(plan, now)} %"


_NOT_HERE = "not part of this action"
RULES = {RolloutRule.ROLLOUT_ONLY: only, RolloutRule.ROLLOUT_MONOTONIC: monotonic}
