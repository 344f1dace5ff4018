"""enigm-sign waive: a policy-approver lets one request pass one rule."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.request_options import (
    add_policy_and_operators,
    add_request,
    load_operators,
    load_policy,
    load_request,
    show_and_confirm,
)
from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.authorities.waiving import Waiving, waive
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.question import Question

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_request(parser)
    parser.add_argument("--rule", required=True, metavar="RULE", help="what is waived, such as GATE-TESTS")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for all who read the log")
    parser.add_argument("--hours", type=int, metavar="N", help="how long it counts; by default as long as the request")
    add_policy_and_operators(parser)
    add_token(parser)
    add_label(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="the waiver, such as eve.waiver.dsse.json")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out, request = Path(arguments.out), load_request(arguments)
    require_new(out)

    def confirm(question: Question) -> None:
        edges.person.notify(f"you waive {arguments.rule} for this request: {arguments.reason}")
        show_and_confirm(question, edges)

    waiving = Waiving(
        arguments.operator,
        arguments.rule,
        arguments.reason,
        arguments.hours,
        edges.open_token(arguments.token),
        label_of(arguments),
        edges.person.ask_secret,
        confirm,
    )
    now = edges.clock.now().replace(microsecond=0)
    envelope = waive(request, load_policy(arguments), load_operators(arguments), waiving, now)
    write_new(out, envelope)
    data = {"rule": waiving.rule, "request": request.digest, "operator": waiving.operator, "envelope": sha256(envelope)}
    told = f"{waiving.operator} waives {waiving.rule} for {request.index.request_id}, written to {out}"
    return Outcome(data, [told, "it counts with as many others as the policy says: give each with --approval"])


COMMAND: "Command[Edges]" = Command(
    name="waive",
    summary="Waive one rule for one request, as a policy-approver, after you have typed the words of its digest.",
    examples=(
        "enigm-sign waive release.enigmreq --rule GATE-TESTS --reason 'lab flooded, tested by hand, see OPS-77' "
        "--hours 24 --policy release.policy.toml --operators release.operators.json --operator eve "
        "--token piv:serial=12345678 --label 9a --out eve.waiver.dsse.json"
    ),
    configure=configure,
    run=run,
    details="Only rules that the policy lists in [waiver], and only of SOURCE, GATE, TIME, RATE and CEREMONY. The rule "
    "still says no: log, response and report show it as waived, by whom, and why.",
)
