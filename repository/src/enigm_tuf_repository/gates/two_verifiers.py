"""TWO-VERIFIERS: after signing, two implementations accepted the very files that are staged now."""

from enigm_tuf.errors import RefusedError
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.records import Step, digests_of, staged_files
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.verification import OURS

BOTH = (OURS, RepositoryRule.VERIFY_NGCLIENT)


class TwoVerifiers:
    """Reads the evidence of step 6, and hashes what is staged again."""

    rule = RepositoryRule.TWO_VERIFIERS
    proves = (
        "The device's verifier and python-tuf's ngclient both accepted the tree in step 6, after the last signature, "
        "and every staged file of metadata is byte for byte what they saw; for payloads see PAYLOAD-BYTES."
    )
    does_not_prove = "That both are right where both are wrong: they share the TUF specification."

    def applies(self, context: GateContext) -> str:
        """Always."""
        del context
        return ""

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError TWO-VERIFIERS names what is missing or changed."""
        del progress
        signed, verified = context.record.evidence(Step.SIGNED), context.record.evidence(Step.VERIFIED)
        said = {item.rule: item for item in (verified.findings if verified else ())}
        for rule in BOTH:
            if rule not in said or not said[rule].passed:
                self._refuse(context.record.id, f"{rule} passed", "no such finding" if rule not in said else "refused")
        if signed is None or verified is None or verified.done < signed.done:
            self._refuse(context.record.id, "verification after the last signature", "signatures that came later")
        folder = context.workspace.record(context.record.id)
        now = digests_of(
            folder, [path for path in staged_files(context.workspace, context.record.id) if _is_small(path)]
        )
        seen = {path: digest for path, digest in context.digests.items() if _is_small(path)}
        if changed := sorted(path for path in now.keys() | seen.keys() if now.get(path) != seen.get(path)):
            self._refuse(changed[0], "the file that was verified", "another one")
        return Evidence(f"{' and '.join(BOTH)} on {len(now)} files", {rule: said[rule].evidence for rule in BOTH})

    def _refuse(self, subject: str, expected: str, got: str) -> None:
        raise RefusedError(self.rule, subject, expected=expected, got=got)


GATE = TwoVerifiers()


def _is_small(path: str) -> bool:
    """Metadata: a payload is read by PAYLOAD-BYTES, once is enough."""
    return path.startswith("staged/metadata/")
