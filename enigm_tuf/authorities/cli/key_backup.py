"""enigm-sign key backup: a payload key, wrapped for a spare token, with a statement that it signs itself."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.backup.copying import KeyToCopy, back_up
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.backup import write_backup

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    add_token(parser)
    add_label(parser)
    parser.add_argument("--wrapping", metavar="LABEL", help="the wrapping key, if several wrap on this token")
    parser.add_argument("--out", required=True, metavar="FILE", help="the backup, such as payload-a.backup.json")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out = Path(arguments.out)
    require_new(out)
    token, ask = edges.open_backup_token(arguments.token), edges.person.ask_secret
    wanted = KeyToCopy(token, label_of(arguments), arguments.wrapping, ask)
    backup = back_up(open_home(Path(arguments.home)), wanted, edges.clock)
    write_new(out, write_backup(backup))
    statement = backup.statement
    lines = [
        f"key {statement.key} of {statement.custodian}, wrapped under {statement.wrapping_key}, written to {out}",
        "prove that it comes back: enigm-sign key restore-test",
    ]
    facts = {name: getattr(statement, name) for name in ("key", "wrapping_key", "mechanism", "blob_sha256")}
    return Outcome(facts, lines)


COMMAND: "Command[Edges]" = Command(
    name="key backup",
    summary="Wrap a payload key of the class wrapped-backup for its spare token; logged, and signed by the key itself.",
    details="The file opens on the spare token alone. Keep it apart from that token: together they are the key.",
    examples=(
        "enigm-sign key backup --home release --token 'pkcs11:token=pay-a;object=payload?module-path=/usr/lib/softhsm/"
        "libsofthsm2.so' --out payload-a.backup.json"
    ),
    configure=configure,
    run=run,
)
