"""Whether a release is for this device, now: compatibility, eligibility and rollout. Signed fields only restrict."""

import hashlib
from datetime import datetime, timedelta

from enigm_tuf.model.keys import Environment
from enigm_tuf.model.manifest import ManifestPayload, Release, Rollout
from enigm_tuf.model.shapes import version_key
from enigm_tuf.model.value import Value
from enigm_tuf.trust.gate_report import Control, Finding, passed, refused


class DeviceFacts(Value):
    """What the device says about itself. ``device_id`` never leaves the device; it only picks its rollout share."""

    environment: Environment
    product: str
    hardware_id: str
    channel: str
    device_id: str
    cohorts: frozenset[str] = frozenset()
    client_version: str = "0.1.0"


def choose_payload(release: Release, installed_build: str | None) -> ManifestPayload | None:
    """The delta from the installed build where there is one, else the full payload, else None."""
    deltas = [item for item in release.payloads if item.source_build and item.source_build == installed_build]
    full = [item for item in release.payloads if item.source_build is None]
    return next(iter(deltas + full), None)


def compatibility(release: Release, facts: DeviceFacts, installed: tuple[str, str] | None) -> Finding:
    """COMPATIBILITY: hardware, the version it can be applied from, the client that it needs, a payload that fits."""
    control = Control.COMPATIBILITY
    if facts.hardware_id not in release.hardware_ids:
        return refused(control, f"for {', '.join(release.hardware_ids)}, this device is {facts.hardware_id}")
    if version_key(facts.client_version) < version_key(release.minimum_client):
        return refused(control, f"needs client {release.minimum_client}, this is {facts.client_version}")
    base = release.applicable_from
    if base and installed and version_key(installed[0]) < version_key(base):
        return refused(control, f"applies from version {base} on, installed is {installed[0]}")
    if choose_payload(release, installed[1] if installed else None) is None:
        return refused(control, "no payload applies to the installed build")
    return passed(control, f"hardware {facts.hardware_id}")


def eligibility(release: Release, facts: DeviceFacts) -> Finding:
    """ELIGIBILITY: the device is in one of the cohorts that the release is for."""
    cohorts = release.rollout.cohorts
    if cohorts and not facts.cohorts & set(cohorts):
        return refused(Control.ELIGIBILITY, f"for cohorts {', '.join(cohorts)} only")
    return passed(Control.ELIGIBILITY, f"cohorts {', '.join(cohorts)}" if cohorts else "for all cohorts")


def rollout(release: Release, facts: DeviceFacts, now: datetime) -> Finding:
    """ROLLOUT: not halted, started, and the device's share lies within the percentage of the stage reached."""
    plan = release.rollout
    if plan.halted:
        return refused(Control.ROLLOUT, "halted")
    if now < plan.start:
        return refused(Control.ROLLOUT, f"starts at {plan.start.isoformat()}")
    share, percent = device_share(release, facts), reached_percent(plan, now)
    if share >= percent * 100:
        return refused(Control.ROLLOUT, f"reaches {percent} % now, this device's share is {share / 100:.2f} %")
    return passed(Control.ROLLOUT, f"reaches {percent} %, this device's share is {share / 100:.2f} %")


def reached_percent(plan: Rollout, now: datetime) -> int:
    """The percentage of the last stage that has begun; 0 before the first."""
    begun = [stage.percent for stage in plan.stages if plan.start + timedelta(hours=stage.after_hours) <= now]
    return begun[-1] if begun else 0


def device_share(release: Release, facts: DeviceFacts) -> int:
    """0..9999, the same for a device and a build for ever, different between builds so that nobody is always first."""
    digest = hashlib.sha256(f"{release.build_id}\n{facts.product}\n{facts.device_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10_000
