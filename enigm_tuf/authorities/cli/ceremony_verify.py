"""enigm-sign ceremony verify: check a transcript against its script, its people and the audit log."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.log import AuditEntry
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.ceremony.anchoring import deviations, outcome_of, reason_of, unclosed
from enigm_tuf.authorities.ceremony.checking import require_checked
from enigm_tuf.authorities.ceremony.rules import CeremonyRule
from enigm_tuf.authorities.ceremony.showing import printable
from enigm_tuf.authorities.ceremony.verifying import Expected, verify_transcript
from enigm_tuf.authorities.cli.ceremony_options import CONFIGURES, load_script
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.home import Home, open_home
from enigm_tuf.authorities.kept_documents import OPERATORS
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.errors import RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.ceremony import Script
from enigm_tuf.model.operators import Operator, read_operators
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.transcript import TranscriptEntry, TranscriptType

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("transcript", metavar="TRANSCRIPT", help="what ceremony run wrote")
    parser.add_argument("--script", required=True, metavar="SCRIPT", help="the script that was played")
    add_home(parser)
    parser.add_argument("--policy", metavar="FILE", help="the policy that the script names, unless it is in force")
    parser.add_argument(
        "--operators", metavar="FILE", help="the registry of then, as adopted here, if it is another now"
    )
    parser.add_argument("--rehearsal", action="store_true", help="take a rehearsal, and nothing else")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges
    script, data = load_script(arguments)
    require_checked(script, CONFIGURES)
    home = open_home(Path(arguments.home))
    _require_policy(script, Path(arguments.policy) if arguments.policy else home.policy_file)
    audit = tuple(read_log(home.log))
    expected = Expected(script, sha256(data), _operators(home, arguments.operators, audit), audit, arguments.rehearsal)
    entries = verify_transcript(Path(arguments.transcript), expected)
    outcome = outcome_of(entries)
    others = [entry.body["ceremony"] for entry in unclosed(audit)]
    facts = {
        "ceremony": entries[0].body["ceremony"],
        "outcome": outcome,
        "reason": reason_of(entries),
        "entries": len(entries),
        "deviations": [_told(entry) for entry in deviations(entries)],
        "unclosed": others,
    }
    lines = [
        f"{'rehearsal' if arguments.rehearsal else 'ceremony'} {facts['ceremony']}: {outcome}, {len(entries)} lines",
        *facts["deviations"],
        *(f"ceremony {other} was opened here, and never closed" for other in others),
    ]
    return Outcome(facts, lines)


def _operators(home: Home, file: str | None, audit: tuple[AuditEntry, ...]) -> dict[str, Operator]:
    """Of the registry in force, or an older one that the audit log names; RefusedError OPERATORS-HEAD."""
    adopted = [entry.body for entry in audit if entry.type == OPERATORS.entry]
    data = (
        read_input(Path(file), LIMITS.inventory_bytes)
        if file
        else OPERATORS.in_force(home, adopted[-1] if adopted else None)
    )
    if sha256(data) not in {body["sha256"] for body in adopted}:
        OPERATORS.refuse("a registry that was adopted here", sha256(data), "take one from operators/ in the home")
    return {operator.id: operator for operator in read_operators(data, file or "operators").operators}


def _require_policy(script: Script, path: Path) -> None:
    """RefusedError CEREMONY-POLICY for another than the script names."""
    data = read_input(path, LIMITS.document_bytes)
    if sha256(data) != script.policy.sha256:
        raise RefusedError(
            CeremonyRule.CEREMONY_POLICY, str(path), expected=f"policy {script.policy.sha256}", got=sha256(data)
        )


def _told(entry: TranscriptEntry) -> str:
    """One deviation in one line."""
    body = entry.body
    match entry.type:
        case TranscriptType.FAILED:
            text = f"step {body['step']} failed: {body['error']}; {body['next']}"
        case TranscriptType.ABORTED:
            doubt = ", which was begun: whether it happened was never found out" if body["in_doubt"] else ""
            text = f"aborted by its people at step {body['step']}{doubt}: {body['reason']}"
        case TranscriptType.DEVIATION:
            text = f"step {body['step']}, {body['person']}: {body['text']}"
        case _:
            text = f"went on after a stop, {body['torn_bytes']} torn bytes"
    return printable(f"{entry.time.isoformat()} {text}")


COMMAND: "Command[Edges]" = Command(
    name="ceremony verify",
    summary="Check a transcript: its chain, the script's steps in their order, every participant's signature, the log.",
    examples="enigm-sign ceremony verify root-keygen.transcript --script root-keygen.toml --home release",
    configure=configure,
    run=run,
)
