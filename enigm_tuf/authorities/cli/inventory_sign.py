"""enigm-sign inventory sign: an operator vouches for a version of the key inventory."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.approving import PolicyFile
from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.authorities.confirming import digest_lines, require_words
from enigm_tuf.authorities.inventory.voting import Voter, cast_vote
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.durable import read_input, require_new, write_new
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.inventory import Inventory, read_inventory
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inventory", metavar="INVENTORY", help="the proposal")
    parser.add_argument("--policy", required=True, metavar="FILE", help="the authority's policy file")
    parser.add_argument("--operator", required=True, metavar="ID", help="who you are in the policy")
    add_token(parser)
    add_label(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="your vote, such as alice.inventory.dsse.json")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out = Path(arguments.out)
    require_new(out)
    data = read_input(Path(arguments.inventory), LIMITS.inventory_bytes)
    inventory = read_inventory(data, arguments.inventory)

    def confirm(digest: str) -> None:
        edges.person.notify("\n".join([*inventory_lines(inventory), "", *digest_lines(digest)]))
        require_words(digest, f"inventory version {inventory.version}", edges.person.ask)

    voter = Voter(
        arguments.operator,
        edges.open_token(arguments.token),
        label_of(arguments),
        edges.person.ask_secret,
        confirm,
    )
    policy = PolicyFile(read_input(Path(arguments.policy), LIMITS.document_bytes), arguments.policy)
    now = edges.clock.now().replace(microsecond=0)
    envelope = cast_vote(data, arguments.inventory, policy, voter, now)
    write_new(out, envelope)
    facts = {"inventory": sha256(data), "version": inventory.version, "operator": voter.operator}
    return Outcome(facts, [f"inventory version {inventory.version} signed by {voter.operator}, written to {out}"])


def inventory_lines(inventory: Inventory) -> list[str]:
    """Every key with where it is and who keeps it."""
    rows = [
        (
            item.status,
            item.record.purpose,
            item.record.key_class,
            item.record.custodian,
            item.record.token.serial,
            item.record.label,
            item.record.spki_sha256,
        )
        for item in inventory.keys
    ]
    title = f"inventory version {inventory.version} of the {inventory.authority} authority, {inventory.environment}"
    others = [f"may also lie there: {item.kind} {item.label} on {item.serial}" for item in inventory.objects]
    wrapping = [
        f"wrapping key {key.label} ({key.id}): wraps on {key.place('wrap').token.serial}, "
        f"unwraps on {key.place('unwrap').token.serial}"
        for key in inventory.wrapping_keys
    ]
    names = ("status", "purpose", "class", "custodian", "token", "label", "key")
    return [title, "", *table(names, rows), *others, *wrapping]


COMMAND: "Command[Edges]" = Command(
    name="inventory sign",
    summary="Vouch for a version of the key inventory, after you have typed the words of its digest.",
    examples=(
        "enigm-sign inventory sign release.inventory.json --policy release.policy.toml --operator alice "
        "--token piv:serial=12345678 --label 9a --out alice.inventory.dsse.json"
    ),
    configure=configure,
    run=run,
)
