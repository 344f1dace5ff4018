"""Whether a release is for this device, now: compatibility, eligibility and rollout. Signed fields only restrict."""

from enigm_tuf import VERSION
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.lean import datetime, timedelta
from enigm_tuf.model.manifest import ManifestPayload, Release, Rollout
from enigm_tuf.model.shapes import version_key
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import Value
from enigm_tuf.trust.gate_report import Control, Finding, not_checked, passed, refused


class Conditions(Value):
    """What the owner of the device demands of the moment. ``window`` is in minutes after local midnight, first and
    last; it may reach over midnight. None: no demand.
    """

    minimum_battery_percent: int | None = None
    window: tuple[int, int] | None = None


class DeviceFacts(Value):
    """What the device says about itself. ``device_id`` never leaves the device; it only picks its rollout share.

    None is a fact that nobody measured: ``local_minute`` are minutes after local midnight, ``free_bytes`` is the room
    for the payload.
    """

    environment: Environment
    product: str
    hardware_id: str
    channel: str
    device_id: str
    cohorts: frozenset[str] = frozenset()
    client_version: str = VERSION
    enrolled: bool | None = None
    battery_percent: int | None = None
    charging: bool | None = None
    free_bytes: int | None = None
    local_minute: int | None = None
    conditions: Conditions = Conditions()


def choose_payload(release: Release, installed_build: str | None) -> ManifestPayload | None:
    """The delta from the installed build where there is one, else the full payload, else None."""
    deltas = [item for item in release.payloads if item.source_build and item.source_build == installed_build]
    full = [item for item in release.payloads if item.source_build is None]
    return next(iter(deltas + full), None)


def compatibility(release: Release, facts: DeviceFacts, installed: tuple[str, str] | None) -> Finding:
    """COMPATIBILITY: hardware, the version it can be applied from, the client that it needs, a payload that fits."""
    control = Control.COMPATIBILITY
    if facts.hardware_id not in release.hardware_ids:
        return refused(control, f"hardware: for {', '.join(release.hardware_ids)}, this device is {facts.hardware_id}")
    if version_key(facts.client_version) < version_key(release.minimum_client):
        return refused(control, f"client: needs {release.minimum_client}, this is {facts.client_version}")
    base = release.applicable_from
    if base and installed and version_key(installed[0]) < version_key(base):
        return refused(control, f"base: applies from version {base} on, installed is {installed[0]}")
    if choose_payload(release, installed[1] if installed else None) is None:
        return refused(control, "payload: none applies to the installed build")
    return passed(control, f"hardware {facts.hardware_id}")


def eligibility(release: Release, facts: DeviceFacts) -> Finding:
    """ELIGIBILITY: the device is in one of the cohorts that the release is for."""
    cohorts = release.rollout.cohorts
    if cohorts and not facts.cohorts & set(cohorts):
        return refused(Control.ELIGIBILITY, f"for cohorts {', '.join(cohorts)} only")
    return passed(Control.ELIGIBILITY, f"cohorts {', '.join(cohorts)}" if cohorts else "for all cohorts")


def enrolment(facts: DeviceFacts) -> Finding:
    """ENROLMENT: the vendor's service knows the device; whoever asks it tells us."""
    if facts.enrolled is None:
        return not_checked(Control.ENROLMENT, "nobody asked")
    return passed(Control.ENROLMENT, "enrolled") if facts.enrolled else refused(Control.ENROLMENT, "not enrolled")


def battery(facts: DeviceFacts) -> Finding:
    """BATTERY: enough for an install, or charging. A demand that cannot be judged is not met."""
    control, least = Control.BATTERY, facts.conditions.minimum_battery_percent
    if least is None:
        return not_checked(control, "no minimum is set")
    if facts.charging:
        return passed(control, "charging")
    if facts.battery_percent is None:
        return refused(control, f"at least {least} % or charging is asked, and the level is not known")
    verdict = passed if facts.battery_percent >= least else refused
    return verdict(control, f"{facts.battery_percent} %, at least {least} % or charging is asked")


def space(payload: ManifestPayload, facts: DeviceFacts) -> Finding:
    """SPACE: room for the payload and its metadata."""
    needed = payload.length + SPACE_MARGIN
    if facts.free_bytes is None:
        return not_checked(Control.SPACE, f"not measured; {needed:,} bytes are needed")
    verdict = passed if facts.free_bytes >= needed else refused
    return verdict(Control.SPACE, f"{facts.free_bytes:,} bytes free, {needed:,} are needed")


SPACE_MARGIN = 16 * 2**20  # bytes: metadata, and what a file system keeps for itself


def maintenance_window(release: Release, facts: DeviceFacts) -> Finding:
    """MAINTENANCE-WINDOW: the owner's hours. A mandatory release does not wait for them, since they are a comfort;
    battery, space and a halted rollout still stop it.
    """
    control, window = Control.MAINTENANCE_WINDOW, facts.conditions.window
    if window is None:
        return not_checked(control, "no window is set")
    if release.mandatory:
        return passed(control, "mandatory: does not wait for the window")
    if facts.local_minute is None:
        return refused(control, f"only {_hours(window)}, and the local time is not known")
    first, last = window
    now = facts.local_minute
    inside = first <= now < last if first <= last else now >= first or now < last
    told = f"{now // 60:02d}:{now % 60:02d} local time, window {_hours(window)}"
    return (passed if inside else refused)(control, told)


def _hours(window: tuple[int, int]) -> str:
    return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in window)


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
    digest = sha256(f"{release.build_id}\n{facts.product}\n{facts.device_id}".encode())
    return int(digest[:16], 16) % 10_000
