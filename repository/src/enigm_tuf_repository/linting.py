"""``request lint``: the authority's own rules, on the repository's side, before anybody is asked to sign."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.request import RuleOutcome, SigningRequest, read_request
from enigm_tuf.policy.engine import evaluate
from enigm_tuf.policy.reading import ask
from enigm_tuf.policy.rules.root import RootRule
from enigm_tuf_repository.asked import policy_with
from enigm_tuf_repository.ledgers import ledger_of
from enigm_tuf_repository.lineage import file_name, lineage_of, root_chain
from enigm_tuf_repository.register import Register, load_register
from enigm_tuf_repository.trusted import admit_roots
from enigm_tuf_repository.workspace import Workspace


def lint(
    workspace: Workspace, file: Path, approvals: Sequence[Path], consents: Sequence[Path], now: datetime
) -> tuple[RuleOutcome, ...]:
    """What every rule of the policy says. The ledger is what the authority should remember by now."""
    request = read_request(read_input(file, LIMITS.request_bytes), str(file))
    register, authority = load_register(workspace), request.index.authority
    chain = _chain(workspace, request)
    question = ask(
        request,
        policy_data=_policy(workspace, register, request),
        operators_data=workspace.operators(authority),
        root=admit_roots(chain, workspace.configuration().environment, now).root if chain else None,
        ledger=ledger_of(authority, lineage_of(workspace, register), register),
        envelopes=[read_input(path, LIMITS.document_bytes) for path in approvals],
        consents=[read_input(path, LIMITS.request_bytes) for path in consents],
        custodian=None,
        now=now,
    )
    return evaluate(question).outcomes


def _chain(workspace: Workspace, request: SigningRequest) -> list[bytes]:
    """The published roots, and those that the request brings beyond them: an authority would admit them too."""
    chain, brought = root_chain(workspace.published), request.below("context/root")
    while (name := file_name("root", len(chain) + 1)) in brought:
        chain.append(brought[name])
    return chain


def _policy(workspace: Workspace, register: Register, request: SigningRequest) -> bytes:
    """The policy that the request names, if it is in force or an open root puts it in force; else the one in force."""
    authority, pin = request.index.authority, request.index.policy
    for record_id in register.open:
        with suppress(MisuseError):
            return policy_with(workspace, record_id, authority, pin)
    return workspace.policy(authority)


def waits_for_people(outcome: RuleOutcome) -> bool:
    """A quorum, or a consent, that is not there yet is no fault of the request."""
    return outcome.rule.startswith(("QUORUM-", "WAIVER-QUORUM")) or outcome.rule == RootRule.TRANSITION_CONSENT
