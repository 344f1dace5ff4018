"""enigm-sign policy explain: which rules there are, with which numbers, and what they mean for a request."""

import argparse
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import read_whole
from enigm_tuf.authorities.approving import looked_at
from enigm_tuf.authorities.cli.request_options import (
    add_approvals,
    add_consents,
    load_brought,
    load_operators,
    load_policy,
    load_request,
)
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.judging import open_case
from enigm_tuf.authorities.vouching import InputFile, Papers
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.policy.catalogue import numbers_of, pages
from enigm_tuf.policy.question import Question

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("policy", metavar="FILE", help="a policy file")
    parser.add_argument("--request", metavar="REQUEST", help="an .enigmreq file: only what concerns it is shown")
    parser.add_argument("--home", metavar="DIR", help="the authority's folder: what each rule says of the request")
    parser.add_argument("--operators", metavar="FILE", help="the registry of operators, where there is no --home")
    add_approvals(parser)
    add_consents(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    file = load_policy(arguments)
    policy = read_policy(file.data, file.source)
    question, said = _asked(arguments, file, edges.clock.now())
    rows = []
    for page in pages():
        numbers = numbers_of(page.rule, policy, question)
        rows.append(
            {
                "rule": str(page.rule),
                "family": page.family,
                "demands": page.rule.demand,
                "numbers": list(numbers),
                **_said(said.get(page.rule)),
            }
        )
    about = f"policy version {policy.version} of the {policy.authority} authority, {policy.environment}"
    about += f", for action {question.request.index.action}" if question else ""
    return Outcome({"version": policy.version, "rules": rows}, [about, "", *_lines(rows)])


def _said(outcome: RuleOutcome | None) -> dict[str, object]:
    if outcome is None:
        return {}
    return {"passed": outcome.passed, "result": outcome.verdict, "evidence": outcome.evidence}


def _asked(
    arguments: argparse.Namespace, file: InputFile, now: datetime
) -> tuple[Question | None, dict[str, RuleOutcome]]:
    """The question, if there is a request; what each rule says of it, if there is also an authority that remembers."""
    if arguments.request is None:
        if arguments.home:
            raise MisuseError("--home is for a request", hint="name the request with --request")
        return None, {}
    request = load_request(arguments)
    if arguments.home is None:
        if arguments.operators is None:
            raise MisuseError("--request needs to know the operators", hint="give --operators FILE, or --home DIR")
        return looked_at(request, Papers(file, load_operators(arguments)), now), {}
    home = replace(open_home(Path(arguments.home)), policy_data=file.data)
    case = open_case(home, request, load_brought(arguments), read_whole(home.log, history_of)[1], now)
    question, decision = case.judge(now)
    return question, {outcome.rule: outcome for outcome in decision.outcomes}


def _lines(rows: list[dict[str, object]]) -> list[str]:
    lines: list[tuple[str, ...]] = []
    for row in rows:
        numbers = row["numbers"] if isinstance(row["numbers"], list) else []
        verdict = str(row.get("result", ""))
        lines.append((str(row["rule"]), str(row["family"]), verdict, str(row["demands"])))
        lines += [("", "", "", f"  {number}") for number in numbers]
        lines += [("", "", "", f"  -> {row['evidence']}")] if "evidence" in row else []
    return table(("RULE", "FAMILY", "RESULT", "DEMANDS"), lines)


COMMAND: "Command[Edges]" = Command(
    name="policy explain",
    summary="Every rule of the catalogue, the numbers that this policy gives it, and what they mean for a request.",
    details="With --home, also what each rule says of the request, judged by this file instead of the policy in force. "
    "Signs nothing, logs nothing.",
    examples=(
        "enigm-sign policy explain release.policy.toml\n"
        "enigm-sign policy explain release.policy.toml --request release.enigmreq --home release --json"
    ),
    configure=configure,
    run=run,
)
