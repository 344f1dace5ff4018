"""enigm-sign audit verify: check an authority's audit log from its first entry to its last."""

import argparse
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.checkpoints import Checkpoint, verified_checkpoint
from enigm_tuf.audit.merkle import log_signer, read_whole, require_begins_with
from enigm_tuf.audit.notes import NOTE_BYTES
from enigm_tuf.authorities.cli.looking import looking
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.log_facts import UNASKED, facts_of
from enigm_tuf.authorities.published_signatures import require_all_logged
from enigm_tuf.authorities.recovering import require_recoveries
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument(
        "--expect", metavar="ENTRIES:SHA256", help="a head that was noted earlier, outside this machine"
    )
    parser.add_argument("--since", metavar="FILE", help="a checkpoint of this log that was kept elsewhere")
    parser.add_argument("--repository", metavar="DIR", help="published metadata: every signature in it must be logged")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges
    home = open_home(Path(arguments.home))
    noted = None if arguments.expect is None else _noted(arguments.expect)
    with looking(sys.stderr) as progress:
        head, facts = read_whole(home.log, facts_of, UNASKED, progress)
    if noted is not None:
        old = Checkpoint(head.origin, *noted)
        require_begins_with(home.log, old, f"{home.log}, its first {old.size} entries")
    if arguments.since:
        note = read_input(Path(arguments.since), NOTE_BYTES)
        kept = verified_checkpoint(note, log_signer(home.log).log, arguments.since)
        require_begins_with(home.log, kept.checkpoint, arguments.since)
    digest = head.root.hex()
    lines = [f"{head.size} entries under one signed root", f"head {head.size}:{digest}"]
    data: dict[str, object] = {"entries": head.size, "sha256": digest, "in_doubt": False}
    if arguments.repository:
        data["signatures"] = require_all_logged(home, facts.signatures, Path(arguments.repository))
        lines.append(f"{data['signatures']} signatures of this authority in {arguments.repository}, all of them logged")
    require_recoveries(home, facts.recoveries, partial(require_begins_with, home.log))
    data["findings"] = len(facts.recoveries)
    if facts.recoveries:
        lines.append(f"{len(facts.recoveries)} findings, each with the votes that it needed")
    if facts.memory.state.intent:
        doubt, data["in_doubt"] = facts.memory.state.intent.body, True
        lines.append(f"IN DOUBT: {doubt['role']} version {doubt['version']} was about to be signed, no result is known")
    return Outcome(data, lines)


def _noted(text: str) -> tuple[int, bytes]:
    """A head, as entries and root hash."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}:[0-9a-f]{64}", text):
        raise MisuseError(f"--expect {text[:80]}: must be ENTRIES:SHA256, as this command prints it")
    entries, _, digest = text.partition(":")
    return int(entries), bytes.fromhex(digest)


COMMAND: "Command[Edges]" = Command(
    name="audit verify",
    summary="Check that no entry of the audit log was changed, moved, put in or cut off.",
    examples=(
        "enigm-sign audit verify --home release\n"
        "enigm-sign audit verify --home release --since 2026-11-26.checkpoint --repository repository/published\n"
        "enigm-sign audit verify --home release --expect 42:5f0c...e1  (finds a log that was cut or written anew)"
    ),
    configure=configure,
    run=run,
    details="Without --since or --expect, entries cut off at the end cannot be noticed: keep a checkpoint elsewhere.",
)
