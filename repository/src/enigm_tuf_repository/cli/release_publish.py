"""enigm-repo release publish: the timestamp last."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_record_argument, changing, record_data
from enigm_tuf_repository.cli.sending import Sending
from enigm_tuf_repository.findings import outcome_table, refusal_of
from enigm_tuf_repository.public_fetch import checked_in_public
from enigm_tuf_repository.publishing import publish
from enigm_tuf_repository.records import Step
from enigm_tuf_repository.stores.opening import store_of

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments, current=False) as workspace:  # it asks the store itself, and nothing in vain
        files = [path for path in workspace.staged(arguments.record).rglob("*") if path.is_file()]
        with Sending(files) as sent:
            record = publish(workspace, store_of(workspace), arguments.record, edges.now(), sent)
        record, public = checked_in_public(workspace, record)
    step, settings = record.evidence(Step.PUBLISHED), workspace.store_settings()
    findings = step.findings if step else ()
    place = settings.url if settings else str(workspace.published)
    data = record_data(workspace, record) | {"store": place, "findings": [asdict(item) for item in findings]}
    refusal = refusal_of(public, record.id, "what was published") if public and not public.passed else None
    return Outcome(data, [f"{record.id} is published in {place}", *outcome_table(findings)], refusal)


COMMAND: "Command[Edges]" = Command(
    name="release publish",
    summary="Publish what was verified and gated: payloads, manifests, metadata, and the timestamp last.",
    details="Killed half way, it leaves the old release whole, and can be run again. With `public_url` in [store],\n"
    "everything is then fetched as a device would, and compared; exit status 3 if it differs.",
    examples="enigm-repo release publish phone-2026.11.1\n"
    "enigm-repo release publish phone-2026.11.1 --store s3://updates/phones",
    configure=add_record_argument,
    run=run,
)
