"""enigm-repo import take: target files of a foreign repository as the payloads of a release."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf_repository.cli.import_options import add_source, foreign_of
from enigm_tuf_repository.cli.options import add_directory_option, workspace_of
from enigm_tuf_repository.importing.taking import DESCRIPTION, Wish, require_keys_apart, take_targets
from enigm_tuf_repository.settings import settings_in

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("target", metavar="TARGET", nargs="+", help="a path that its metadata lists")
    parser.add_argument("--product", metavar="PRODUCT", required=True, help="our product")
    parser.add_argument("--channel", metavar="CHANNEL", required=True, help="our channel of it")
    parser.add_argument("--version", metavar="VERSION", required=True, help="the version that they become")
    parser.add_argument("--into", metavar="DIR", required=True, help="the folder to be made")
    add_directory_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    workspace, folder = workspace_of(arguments), Path(arguments.into)
    workspace.configuration()
    wish = Wish(arguments.product, arguments.channel, arguments.version)
    wish.require(arguments.target)
    tree = foreign_of(arguments, edges)
    require_keys_apart(tree, settings_in(workspace))
    taken = take_targets(tree, arguments.target, wish, folder)
    rows = [(item.name, f"{item.digests.length:,}", item.role, item.path) for item in taken]
    data = {
        "folder": str(folder),
        "files": [{"file": item.name, "target": item.path, "role": item.role} for item in taken],
    }
    next_step = f"next: fill in {folder / DESCRIPTION}, then enigm-repo release prepare --config {folder / DESCRIPTION}"
    return Outcome(data, [*table(("FILE", "BYTES", "LISTED BY", "AS"), rows), next_step])


COMMAND: "Command[Edges]" = Command(
    name="import take",
    summary="Copy targets of a foreign repository, verified, into a folder that release prepare can go on from.",
    details="By the length and hashes that its own roles list. No key and no signature of it comes along; a key of\n"
    "ours that signs there too refuses.",
    examples="enigm-repo import take https://old.example.com phones/1.0/ota.zip --root old-root.json \\\n"
    "    --product phone --channel stable --version 1.0 --into phone-1.0",
    configure=configure,
    run=run,
)
