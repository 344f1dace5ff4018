"""PROVENANCE: who built each artifact, from which commit, and that two people agreed to it."""

from enigm_tuf.trust.build_evidence import BuildRule
from enigm_tuf_repository.gates import build_evidence
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress


class Provenance:
    """Reads SLSA v1 provenance and source reviews out of the request."""

    rule = BuildRule.PROVENANCE
    proves = (
        "For each artifact a builder of repository.toml signed that it made these bytes from a commit of the one "
        "repository and an allowed ref, a reviewer signed that two people agreed to that commit, no builder signed "
        "other bytes of that name, and the release authority signed the digests of these statements."
    )
    does_not_prove = "That the builder tells the truth: see REBUILD. That two people saw what a third would have seen."

    def applies(self, context: GateContext) -> str:
        """To artifacts, wherever evidence is demanded."""
        return build_evidence.why_not(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError PROVENANCE names the artifact and what is missing."""
        del progress
        rules = build_evidence.rules_of(context, self)
        facts, files = {}, list(build_evidence.artifacts(context))
        for artifact in files:
            found = build_evidence.accounts(context, artifact, rules)
            facts[artifact.path] = [
                {"builder": item.builder.id, "key": item.key, "commit": item.revision.commit, "ref": item.revision.ref}
                for item in found
            ]
        commits = sorted({item["commit"] for listed in facts.values() for item in listed})
        summary = f"{len(files)} artifacts from {', '.join(commit[:12] for commit in commits)} of {rules.source}"
        return Evidence(summary, facts, tuple(artifact.staged for artifact in files))


GATE = Provenance()
