"""enigm-repo verify: the whole published tree against what was signed, like fsck."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.durable import read_input
from enigm_tuf.errors import RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.cli.looking import Looking
from enigm_tuf_repository.cli.options import add_repository_option, workspace_of
from enigm_tuf_repository.integrity.damage import Findings
from enigm_tuf_repository.integrity.workspace import check_workspace
from enigm_tuf_repository.rules import RepositoryRule

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges

SHOWN = 100  # lines of damage for people; --json has all of them


def configure(parser: argparse.ArgumentParser) -> None:
    add_repository_option(parser)
    meaning = "the first root, as devices are shipped with it (default: as its record has it)"
    parser.add_argument("--root", metavar="FILE", help=meaning)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges  # nothing here depends on the time
    workspace = workspace_of(arguments)
    first = sha256(read_input(Path(arguments.root), LIMITS.root_bytes)) if arguments.root else None
    with Looking() as looking:
        place, found = check_workspace(workspace, first, looking)
    data = {"tree": place, "counts": found.counts, "damage": [asdict(item) for item in found.damage]}
    return Outcome(data, _lines(place, found), _refusal(place, found))


def _lines(place: str, found: Findings) -> list[str]:
    lines = table(("LOOKED AT", "NUMBER"), [(what, f"{number:,}") for what, number in sorted(found.counts.items())])
    if not found.damage:
        return [*lines, "", f"{place}: no damage"]
    rows = [(item.kind, item.path, item.what) for item in found.damage[:SHOWN]]
    more = len(found.damage) - len(rows)
    tail = [f"and {more:,} more: --json has all of them"] if more else []
    return [*lines, "", *table(("DAMAGE", "FILE", "WHAT"), rows), *tail]


def _refusal(place: str, found: Findings) -> RefusedError | None:
    if not found.damage:
        return None
    return RefusedError(
        RepositoryRule.TREE_INTACT,
        place,
        expected="every file as it was signed, and no other",
        got=f"{len(found.damage):,} damaged",
        hint="do not repair by hand: bring the files back from a mirror or a backup, and run it again",
    )


COMMAND: "Command[Edges]" = Command(
    name="verify",
    summary="Check the whole published tree, like fsck: each root, role, target, chunk file and record; nothing extra.",
    details="Reads every byte once and writes nothing. With a store it looks at the store itself. Exit status 3 if\n"
    "there is damage. Expired metadata is none: `status --monitor` tells what is due.",
    examples="enigm-repo verify\nenigm-repo verify --root 1.root.json --json\nenigm-repo verify --store s3://updates/phones",
    configure=configure,
    run=run,
)
