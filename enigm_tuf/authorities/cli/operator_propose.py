"""enigm-sign operator propose: from the file that people write to the next version of the registry."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.confirming import digest_lines
from enigm_tuf.authorities.operators.proposing import changes, propose
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input, require_new, write_new
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import KeyRecord, read_key_record
from enigm_tuf.model.operators import OperatorRegistry, read_operator_list, read_operators, write_operators
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("list", metavar="LIST", help="a TOML file: everybody, with the files of their key records")
    parser.add_argument("--after", metavar="FILE", help="the registry in force; without it, version 1 is made")
    parser.add_argument("--out", required=True, metavar="FILE", help="the proposal, such as operators.json")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:  # noqa: ARG001 - the shape of every command
    out, source = Path(arguments.out), Path(arguments.list)
    require_new(out)
    listed = read_operator_list(read_input(source, LIMITS.document_bytes), arguments.list)
    before = _before(arguments.after)

    def record(name: str) -> KeyRecord:
        path = source.parent / name
        return read_key_record(read_input(path, LIMITS.document_bytes), str(path))

    registry = propose(listed, before, record)
    data = write_operators(registry)
    read_operators(data, str(out))
    write_new(out, data)
    digest, told = sha256(data), list(changes(before[0] if before else None, registry))
    facts = {"version": registry.version, "sha256": digest, "changes": told}
    return Outcome(facts, [f"operators version {registry.version}, written to {out}", *told, *digest_lines(digest)])


def _before(file: str | None) -> tuple[OperatorRegistry, bytes] | None:
    if file is None:
        return None
    data = read_input(Path(file), LIMITS.inventory_bytes)
    return read_operators(data, file), data


COMMAND: "Command[Edges]" = Command(
    name="operator propose",
    summary="Write the next version of the registry of operators, for policy-approvers to sign.",
    details="Nobody is ever dropped: who goes has the status left. Each key record must be signed by its key.",
    examples=(
        "enigm-sign operator propose release.operators.toml --out release.operators.json\n"
        "enigm-sign operator propose release.operators.toml --after release.operators.json --out next.operators.json"
    ),
    configure=configure,
    run=run,
)
