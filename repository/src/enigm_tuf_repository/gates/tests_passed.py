"""TESTS: each artifact passed its tests, not too long ago."""

from enigm_tuf.model.shapes import Time
from enigm_tuf.trust.build_evidence import BuildRule, require_tests
from enigm_tuf_repository.gates import build_evidence
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress


class TestsPassed:
    """Reads in-toto test results out of the request."""

    rule = BuildRule.TESTS
    proves = (
        "A tester of repository.toml signed that each artifact, by its SHA-256, passed with no failed test, at most "
        "`test_hours` before the gates ran; and no tester signed that it failed."
    )
    does_not_prove = "That the tests test anything."

    def applies(self, context: GateContext) -> str:
        """To artifacts, wherever evidence is demanded."""
        return build_evidence.why_not(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError TESTS names the artifact, and what the newest result says."""
        del progress
        rules = build_evidence.rules_of(context, self)
        files = list(build_evidence.artifacts(context))
        facts = {}
        for artifact in files:
            digest, found = build_evidence.digest_of(context, artifact), build_evidence.statements(context, artifact)
            tester, finished = require_tests(
                artifact.name, digest, found, rules.testers, rules.oldest_test, context.now
            )
            facts[artifact.path] = {"tester": tester, "finished": Time().write(finished.replace(microsecond=0))}
        oldest = min(item["finished"] for item in facts.values())
        return Evidence(
            f"{len(files)} artifacts passed, the oldest result of {oldest}", facts, tuple(item.staged for item in files)
        )


GATE = TestsPassed()
