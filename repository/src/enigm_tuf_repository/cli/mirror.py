"""enigm-repo mirror: a published tree copied and verified."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.ports import Fetcher
from enigm_tuf_client.fetch import FileFetcher, HttpFetcher
from enigm_tuf_repository.tree_copying import copy_tree

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="an http or https URL, or a directory")
    parser.add_argument("directory", metavar="DIR", help="where the copy is kept; made where there is none")
    meaning = "the first root, as devices are shipped with it: all trust starts there"
    parser.add_argument("--root", metavar="FILE", required=True, help=meaning)
    meaning = "bring the decisions of both authorities too, and the old metadata that they are about"
    parser.add_argument("--decisions", action="store_true", help=f"{meaning}: `enigm-sign explain` needs them")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges  # expired metadata can be copied: whoever renews it needs it
    root = read_input(Path(arguments.root), LIMITS.root_bytes)
    directory = Path(arguments.directory)
    source = _fetcher(arguments.source, directory)
    copied = copy_tree(source, arguments.source, directory, root, decisions=arguments.decisions)
    data = {
        "new": list(copied.metadata),
        "payloads": copied.payloads,
        "timestamp": copied.timestamp,
        "decided": copied.decided,
    }
    said = f"timestamp version {copied.timestamp}" if copied.timestamp else "no timestamp yet"
    line = f"{directory}: {said}, {len(copied.metadata)} files new, {copied.payloads} payloads there and verified once"
    more = [f"decisions of {copied.decided} records are new here"] if arguments.decisions else []
    return Outcome(data, [line, *more])


def _fetcher(source: str, directory: Path) -> Fetcher:
    if re.match(r"https?://", source):
        return HttpFetcher(source)
    if not Path(source, "metadata").is_dir():
        hint = "name the directory that has metadata/ and targets/, such as repository/published"
        raise MisuseError(f"{source}: no published tree", hint=hint)
    if Path(source).resolve() in {directory.resolve(), *directory.resolve().parents}:
        raise MisuseError(f"{directory}: lies in the tree that it would be a copy of")
    return FileFetcher(source)


COMMAND: "Command[Edges]" = Command(
    name="mirror",
    summary="Copy a published tree into a directory, verified while it is copied; run again, it follows.",
    details="From the first root on, as a device does, and never to something older. It holds all that is in force,\n"
    "and the payloads that are offered. The timestamp goes last; the directory can be served at any moment.",
    examples="enigm-repo mirror https://updates.example.com/phones /srv/mirror --root 1.root.json\n"
    "enigm-repo mirror repository/published /media/copy --root 1.root.json",
    configure=configure,
    run=run,
)
