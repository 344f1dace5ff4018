"""enigm-repo release publish: the timestamp last."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_record_argument, changing, record_data, store_of
from enigm_tuf_repository.publishing import publish

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        record = publish(workspace, store_of(workspace), arguments.record, edges.now())
    return Outcome(record_data(workspace, record), [f"{record.id} is published in {workspace.published}"])


COMMAND: "Command[Edges]" = Command(
    name="release publish",
    summary="Publish what was verified and gated: payloads, manifests, metadata, and the timestamp last.",
    details="Killed half way, it leaves the old release whole, and can be run again.",
    examples="enigm-repo release publish phone-2026.11.1",
    configure=add_record_argument,
    run=run,
)
