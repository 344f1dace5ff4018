"""enigm-repo operators put: tell the repository who an authority's operators are."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, changing
from enigm_tuf_repository.operators import put_operators

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("registry", metavar="FILE", help="the registry of operators that the authority has in force")
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:  # noqa: ARG001 - the shape of every command
    with changing(arguments) as workspace:
        registry = put_operators(workspace, Path(arguments.registry))
    facts = {"authority": registry.authority, "version": registry.version}
    return Outcome(facts, [f"operators version {registry.version} of the {registry.authority} authority"])


COMMAND: "Command[Edges]" = Command(
    name="operators put",
    summary="Tell the repository who an authority's operators are, so that request lint counts approvals as it will.",
    details="An older version, or one that does not follow the one that is here, is refused. Nothing is decided by it.",
    examples="enigm-repo operators put release.operators.json",
    configure=configure,
    run=run,
)
