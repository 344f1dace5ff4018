"""enigm-sign authority trust: trust the first root, after a person has said its words."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.confirming import digest_lines, require_words
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.trust_root import trust_first_root
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("--root", required=True, metavar="FILE", help="1.root.json, as it came from the repository")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    def confirm(digest: str) -> None:
        edges.person.notify("\n".join([f"{arguments.root}, the signed part", *digest_lines(digest)]))
        require_words(digest, "this root", edges.person.ask)

    home = open_home(Path(arguments.home))
    data = read_input(Path(arguments.root), LIMITS.root_bytes)
    digest = trust_first_root(home, data, confirm, edges.clock)
    return Outcome({"root": 1, "sha256": digest}, [f"the {home.authority} authority trusts root version 1, {digest}"])


COMMAND: "Command[Edges]" = Command(
    name="authority trust",
    summary="Trust the first root: its digest is shown in hex and words, and you type the last four words.",
    examples="enigm-sign authority trust --home manifest --root 1.root.json",
    configure=configure,
    run=run,
    details="Compare the words with those of the root ceremony. Newer roots come with signing requests, on their own.",
)
