"""``rollout``: the channel's manifest with another rollout of one release, and the signing request for it.

Nothing else changes: the rules ROLLOUT-ONLY and ROLLOUT-MONOTONIC of the manifest authority demand it.
"""

from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.manifest import OtaManifest, Release, Rollout, manifest_path, read_manifest, write_manifest
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import read_request
from enigm_tuf.model.tuf import Snapshot, Targets
from enigm_tuf.model.value import replace
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf_repository.lineage import Lineage, lineage_of, require_delegated
from enigm_tuf_repository.preparing import Plan, new_record, open_record
from enigm_tuf_repository.records import ReleaseRecord, Step, load_record
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.release_preparing import stage_manifest
from enigm_tuf_repository.requests import Draft
from enigm_tuf_repository.role_building import target_file, with_targets, with_versions
from enigm_tuf_repository.rollout_plans import Stopped
from enigm_tuf_repository.staging import require_no_signed_root
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Offered:
    """One release of a channel, as it is offered now."""

    lineage: Lineage
    product: str
    path: str
    manifest: OtaManifest
    release: Release

    @property
    def record_id(self) -> str:
        """Of the record that will change it."""
        return f"rollout-{self.product}-{self.lineage.require(manifest_role(self.product), Targets).version + 1}"

    def with_rollout(self, plan: Rollout) -> OtaManifest:
        releases = (replace(item, rollout=plan) if item == self.release else item for item in self.manifest.releases)
        return replace(self.manifest, releases=tuple(releases))


def find_offered(workspace: Workspace, product: str, channel: str, version: str | None) -> Offered:
    """The release ``version`` (None: the newest) of a channel; MisuseError where there is none."""
    register = load_register(workspace)
    if channel not in register.products.get(product, ()):
        known = ", ".join(f"{name} ({', '.join(channels)})" for name, channels in sorted(register.products.items()))
        raise MisuseError(f"there is no channel {channel} of a product {product} here", hint=f"there are: {known}")
    require_no_signed_root(workspace, register)
    lineage, path = lineage_of(workspace, register), manifest_path(product, channel)
    require_delegated(lineage, product)
    target = lineage.require(manifest_role(product), Targets).targets.get(path)
    if target is None:
        raise MisuseError(f"channel {channel} of product {product} has no release yet")
    manifest = read_manifest(lineage.target(target), path)
    for release in manifest.releases:
        if version is None or release.version == version:
            return Offered(lineage, product, path, manifest, release)
    offered = ", ".join(release.version for release in manifest.releases)
    raise MisuseError(f"{path} offers no version {version}", hint=f"it offers {offered}")


def prepare_rollout(workspace: Workspace, offered: Offered, plan: Rollout, now: datetime) -> ReleaseRecord:
    """Open the record ``rollout-<product>-<version of the manifest role>``."""
    _require_provided_for(workspace)
    data, before = write_manifest(offered.with_rollout(plan)), write_manifest(offered.manifest)
    read_manifest(data, offered.path)
    role, days = manifest_role(offered.product), workspace.configuration().expiry_days
    lineage, record_id = offered.lineage, offered.record_id
    old = lineage.require(role, Targets)
    with new_record(workspace, record_id):
        listed = target_file(offered.path, stage_manifest(workspace, record_id, offered.path, data))
        manifest = with_targets(old, {offered.path: listed}, now + days.of(role))
        snapshot = with_versions(
            lineage.require("snapshot", Snapshot), {role: manifest.version}, now, now + days.of("snapshot")
        )
        others = {path: lineage.target(target) for path, target in old.targets.items() if path != offered.path}
        evidence = {f"manifests/{path}": content for path, content in (others | {offered.path: data}).items()}
        evidence |= {f"manifests-before/{offered.path}": before}
        context = ("targets", payload_role(offered.product))
        draft = Draft("manifest", {role: manifest, "snapshot": snapshot}, evidence, context)
        return open_record(workspace, lineage, Plan(record_id, "rollout", offered.product, (draft,)), now)


def _require_provided_for(workspace: Workspace) -> None:
    if "rollout" not in read_policy(workspace.policy("manifest"), "policies/manifest.toml").actions:
        hint = "add [actions.rollout] to it, and put it in force by the next root"
        raise MisuseError("the manifest authority's policy has no quorum for the action rollout", hint=hint)


def find_stopped(workspace: Workspace, offered: Offered) -> Stopped:
    """Where the rollout was stopped, from the record that did it; MisuseError where this machine has none."""
    version = offered.lineage.require(manifest_role(offered.product), Targets).version
    for number in range(version, 0, -1):
        stopped = _stopped_by(workspace, offered, f"rollout-{offered.product}-{number}")
        if stopped is not None:
            return stopped
    hint = "if it is stopped, say how to go on: `--stages 0:10,24:100` are hours from now, and percent"
    raise MisuseError("no record here has paused or halted it as it is now", hint=hint)


def _stopped_by(workspace: Workspace, offered: Offered, record_id: str) -> Stopped | None:
    """None where there is no such record, or it is about something else, or did not stop a running plan."""
    folder = workspace.record(record_id)
    if not (folder / "record.json").is_file():
        return None
    record = load_record(workspace, record_id)
    published = record.evidence(Step.PUBLISHED)
    request = read_request((folder / record.requests[0].path).read_bytes(), record_id)
    before = _plan_in(request.below("evidence/manifests-before"), offered)
    after = _plan_in(request.below("evidence/manifests"), offered)
    if published is None or before is None or after is None or before.halted or after != offered.release.rollout:
        return None
    cut = after.start == before.start and after.stages == before.stages[: len(after.stages)]
    return Stopped(before, published.done) if after.halted or cut else None


def _plan_in(manifests: dict[str, bytes], offered: Offered) -> Rollout | None:
    if offered.path not in manifests:
        return None
    releases = read_manifest(manifests[offered.path], offered.path).releases
    return next((item.rollout for item in releases if item.version == offered.release.version), None)
