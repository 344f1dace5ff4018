"""enigm-sign inventory propose: write the next version of the key inventory, for operators to sign."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.confirming import digest_lines
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.inventory.keeping import has_inventory, in_force
from enigm_tuf.authorities.inventory.proposing import Changes, propose
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input, require_new, write_new
from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.inventory import AllowedObject, read_inventory, write_inventory
from enigm_tuf.model.keys import HEX, KeyRecord, read_key_record
from enigm_tuf.model.shapes import SHA256
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.wrapping import read_wrapping_key

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("--record", metavar="FILE", action="append", default=[], help="a key record to add")
    parser.add_argument("--retire", metavar="SPKI", action="append", default=[], help="a key that signs no more")
    parser.add_argument("--destroyed", metavar="SPKI", action="append", default=[], help="a key to be destroyed")
    parser.add_argument(
        "--allow",
        metavar="SERIAL:KIND:LABEL",
        action="append",
        default=[],
        help="something else that may lie on a token, as key audit shows it",
    )
    parser.add_argument("--wrapping", metavar="FILE", action="append", default=[], help="a wrapping key to add")
    parser.add_argument("--no-wrapping", metavar="ID", action="append", default=[], help="a wrapping key to give up")
    parser.add_argument("--out", required=True, metavar="FILE", help="the proposal, such as inventory.json")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out, home = Path(arguments.out), open_home(Path(arguments.home))
    require_new(out)
    changes = Changes(
        tuple(_record(file) for file in arguments.record),
        tuple(SHA256.read(digest, "--retire", "") for digest in arguments.retire),
        tuple(SHA256.read(digest, "--destroyed", "") for digest in arguments.destroyed),
        tuple(_allowed(text) for text in arguments.allow),
        tuple(read_wrapping_key(read_input(Path(file), LIMITS.document_bytes), file) for file in arguments.wrapping),
        tuple(HEX.read(number, "--no-wrapping", "") for number in arguments.no_wrapping),
    )
    with open_log(home.log, edges.clock) as log:
        current = in_force(home, log) if has_inventory(log) else None
    inventory = propose(home, current, changes)
    data = write_inventory(inventory)
    read_inventory(data, str(out))
    write_new(out, data)
    digest = sha256(data)
    facts = {"version": inventory.version, "keys": len(inventory.keys), "sha256": digest}
    return Outcome(facts, [f"inventory version {inventory.version}, written to {out}", *digest_lines(digest)])


def _record(file: str) -> KeyRecord:
    return read_key_record(read_input(Path(file), LIMITS.document_bytes), file)


def _allowed(text: str) -> AllowedObject:
    serial, _, rest = text.partition(":")
    kind, colon, label = rest.partition(":")
    if not (serial and kind and colon):
        raise MalformedError("--allow", text[:80], "must be SERIAL:KIND:LABEL, as key audit shows them")
    return AllowedObject(serial, kind, label)


COMMAND: "Command[Edges]" = Command(
    name="inventory propose",
    summary="Write the next version of the key inventory: keys added, retired, destroyed. Operators sign it.",
    examples=(
        "enigm-sign inventory propose --home release --record root-a.key.json --record root-b.key.json "
        "--out release.inventory.json"
    ),
    configure=configure,
    run=run,
)
