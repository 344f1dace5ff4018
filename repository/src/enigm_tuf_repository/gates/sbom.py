"""SBOM: each artifact has a bill of materials, bound to it in both directions."""

from enigm_tuf.errors import RefusedError
from enigm_tuf_repository.bills import Bill, read_bill
from enigm_tuf_repository.gates import build_evidence
from enigm_tuf_repository.gates.artifacts import StagedArtifact
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.rules import ArtifactRule


class Sbom:
    """Reads SPDX and CycloneDX out of the request."""

    rule = ArtifactRule.SBOM
    proves = (
        "For each artifact there is an SPDX or CycloneDX document that names it by its SHA-256 and lists something "
        "besides, and whose own digest the release authority signed with the artifact."
    )
    does_not_prove = "That the list is complete, or free of known flaws."

    def applies(self, context: GateContext) -> str:
        """To artifacts, wherever evidence is demanded."""
        return build_evidence.why_not(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError SBOM names the artifact that no bill names."""
        del progress
        build_evidence.rules_of(context, self)
        files = list(build_evidence.artifacts(context))
        found = {artifact.path: self._bill(context, artifact) for artifact in files}
        facts = {
            path: {"file": name, "format": bill.format, "lists": bill.listed} for path, (name, bill) in found.items()
        }
        listed = sum(bill.listed for _, bill in found.values())
        summary = f"{len(files)} artifacts, each named by a bill of materials that lists {listed} things in all"
        return Evidence(summary, facts, tuple(artifact.staged for artifact in files))

    def _bill(self, context: GateContext, artifact: StagedArtifact) -> tuple[str, Bill]:
        digest, seen = build_evidence.digest_of(context, artifact), []
        for name, data in sorted(build_evidence.of_artifact(context, artifact).items()):
            bill = read_bill(data, name)
            if bill and digest in bill.digests and bill.listed > 1:
                return name, bill
            seen += [name] if bill else []
        expected = f"a bill of materials that names SHA-256 {digest} and lists what is in it"
        raise RefusedError(self.rule, artifact.name, expected=expected, got=", ".join(seen) or "none")


GATE = Sbom()
