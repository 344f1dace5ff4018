"""ARTIFACT-CLAIMS: manifest and payload record say of an artifact what it says of itself."""

from dataclasses import asdict

from enigm_tuf_repository.claims import of_release, require_claims
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.inspection.inspector import Claims
from enigm_tuf_repository.rules import ArtifactRule


class ArtifactClaims:
    """Compares both signed documents with the bytes, as `release prepare` compared release.toml with them."""

    rule = ArtifactRule.ARTIFACT_CLAIMS
    proves = (
        "Version, build id, patch level, rollback index, hardware, type and source build in the signed manifest "
        "and in the signed payload record are those that the artifact itself names, wherever it names one."
    )
    does_not_prove = "That the artifact tells the truth of itself: see ANDROID-METADATA and AVB-VERIFIED."

    def applies(self, context: GateContext) -> str:
        """To releases."""
        return "" if context.record.action == "release" else f"a {context.record.action} brings no artifacts"

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError ARTIFACT-CLAIMS names artifact and field."""
        del progress
        release = context.artifacts.release()
        in_manifest = Claims(
            release.version,
            release.build_id,
            release.security_patch_level,
            release.rollback_index,
            release.hardware_ids,
        )
        seen = {}
        for artifact in context.artifacts.all():
            claims, record = context.artifacts.inspection(artifact).claims, artifact.record
            require_claims(artifact.name, of_release(claims), in_manifest, "the manifest")
            in_record = Claims(
                version=record.version,
                build_id=record.build_id,
                security_patch_level=claims.security_patch_level,  # a payload record has none
                rollback_index=record.rollback_index,
                hardware_ids=record.hardware_ids,
                type=record.type,
                source_build=record.source_build,
            )
            require_claims(artifact.name, claims, in_record, "the payload record")
            seen[artifact.name] = {name: value for name, value in asdict(claims).items() if value is not None}
        made = sum(len(claims) for claims in seen.values())
        return Evidence(
            f"{len(seen)} artifacts make {made} statements of themselves, all as manifest and payload record have them",
            {"claims": {name: _listed(claims) for name, claims in seen.items()}},
            tuple(artifact.staged for artifact in context.artifacts.all()),
        )


GATE = ArtifactClaims()


def _listed(claims: dict[str, object]) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in claims.items()}
