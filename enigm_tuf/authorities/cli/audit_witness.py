"""enigm-sign audit witness: cosign the other authority's checkpoint, if its log has only grown."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.checkpoints import require_consistent, verified_checkpoint
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log
from enigm_tuf.audit.notes import NOTE_BYTES, Note
from enigm_tuf.audit.pins import pinned_log
from enigm_tuf.audit.witnessing import last_witnessed, read_add_checkpoint, witnessed_body
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.home import Home, open_home
from enigm_tuf.authorities.trust_root import trusted
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input, require_new, write_new
from enigm_tuf.errors import MisuseError
from enigm_tuf.trust.root_rules import view_root

if TYPE_CHECKING:
    from enigm_tuf.audit.notes import NoteKey
    from enigm_tuf.authorities.cli.edges import Edges
    from enigm_tuf.ports import Clock


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("request", metavar="REQUEST", help="what the other's `audit checkpoint` wrote")
    add_home(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="the cosigned checkpoint, to be given back")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out, source, home = Path(arguments.out), arguments.request, open_home(Path(arguments.home))
    require_new(out)
    request = read_add_checkpoint(read_input(Path(source), 2 * NOTE_BYTES), source)
    signed = verified_checkpoint(request.checkpoint, _other_log(home, edges.clock), source)
    head = signed.checkpoint
    with open_log(home.log, edges.clock) as log:
        seen = last_witnessed(log.entries_after(0), head.origin)
        if head.size > seen.size and request.old != seen.size:
            raise MisuseError(
                f"{source} begins at {request.old} entries, and this authority has witnessed {seen.size}",
                hint=f"`audit checkpoint --since-size {seen.size}` at the other authority",
            )
        require_consistent(seen, head, request.proof if head.size > seen.size else (), source)
        log.append(EntryType.CHECKPOINT_WITNESSED, witnessed_body(head))
        cosignature = log.signer.cosign(head.text, edges.clock.now())
    write_new(out, Note(head.text, (*signed.note.signatures, cosignature)).data)
    data = {"origin": head.origin, "entries": head.size, "root": head.root.hex(), "witness": log.signer.witness.text}
    return Outcome(data, [f"witnessed {head.origin}: {head}", f"as {log.signer.witness.text}", f"written to {out}"])


def _other_log(home: Home, clock: "Clock") -> "NoteKey":
    """The key of the other authority's log, as the trusted root pins it."""
    state = trusted(home, clock.now())
    if state is None:
        raise MisuseError(f"{home.path} trusts no root yet", hint="a root says which log is the other authority's")
    root = state.root.value
    pin = pinned_log(view_root(root).extension, "release" if home.authority == "manifest" else "manifest", "root")
    if pin is None:
        raise MisuseError(f"root version {root.version} pins no log of the other authority")
    return pin.key


COMMAND: "Command[Edges]" = Command(
    name="audit witness",
    summary="Cosign the other authority's checkpoint, if its log begins with all that was witnessed before.",
    examples=(
        "enigm-sign audit checkpoint --home release --out release.add-checkpoint\n"
        "enigm-sign audit witness release.add-checkpoint --home manifest --out release.cosigned\n"
        "enigm-sign audit checkpoint --home release --cosigned release.cosigned"
    ),
    configure=configure,
    run=run,
    details="Needs no token. A log that was cut, changed or forked since is refused, and both files are the evidence.",
)
