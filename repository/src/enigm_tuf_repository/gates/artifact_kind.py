"""ARTIFACT-KIND: what a product delivers is of a kind that repository.toml allows for it."""

from enigm_tuf.errors import RefusedError
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.rules import ArtifactRule


class ArtifactKind:
    """Inspects every artifact."""

    rule = ArtifactRule.ARTIFACT_KIND
    proves = (
        "Each artifact was recognised as one kind, parsed without a fault, and that kind is allowed for the "
        "product. So no gate is passed by a file that only does not look like what the gate is for."
    )
    does_not_prove = "Anything about the contents of a kind that is read only in part, such as `file` or `squashfs`."

    def applies(self, context: GateContext) -> str:
        """To releases."""
        return "" if context.record.action == "release" else f"a {context.record.action} brings no artifacts"

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError ARTIFACT-KIND names the artifact; MalformedError where it is broken."""
        del progress
        allowed = context.artifacts.rules().kinds
        found = {artifact: context.artifacts.inspection(artifact).kind for artifact in context.artifacts.all()}
        for artifact, kind in found.items():
            if kind not in allowed:
                expected = (
                    f"{' or '.join(allowed)} as repository.toml allows" if allowed else "kinds in repository.toml"
                )
                raise RefusedError(self.rule, artifact.name, expected=expected, got=kind)
        kinds = {artifact.name: kind for artifact, kind in found.items()}
        summary = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
        return Evidence(summary, {"kinds": kinds}, tuple(artifact.staged for artifact in found))


GATE = ArtifactKind()
