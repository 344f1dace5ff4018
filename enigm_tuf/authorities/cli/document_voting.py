"""What the commands share by which an operator votes for a document of the authority."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.request_options import add_policy_and_operators, load_operators, load_policy
from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.authorities.confirming import digest_lines, require_words
from enigm_tuf.authorities.voting import Voted, Voter, cast_vote
from enigm_tuf.commandline import Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure_document_vote(parser: argparse.ArgumentParser) -> None:
    add_policy_and_operators(parser)
    add_token(parser)
    add_label(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="your vote, such as alice.dsse.json")


def run_document_vote(voted: Voted, lines: Sequence[str], arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    """Show the document, have its words typed, sign. ``lines`` are all that there is to see of it."""
    out, what = Path(arguments.out), f"{voted.matter.name} version {voted.version}"
    require_new(out)

    def confirm(digest: str) -> None:
        edges.person.notify("\n".join([*lines, "", *digest_lines(digest)]))
        require_words(digest, what, edges.person.ask)

    voter = Voter(
        arguments.operator, edges.open_token(arguments.token), label_of(arguments), edges.person.ask_secret, confirm
    )
    now = edges.clock.now().replace(microsecond=0)
    envelope = cast_vote(voted, load_policy(arguments), load_operators(arguments), voter, now)
    write_new(out, envelope)
    facts = {voted.matter.name: sha256(voted.data), "version": voted.version, "operator": voter.operator}
    return Outcome(facts, [f"{what} signed by {voter.operator}, written to {out}"])
