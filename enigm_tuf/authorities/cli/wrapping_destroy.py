"""enigm-sign wrapping destroy: take a wrapping key back that the inventory gives up; a recorded act."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.backup.wrapping import destroy_wrapping_key
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.cli.token_options import add_token
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.model.keys import HEX

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    add_token(parser)
    parser.add_argument("--id", required=True, metavar="HEX", help="the wrapping key, as its record and key audit say")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    number = HEX.read(arguments.id, "--id", "")
    home, token = open_home(Path(arguments.home)), edges.open_backup_token(arguments.token)
    serial = destroy_wrapping_key(home, token, edges.person.ask_secret, number, edges.clock)
    lines = [f"wrapping key {number} is no more on token {serial}: no backup under it comes out there again"]
    return Outcome({"id": number, "serial": serial}, lines)


COMMAND: "Command[Edges]" = Command(
    name="wrapping destroy",
    summary="Destroy a wrapping key on one token, once the inventory in force lists it no more.",
    details="Written to the audit log. On the spare this makes every backup under it worthless: so a key is destroyed "
    "with its copies.",
    examples=(
        "enigm-sign wrapping destroy --home release "
        "--token 'pkcs11:token=spare?module-path=/usr/lib/softhsm/libsofthsm2.so' --id 5f0c"
    ),
    configure=configure,
    run=run,
)
