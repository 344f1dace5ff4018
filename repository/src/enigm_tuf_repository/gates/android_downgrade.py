"""ANDROID-DOWNGRADE: what is offered is not older than what was, unless the release was prepared as a downgrade."""

from enigm_tuf.model.manifest import OtaManifest, Release, read_manifest
from enigm_tuf.model.strict_json import parse, sha256
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.trust.delegation_rules import manifest_role
from enigm_tuf_client.targets import hashed_path
from enigm_tuf_repository.gates.android import evidence_of, packages, refuse, why_no_package
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.gates.statements import statement_path
from enigm_tuf_repository.inspection.android.package import OtaPackage
from enigm_tuf_repository.inspection.plugins import inspect
from enigm_tuf_repository.inspection.source import file_source
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.records import Step, load_record
from enigm_tuf_repository.release_preparing import DOWNGRADE
from enigm_tuf_repository.rules import ArtifactRule
from enigm_tuf_repository.staging import new_targets


class AndroidDowngrade:
    """Compares build time and patch level with the newest published release of the channel."""

    rule = ArtifactRule.ANDROID_DOWNGRADE
    proves = (
        "Build time and security patch level are not below those of the channel's newest published release, and "
        "no package wipes a device or is marked as a downgrade, unless release.toml said `downgrade = true`."
    )
    does_not_prove = "Anything where release.toml said so: then it says that somebody meant it."

    def applies(self, context: GateContext) -> str:
        """To update packages of Android."""
        return why_no_package(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError ANDROID-DOWNGRADE names package and reason."""
        del progress
        meant = _meant(context)
        before = _newest_published(context)
        floor = _timestamp(context, before) if before else 0
        found = list(packages(context))
        for artifact, package in found:
            if not meant:
                _require_no_flags(artifact.name, package)
                _require_not_older(artifact.name, package, before, floor)
        times = {artifact.name: package.metadata.timestamp for artifact, package in found}
        facts: dict[str, object] = {
            "timestamps": times,
            "published": before.version if before else None,
            "meant": meant,
        }
        than = f"than {before.version}" if before else "than anything: nothing is published yet"
        return evidence_of(context, "a downgrade that was asked for" if meant else f"not older {than}", facts)


GATE = AndroidDowngrade()


def _meant(context: GateContext) -> bool:
    built = context.record.evidence(Step.BUILT)
    return any(finding.rule == DOWNGRADE for finding in (built.findings if built else ()))


def _newest_published(context: GateContext) -> Release | None:
    """Of the channel that the record changes."""
    role = manifest_role(context.record.product or "")
    published = context.before[role].value_as(Targets).targets if role in context.before else {}
    for target in new_targets(context.workspace, context.record):
        if target.path in published and target.path.startswith("manifests/"):
            releases = _manifest(context, published[target.path]).releases
            return releases[0] if releases else None
    return None


def _manifest(context: GateContext, target: TargetFile) -> OtaManifest:
    return read_manifest(Lineage(context.workspace.published, []).target(target), target.path)


def _timestamp(context: GateContext, release: Release) -> int:
    """The newest build time in the packages of a published release; 0 where it has no package of Android."""
    found = 0
    for payload in release.payloads:
        file = context.workspace.published / "targets" / hashed_path(payload.path, payload.hashes["sha256"])
        if not file.is_file():
            return _stated(context, release)
        value = inspect(file_source(file)).value
        found = max(found, value.metadata.timestamp if isinstance(value, OtaPackage) else 0)
    return found


def _stated(context: GateContext, release: Release) -> int:
    """What this gate said of the release when that was published here; refused where nobody knows any more."""
    record_id = f"{context.record.product}-{release.version}"
    path = context.workspace.record(record_id) / statement_path(GATE.rule)
    if path.is_file():
        gated = load_record(context.workspace, record_id).evidence(Step.GATED)
        data = path.read_bytes()
        if gated and gated.digests.get(statement_path(GATE.rule)) == sha256(data):
            times = parse(data, source=str(path))["predicate"]["facts"].get("timestamps", {})
            return max(times.values(), default=0)
    expected = "its package in the published tree, or the statement of this gate in its record"
    raise refuse(GATE.rule, f"published release {release.version}", expected, "neither: its build time is not known")


def _require_no_flags(name: str, package: OtaPackage) -> None:
    flags = {
        "ota-wipe": package.metadata.wipe,
        "ota-downgrade": package.metadata.downgrade,
        "spl-downgrade": package.metadata.spl_downgrade,
    }
    for flag, is_set in flags.items():
        if is_set:
            raise refuse(GATE.rule, name, "a package without it, or downgrade = true in release.toml", f"{flag}=yes")


def _require_not_older(name: str, package: OtaPackage, before: Release | None, floor: int) -> None:
    metadata = package.metadata
    if metadata.timestamp <= 0 or metadata.timestamp < floor:
        expected = f"a build at {floor} or later (seconds since 1970)" if floor else "a build time"
        raise refuse(GATE.rule, f"{name}, post-timestamp", expected, str(metadata.timestamp))
    level = before.security_patch_level if before else ""
    if metadata.security_patch_level < level:
        raise refuse(GATE.rule, f"{name}, security patch level", f"{level} or later", metadata.security_patch_level)
