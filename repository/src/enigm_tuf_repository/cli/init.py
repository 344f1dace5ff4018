"""enigm-repo init: a new repository, and the request for its first root."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.bootstrapping import initialise
from enigm_tuf_repository.cli.options import add_repository_option, record_data, request_lines, workspace_of
from enigm_tuf_repository.locking import exclusive

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="repository.toml; key files stand beside it")
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    workspace = workspace_of(arguments)
    workspace.path.mkdir(parents=True, exist_ok=True)
    with exclusive(workspace.path, "enigm-repo"):
        record = initialise(workspace, Path(arguments.config), edges.now())
    return Outcome(record_data(workspace, record), request_lines(workspace, record))


COMMAND: "Command[Edges]" = Command(
    name="init",
    summary="Set up a repository from its configuration, and write the signing request for root version 1.",
    details="Key records and policies are copied. Run again with a better configuration until an authority has signed.",
    examples="enigm-repo init --config repository.toml\nenigm-repo init --config staging.toml --repository /srv/tuf",
    configure=configure,
    run=run,
)
