"""enigm-sign inventory sign: an operator vouches for a version of the key inventory."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.document_voting import configure_document_vote, run_document_vote
from enigm_tuf.authorities.inventory.keeping import voted_inventory
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.inventory import Inventory

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inventory", metavar="INVENTORY", help="the proposal")
    configure_document_vote(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    data = read_input(Path(arguments.inventory), LIMITS.inventory_bytes)
    inventory, voted = voted_inventory(data, arguments.inventory)
    return run_document_vote(voted, inventory_lines(inventory), arguments, edges)


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
        "enigm-sign inventory sign release.inventory.json --policy release.policy.toml "
        "--operators release.operators.json --operator alice --token piv:serial=12345678 --label 9a "
        "--out alice.inventory.dsse.json"
    ),
    configure=configure,
    run=run,
)
