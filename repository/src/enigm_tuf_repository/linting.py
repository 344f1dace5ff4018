"""``request lint``: the authority's own rules, on the repository's side, before anybody is asked to sign."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.request import RuleOutcome, read_request
from enigm_tuf.policy.engine import evaluate
from enigm_tuf.policy.reading import ask
from enigm_tuf_repository.ledgers import ledger_of
from enigm_tuf_repository.lineage import lineage_of, root_chain
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace


def lint(workspace: Workspace, file: Path, approvals: Sequence[Path], now: datetime) -> tuple[RuleOutcome, ...]:
    """What every rule of the policy says. The ledger is what the authority should remember by now."""
    request = read_request(read_input(file, LIMITS.request_bytes), str(file))
    register = load_register(workspace)
    chain = root_chain(workspace.published)
    question = ask(
        request,
        policy_data=workspace.policy(request.index.authority),
        root=admit_chain(chain, workspace.configuration().environment, now).root if chain else None,
        ledger=ledger_of(request.index.authority, lineage_of(workspace, register), register),
        envelopes=[read_input(path, LIMITS.document_bytes) for path in approvals],
        custodian=None,
        now=now,
    )
    return evaluate(question).outcomes


def waits_for_people(outcome: RuleOutcome) -> bool:
    """A quorum that is not there yet is no fault of the request."""
    return outcome.rule.startswith("QUORUM-")
