"""DECISIONS: every authority that was asked said yes, by every rule, and nothing is staged that none of them signed."""

from collections.abc import Mapping

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.request import SigningResponse
from enigm_tuf_repository.gates.answers import answers, of_request
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.records import Step
from enigm_tuf_repository.rules import RepositoryRule

_QUORUM = "QUORUM-"


class Decisions:
    """Reads the answers again, whose digests the record holds since they were judged."""

    rule = RepositoryRule.DECISIONS
    proves = (
        "Each request of the record was answered with PASSED by its authority, by every rule of its policy, or with "
        "signed waivers of what a rule refused; the rules of the quorum passed here too; and every signature in the "
        "staged roles stands in one of these answers."
    )
    does_not_prove = "That the people who approved looked. Who they were stands in the answers."

    def applies(self, context: GateContext) -> str:
        """Always."""
        del context
        return ""

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError DECISIONS names the request or the role."""
        del progress
        found = answers(context)
        rules: set[str] = set()
        approvals: set[str] = set()
        for entry in context.record.requests:
            mine = of_request(found, entry)
            if not mine:
                self._refuse(entry.path, f"an answer of the {entry.authority} authority", "none")
            self._require_quorum(context, entry.authority)
            for path, answer in mine.items():
                self._require_passed(path, answer)
                rules |= {item.rule for item in answer.rules}
                approvals |= set(answer.approvals)
        self._require_signed(context, found)
        facts = {"answers": len(found), "rules": sorted(rules), "approvals": sorted(approvals)}
        return Evidence(f"{len(found)} answers, all PASSED by {len(rules)} rules, {len(approvals)} approvals", facts)

    def _require_quorum(self, context: GateContext, authority: str) -> None:
        """The rules of the quorum passed when this repository asked the policy itself, as the answers came in."""
        step = context.record.evidence(Step.POLICY)
        mine = [item for item in (step.findings if step else ()) if item.evidence.startswith(f"{authority}: ")]
        quorum = [item for item in mine if item.rule.startswith(_QUORUM)]
        if not quorum or not all(item.allowed for item in mine):
            self._refuse(f"policy of the {authority} authority", "every rule passed, the quorum's among them", "not so")

    def _require_passed(self, path: str, answer: SigningResponse) -> None:
        failed = [item.rule for item in answer.rules if not item.allowed]
        if answer.decision != "PASSED" or failed:
            self._refuse(path, "PASSED by every rule", ", ".join([answer.decision, *failed]))

    def _require_signed(self, context: GateContext, found: Mapping[str, SigningResponse]) -> None:
        given = {
            (item.role, item.version, item.keyid, item.signature)
            for answer in found.values()
            for item in answer.signatures
        }
        for role, file in context.roles.items():
            for keyid, signature in file.signatures.items() if role != "timestamp" else ():
                if (role, file.version, keyid, signature) not in given:
                    self._refuse(f"{role} {file.version}", "signatures that stand in an answer", f"one by {keyid}")

    def _refuse(self, subject: str, expected: str, got: str) -> None:
        raise RefusedError(self.rule, subject, expected=expected, got=got)


GATE = Decisions()
