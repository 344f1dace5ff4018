"""DELTA-SOURCE: a delta starts from one build that was published, and no other bears its name."""

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.payload import read_payload_record
from enigm_tuf.model.tuf import Targets
from enigm_tuf.trust.delegation_rules import payload_role
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.gates.published import published_releases
from enigm_tuf_repository.inspection.android.package import OtaPackage
from enigm_tuf_repository.rules import ArtifactRule


class DeltaSource:
    """Looks for the source build of every delta among the published payloads."""

    rule = ArtifactRule.DELTA_SOURCE
    proves = (
        "The build that a delta applies to was published for this product, under one version alone; a package of "
        "Android names that version as the incremental of the build that it needs."
    )
    does_not_prove = "That applying the delta works."

    def applies(self, context: GateContext) -> str:
        """To releases with deltas."""
        if context.record.action != "release":
            return f"a {context.record.action} brings no artifacts"
        deltas = any(artifact.record.type == "delta-ota" for artifact in context.artifacts.all())
        return "" if deltas else "no delta in this release"

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError DELTA-SOURCE names the delta."""
        del progress
        published = _versions_by_build(context)
        deltas = [artifact for artifact in context.artifacts.all() if artifact.record.type == "delta-ota"]
        sources = {}
        for artifact in deltas:
            build = artifact.record.source_build or ""
            versions = sorted(published.get(build, ()))
            if len(versions) != 1:
                got = f"versions {', '.join(versions)} with that build id" if versions else f"{build}, never published"
                _refuse(artifact.name, "a source build that was published as one version", got)
            value = context.artifacts.inspection(artifact).value
            needed = value.metadata.pre_incremental if isinstance(value, OtaPackage) else versions[0]
            if needed != versions[0]:
                _refuse(artifact.name, f"incremental {versions[0]} for build {build}", needed or "none")
            sources[artifact.name] = {"build": build, "version": versions[0]}
        staged = tuple(artifact.staged for artifact in deltas)
        return Evidence(f"{len(deltas)} deltas from published builds", {"sources": sources}, staged)


GATE = DeltaSource()


def _versions_by_build(context: GateContext) -> dict[str, set[str]]:
    """The versions of each build id in the published payload role; where there is none, in the published manifests."""
    role = payload_role(context.record.product or "")
    targets = context.before[role].value_as(Targets).targets if role in context.before else {}
    found: dict[str, set[str]] = {}
    for path, target in targets.items():
        record = read_payload_record(target.unrecognized_fields.get("custom"), path, "custom")
        found.setdefault(record.build_id, set()).add(record.version)
    for release in published_releases(context) if role not in context.before else ():
        found.setdefault(release.build_id, set()).add(release.version)
    return found


def _refuse(subject: str, expected: str, got: str) -> None:
    raise RefusedError(GATE.rule, subject, expected=expected, got=got)
