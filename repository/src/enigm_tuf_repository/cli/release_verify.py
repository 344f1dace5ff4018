"""enigm-repo release verify: two implementations on the staged tree."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_record_argument, changing, record_data
from enigm_tuf_repository.findings import outcome_table
from enigm_tuf_repository.records import Step
from enigm_tuf_repository.stores.opening import remote_of
from enigm_tuf_repository.verification import verify

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        record = verify(workspace, arguments.record, edges.clock, remote_of(workspace))
    evidence = record.evidence(Step.VERIFIED)
    return Outcome(record_data(workspace, record), outcome_table(evidence.findings if evidence else ()))


COMMAND: "Command[Edges]" = Command(
    name="release verify",
    summary="Have the timestamp made, and verify the staged tree with the device's verifier and with python-tuf.",
    details="Both start from root version 1, and both must accept. Every new target is downloaded by both.",
    examples="enigm-repo release verify phone-2026.11.1",
    configure=add_record_argument,
    run=run,
)
