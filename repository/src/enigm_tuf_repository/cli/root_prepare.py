"""enigm-repo root prepare: the next root, from a changed configuration."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, changing
from enigm_tuf_repository.cli.root_options import root_outcome
from enigm_tuf_repository.root_preparing import prepare_root
from enigm_tuf_repository.settings import read_settings
from enigm_tuf_repository.stores.opening import remote_of

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the changed repository.toml; keys beside it")
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        prepared = prepare_root(workspace, read_settings(Path(arguments.config)), edges.now(), remote_of(workspace))
        return root_outcome(workspace, prepared)


COMMAND: "Command[Edges]" = Command(
    name="root prepare",
    summary="Make the next root from a changed configuration, say what it changes, and write the requests for it.",
    details="The configuration comes into force when the root is published. Run again until an authority has signed.",
    examples="enigm-repo root prepare --config next.toml",
    configure=configure,
    run=run,
)
