"""enigm-repo root rotate-out: a key leaves, a spare comes, and nothing else changes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, changing
from enigm_tuf_repository.cli.root_options import root_outcome
from enigm_tuf_repository.root_preparing import prepare_root
from enigm_tuf_repository.rotating_out import with_spare
from enigm_tuf_repository.settings import settings_in
from enigm_tuf_repository.stores.opening import remote_of

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lost", metavar="LOST", help="the record of the key that leaves, by its file name in keys/")
    parser.add_argument("--spare", required=True, metavar="FILE", help="the record of the key that comes for it")
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        settings = with_spare(settings_in(workspace), Path(arguments.lost).name, Path(arguments.spare))
        return root_outcome(workspace, prepare_root(workspace, settings, edges.now(), remote_of(workspace)))


COMMAND: "Command[Edges]" = Command(
    name="root rotate-out",
    summary="Make the next root with a spare key in the place of one that is lost, worn or handed back.",
    details="The same as root prepare with a configuration in which one name is exchanged.",
    examples="enigm-repo root rotate-out root-e.key.json --spare root-f.key.json",
    configure=configure,
    run=run,
)
