"""enigm-sign ceremony check: prove of a script what can be proved before anybody is in the room."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.ceremony.checking import Finding, check
from enigm_tuf.authorities.cli.ceremony_options import CONFIGURES, add_script, load_script
from enigm_tuf.authorities.confirming import digest_lines
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges
    script, data = load_script(arguments)
    findings = check(script, CONFIGURES)
    rows = [(finding.rule, finding.subject, finding.why) for finding in findings]
    lines = [f"{script.title}: {script.type}, {len(script.steps)} steps", *digest_lines(sha256(data))]
    lines += ["", *table(("rule", "where", "why"), rows)] if findings else ["no rule is broken"]
    facts = {
        "script": sha256(data),
        "type": script.type,
        "findings": [{"rule": rule, "subject": subject, "why": why} for rule, subject, why in rows],
    }
    return Outcome(facts, lines, _refusal(findings))


def _refusal(findings: tuple[Finding, ...]) -> RefusedError | None:
    if not findings:
        return None
    first = findings[0]
    return RefusedError(first.rule, first.subject, expected=first.rule.demand, got=first.why)


COMMAND: "Command[Edges]" = Command(
    name="ceremony check",
    summary="Check a ceremony script: roles, witnesses, tokens, arguments, inventory before a signature, log after it.",
    examples="enigm-sign ceremony check root-keygen.toml",
    configure=add_script,
    run=run,
)
