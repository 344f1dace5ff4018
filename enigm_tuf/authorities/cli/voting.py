"""What ``approve`` and ``reject`` share."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.approving import Vote, cast
from enigm_tuf.authorities.cli.request_options import (
    add_policy_and_operators,
    add_request,
    load_operators,
    load_policy,
    load_request,
    show_and_confirm,
)
from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.commandline import Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.approval import Decision
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure_vote(parser: argparse.ArgumentParser, *, reason_required: bool) -> None:
    add_request(parser)
    add_policy_and_operators(parser)
    add_token(parser)
    add_label(parser)
    parser.add_argument("--reason", default="", required=reason_required, metavar="TEXT")
    parser.add_argument("--out", required=True, metavar="FILE", help="the approval, such as alice.dsse.json")


def run_vote(decision: Decision, arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out, request = Path(arguments.out), load_request(arguments)
    require_new(out)
    vote = Vote(
        arguments.operator,
        decision,
        arguments.reason,
        edges.open_token(arguments.token),
        label_of(arguments),
        edges.person.ask_secret,
        lambda question: show_and_confirm(question, edges),
    )
    now = edges.clock.now().replace(microsecond=0)
    envelope = cast(request, load_policy(arguments), load_operators(arguments), vote, now)
    write_new(out, envelope)
    data = {"decision": decision, "request": request.digest, "operator": vote.operator, "envelope": sha256(envelope)}
    return Outcome(data, [f"{decision} of {request.index.request_id} by {vote.operator}, written to {out}"])
