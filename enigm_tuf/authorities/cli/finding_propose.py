"""enigm-sign finding propose: write down what was found out about an intent without a result."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.confirming import digest_lines
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.recovering import propose
from enigm_tuf.authorities.signing_log import one_line
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.finding import OUTCOMES, REASON_CHARACTERS, Finding, read_finding
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("--outcome", required=True, choices=OUTCOMES, help="was the signature made?")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="how you know, or why nobody can")
    parser.add_argument("--out", required=True, metavar="FILE", help="the finding, to be signed")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out, reason = Path(arguments.out), one_line(arguments.reason, REASON_CHARACTERS).strip()
    if not reason:
        raise MisuseError("--reason: say how you know, or why nobody can")
    require_new(out)
    home = open_home(Path(arguments.home))
    with open_log(home.log, edges.clock) as log:
        data = propose(home, log, arguments.outcome, reason)
    write_new(out, data)
    finding = read_finding(data, str(out))
    lines = [*finding_lines(finding), "", *digest_lines(sha256(data)), f"written to {out}"]
    facts = {"finding": sha256(data), "intent": finding.intent["entry"], "outcome": finding.outcome}
    return Outcome(facts, [*lines, "next: enigm-sign finding sign"])


def finding_lines(finding: Finding) -> list[str]:
    """All that a finding says."""
    intent, log = finding.intent, finding.log
    return [
        f"{finding.authority} authority, {finding.environment}, log {log.origin}",
        f"entry {intent['entry']}: {intent['role']} version {intent['version']} of request {intent['request_id']}",
        f"was about to be signed by {intent['custodian']} with key {intent['key']} on {intent['serial']}",
        f"the log had {log.entries} entries under {log.root}",
        f"was the signature made?  {finding.outcome}",
        f"how it is known: {finding.reason}",
    ]


COMMAND: "Command[Edges]" = Command(
    name="finding propose",
    summary="Write down what was found out about an intent without a result, after a crash.",
    examples=(
        "enigm-sign finding propose --home release --outcome not-made "
        "--reason 'the token was pulled: its own counter stands where it stood' --out finding.json"
    ),
    configure=configure,
    run=run,
    details=(
        "made: a signature left the token; not-made: none did; unknown: nobody can tell. Signing goes on after any of "
        "the three, once enough people have signed the finding: what may have left the token is over approved bytes, "
        "and the repository takes no signature without an entry of its own."
    ),
)
