"""REBUILD: builders that share nothing made the same bytes."""

from enigm_tuf.trust.build_evidence import BuildRule, require_rebuilds
from enigm_tuf_repository.gates import build_evidence
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress


class Rebuild:
    """Compares what builders say of an artifact, bit by bit, since each names it by its SHA-256."""

    rule = BuildRule.REBUILD
    proves = (
        "At least `rebuilds` builders of repository.toml that share no key signed that they made the very bytes of "
        "each artifact, all from one commit. So no single builder can put into it what its source does not have."
    )
    does_not_prove = "That they do not share a compiler, or a person."

    def applies(self, context: GateContext) -> str:
        """To artifacts, wherever evidence is demanded."""
        return build_evidence.why_not(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError REBUILD names the artifact and the builders that agree."""
        del progress
        rules = build_evidence.rules_of(context, self)
        files = list(build_evidence.artifacts(context))
        facts = {
            artifact.path: list(
                require_rebuilds(artifact.name, build_evidence.accounts(context, artifact, rules), rules.rebuilds)
            )
            for artifact in files
        }
        builders = sorted({builder for listed in facts.values() for builder in listed})
        summary = f"{len(files)} artifacts, the same bytes by {', '.join(builders)}"
        return Evidence(summary, facts, tuple(artifact.staged for artifact in files))


GATE = Rebuild()
