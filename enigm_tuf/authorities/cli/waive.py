"""enigm-sign waive: a policy-approver lets one request pass one rule."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.request_options import add_request, add_signatory, show_and_confirm
from enigm_tuf.authorities.cli.voting import vouched
from enigm_tuf.authorities.waiving import Waiving, waive
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.policy.question import Question

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_request(parser)
    parser.add_argument("--rule", required=True, metavar="RULE", help="what is waived, such as GATE-TESTS")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for all who read the log")
    parser.add_argument("--hours", type=int, metavar="N", help="how long it counts; by default as long as the request")
    add_signatory(parser, "the waiver, such as eve.waiver.dsse.json")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    waiving = Waiving(arguments.rule, arguments.reason, arguments.hours)

    def confirm(question: Question) -> None:
        edges.person.notify(f"you waive {waiving.rule} for this request: {waiving.reason}")
        show_and_confirm(question, edges)

    request, facts = vouched(
        arguments,
        edges,
        confirm,
        lambda request, papers, signatory, now: waive(request, papers, signatory, waiving, now),
    )
    told = f"{arguments.operator} waives {waiving.rule} for {request.index.request_id}, written to {arguments.out}"
    counts = "it counts with as many others as the policy says: give each with --approval"
    return Outcome({"rule": waiving.rule} | facts, [told, counts])


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
