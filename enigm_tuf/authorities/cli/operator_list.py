"""enigm-sign operator list: who there is, what they may do, with which keys, until when."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import read_whole
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.kept_documents import OPERATORS
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.model.operators import OPERATORS as SHAPE
from enigm_tuf.model.operators import OperatorRegistry, read_operators
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:  # noqa: ARG001 - the shape of every command
    home = open_home(Path(arguments.home))
    data = OPERATORS.in_force(home, read_whole(home.log, history_of)[1].operators)
    registry = read_operators(data, str(home.path / "operators"))
    return Outcome(SHAPE.write(registry) | {"sha256": sha256(data)}, registry_lines(registry))


def registry_lines(registry: OperatorRegistry) -> list[str]:
    """A line for each key, and for each person who has none."""
    rows: list[tuple[str, ...]] = []
    for person in registry.operators:
        who = (person.id, person.name, person.partition, " ".join(person.roles), person.status)
        keys = [(item.device, f"{item.valid_until:%Y-%m-%d}", item.record.spki_sha256) for item in person.approval_keys]
        rows += [(*who, *key) for key in keys or [("none", "", "")]]
    title = f"operators version {registry.version} of the {registry.authority} authority, {registry.environment}"
    return [title, "", *table(("id", "name", "partition", "roles", "status", "device", "until", "key"), rows)]


COMMAND: "Command[Edges]" = Command(
    name="operator list",
    summary="Show the registry of operators in force.",
    examples="enigm-sign operator list --home release",
    configure=configure,
    run=run,
)
