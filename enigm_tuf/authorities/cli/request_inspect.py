"""enigm-sign request inspect: what would change, and what every rule says. Signs nothing, logs nothing."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import read_whole
from enigm_tuf.authorities.cli.request_options import (
    add_approvals,
    add_consents,
    add_home,
    add_request,
    load_brought,
    load_request,
    request_lines,
)
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.judging import open_case
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.model.request import RULE_OUTCOME
from enigm_tuf.model.words import words
from enigm_tuf.policy.difference import difference

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_request(parser)
    add_home(parser)
    add_approvals(parser)
    add_consents(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    request, home, now = load_request(arguments), open_home(Path(arguments.home)), edges.clock.now()
    case = open_case(home, request, load_brought(arguments), read_whole(home.log, history_of)[1], now)
    question, decision = case.judge(now)
    rules = [(item.rule, item.verdict, item.evidence) for item in decision.outcomes]
    data = {
        "request_id": request.index.request_id,
        "digest": request.digest,
        "words": " ".join(words(request.digest)),
        "difference": list(difference(question)),
        "passed": decision.passed,
        "rules": [RULE_OUTCOME.write(item) for item in decision.outcomes],
    }
    failing = sum(verdict == "FAILED" for _, verdict, _ in rules)
    waived = sum(item.waived for item in decision.outcomes)
    yes = f"every rule says yes, or is waived ({waived})" if waived else "every rule says yes"
    result = f"{failing} rules say no" if failing else yes
    return Outcome(data, [*request_lines(question), "", *table(("RULE", "RESULT", "EVIDENCE"), rules), "", result])


COMMAND: "Command[Edges]" = Command(
    name="request inspect",
    summary="Show what a request would change, every rule's outcome, and its digest in hex and words.",
    examples=(
        "enigm-sign request inspect release.enigmreq --home release\n"
        "enigm-sign request inspect release.enigmreq --home release --approval alice.dsse.json --json"
    ),
    configure=configure,
    run=run,
)
