"""enigm-sign key restore-test: prove on a spare token that a backup gives its key back; the key does not stay."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.backup.restoring import prove_restore
from enigm_tuf.authorities.cli.restore_options import add_restore, load_backup, spare_of
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.backup import write_restore_proof

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_restore(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="the proof, such as payload-a.restore.json")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out, backup = Path(arguments.out), load_backup(arguments)
    require_new(out)
    home, spare = open_home(Path(arguments.home)), spare_of(arguments, edges)
    proof = prove_restore(home, backup, spare, edges.clock)
    write_new(out, write_restore_proof(proof))
    statement = proof.statement
    lines = [
        f"key {statement.key} came back on token {statement.token.serial}, signed, and is gone there again",
        f"proof written to {out}, and in the audit log",
    ]
    return Outcome({"key": statement.key, "serial": statement.token.serial, "nonce": statement.nonce}, lines)


COMMAND: "Command[Edges]" = Command(
    name="key restore-test",
    summary="Unwrap a backup on its spare token, compare the key, sign a nonce, verify, destroy; logged either way.",
    details="A key of the class wrapped-backup signs only while the last proof is at most restore_proof_days of the "
    "policy's [backup] old.",
    examples=(
        "enigm-sign key restore-test payload-a.backup.json --home release "
        "--token 'pkcs11:token=spare?module-path=/usr/lib/softhsm/libsofthsm2.so' --witness grace "
        "--out payload-a.restore.json"
    ),
    configure=configure,
    run=run,
)
