"""enigm-repo release gate: the release gates, side by side."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_record_argument, changing, record_data
from enigm_tuf_repository.findings import outcome_table, refusal_of
from enigm_tuf_repository.gating import gate

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        record, outcomes = gate(workspace, arguments.record, edges.now())
    failed = next((outcome for outcome in outcomes if not outcome.passed), None)
    refusal = refusal_of(failed, record.id, "the release gate to pass") if failed else None
    data = record_data(workspace, record) | {"gates": [asdict(outcome) for outcome in outcomes]}
    return Outcome(data, outcome_table(outcomes), refusal)


COMMAND: "Command[Edges]" = Command(
    name="release gate",
    summary="Run every release gate on the verified tree. Each stands alone, and none can be switched off.",
    examples="enigm-repo release gate phone-2026.11.1",
    configure=add_record_argument,
    run=run,
)
