"""enigm-sign audit verify: check an authority's audit log from its first entry to its last."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import read_log, verify
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.request import AuditHead

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument(
        "--expect", metavar="ENTRIES:SHA256", help="a head that was noted earlier, outside this machine"
    )


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges
    home = open_home(Path(arguments.home))
    head = verify(home.log, None if arguments.expect is None else _head(arguments.expect))
    doubt = history_of(read_log(home.log)).open_intent
    lines = [f"{head.entries} entries under one signed root", f"head {head.entries}:{head.sha256}"]
    if doubt:
        lines.append(f"IN DOUBT: {doubt['role']} version {doubt['version']} was about to be signed, no result is known")
    return Outcome({"entries": head.entries, "sha256": head.sha256, "in_doubt": doubt is not None}, lines)


def _head(text: str) -> AuditHead:
    if not re.fullmatch(r"[1-9][0-9]{0,8}:[0-9a-f]{64}", text):
        raise MisuseError(f"--expect {text[:80]}: must be ENTRIES:SHA256, as this command prints it")
    entries, _, digest = text.partition(":")
    return AuditHead(int(entries), digest)


COMMAND: "Command[Edges]" = Command(
    name="audit verify",
    summary="Check that no entry of the audit log was changed, moved, put in or cut off.",
    examples=(
        "enigm-sign audit verify --home release\n"
        "enigm-sign audit verify --home release --expect 42:5f0c...e1  (finds a log that was cut or written anew)"
    ),
    configure=configure,
    run=run,
    details="Without --expect, entries cut off at the end cannot be noticed: note the head after every session.",
)
