"""enigm-repo init: a new repository, and the request for its first root."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import EnigmTufError
from enigm_tuf_repository.bootstrapping import initialise
from enigm_tuf_repository.cli.options import add_directory_option, record_data, request_lines, workspace_of
from enigm_tuf_repository.locking import exclusive

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="repository.toml; key files stand beside it")
    add_directory_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    workspace = workspace_of(arguments)
    with _folder(workspace.path), exclusive(workspace.path, "enigm-repo"):
        record = initialise(workspace, Path(arguments.config), edges.now())
    return Outcome(record_data(workspace, record), request_lines(workspace, record))


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Make it; after an error it is gone again if nothing was put into it."""
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except EnigmTufError:
        with suppress(OSError):  # not empty: it was there before
            path.rmdir()
        raise


COMMAND: "Command[Edges]" = Command(
    name="init",
    summary="Set up a repository from its configuration, and write the signing request for root version 1.",
    details="Key records and policies are copied. Run again with a better configuration until an authority has signed.",
    examples="enigm-repo init --config repository.toml\nenigm-repo init --config staging.toml --repository /srv/tuf",
    configure=configure,
    run=run,
)
