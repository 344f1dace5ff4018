"""The options of the two commands that open a backup."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.backup.restoring import Spare
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.cli.token_options import add_token
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.backup import Backup, read_backup
from enigm_tuf.model.shapes import NAME

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def add_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backup", metavar="BACKUP", help="a .backup.json file")
    add_home(parser)
    add_token(parser)
    parser.add_argument("--witness", required=True, metavar="NAME", help="who is at the spare token and saw it")


def load_backup(arguments: argparse.Namespace) -> Backup:
    """MalformedError."""
    return read_backup(read_input(Path(arguments.backup), LIMITS.document_bytes), arguments.backup)


def spare_of(arguments: argparse.Namespace, edges: "Edges") -> Spare:
    """The spare token, its PIN, and who is there."""
    witness = NAME.read(arguments.witness, "--witness", "")
    return Spare(edges.open_backup_token(arguments.token), edges.person.ask_secret, witness)
