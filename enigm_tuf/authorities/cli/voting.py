"""What ``approve``, ``reject`` and ``waive`` share."""

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.approving import Vote, cast
from enigm_tuf.authorities.cli.request_options import (
    add_request,
    add_signatory,
    load_papers,
    load_request,
    show_and_confirm,
    signatory_of,
)
from enigm_tuf.authorities.vouching import Papers, Signatory
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.approval import Decision
from enigm_tuf.model.request import SigningRequest
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.question import Question

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def vote_command(
    decision: Decision, *, reason_required: bool, name: str, summary: str, examples: str
) -> "Command[Edges]":
    """An operator says yes or no to a request."""

    def configure(parser: argparse.ArgumentParser) -> None:
        add_request(parser)
        add_signatory(parser, "the approval, such as alice.dsse.json")
        parser.add_argument("--reason", default="", required=reason_required, metavar="TEXT")

    def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
        vote = Vote(decision, arguments.reason)
        request, facts = vouched(
            arguments,
            edges,
            lambda question: show_and_confirm(question, edges),
            lambda request, papers, signatory, now: cast(request, papers, signatory, vote, now),
        )
        told = f"{decision} of {request.index.request_id} by {arguments.operator}, written to {arguments.out}"
        return Outcome({"decision": decision} | facts, [told])

    return Command(name, summary, examples, configure, run)


def vouched(
    arguments: argparse.Namespace,
    edges: "Edges",
    confirm: Callable[[Question], None],
    sign: Callable[[SigningRequest, Papers, Signatory[Question], datetime], bytes],
) -> tuple[SigningRequest, dict[str, object]]:
    """The request, and what a script may read of the envelope that ``sign`` makes, which is in a new file now."""
    out, request = Path(arguments.out), load_request(arguments)
    require_new(out)
    signatory, papers = signatory_of(arguments, edges, confirm), load_papers(arguments)
    envelope = sign(request, papers, signatory, edges.clock.now().replace(microsecond=0))
    write_new(out, envelope)
    return request, {"request": request.digest, "operator": arguments.operator, "envelope": sha256(envelope)}
