"""enigm-sign audit checkpoint: the log's newest checkpoint, for a witness or to be kept; and back with cosignatures."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.checkpoints import verified_checkpoint
from enigm_tuf.audit.merkle import open_log
from enigm_tuf.audit.notes import NOTE_BYTES
from enigm_tuf.audit.witnessing import AddCheckpoint
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input, require_new, write_new
from enigm_tuf.errors import MisuseError

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("--since-size", metavar="N", type=int, help="how many entries the witness has seen")
    parser.add_argument("--out", metavar="FILE", help="write what a witness asks for")
    parser.add_argument("--note", metavar="FILE", help="write the checkpoint alone, to be kept elsewhere")
    parser.add_argument("--cosigned", metavar="FILE", help="keep what a witness has given back")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    home = open_home(Path(arguments.home))
    for name in (arguments.out, arguments.note):
        if name:
            require_new(Path(name))
    with open_log(home.log, edges.clock) as log:
        if arguments.cosigned:
            data = read_input(Path(arguments.cosigned), NOTE_BYTES)
            log.keep_cosigned(verified_checkpoint(data, log.signer.log, arguments.cosigned))
        cosigned = log.cosigned
        since = arguments.since_size
        if since is None:
            since = cosigned.checkpoint.size if cosigned else 0
        head = log.signed.checkpoint
        if not 0 <= since <= head.size:
            raise MisuseError(f"--since-size {since}: the log has {head.size} entries")
        request = AddCheckpoint(since, log.consistency(since), log.signed.note.data)
        key = log.signer.log
    for name, content in ((arguments.out, request.data), (arguments.note, request.checkpoint)):
        if name:
            write_new(Path(name), content)
    facts = {"entries": head.size, "root": head.root.hex(), "public_key": key.text}
    facts["cosigned"] = cosigned.checkpoint.size if cosigned else 0
    lines = [f"{head}", f"log {key.text}"]
    if cosigned:
        lines.append(f"cosigned up to {cosigned.checkpoint.size} entries")
    return Outcome(facts, lines)


COMMAND: "Command[Edges]" = Command(
    name="audit checkpoint",
    summary="Show or write the log's checkpoint, or keep the one that a witness has cosigned.",
    examples=(
        "enigm-sign audit checkpoint --home release --note 2026-11-26.checkpoint\n"
        "enigm-sign audit checkpoint --home release --out release.add-checkpoint\n"
        "enigm-sign audit checkpoint --home release --cosigned release.cosigned"
    ),
    configure=configure,
    run=run,
    details="After --cosigned, `response again` gives proofs under the cosigned checkpoint.",
)
