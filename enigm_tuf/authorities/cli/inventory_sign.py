"""enigm-sign inventory sign: an operator vouches for a version of the key inventory."""

import argparse
from collections.abc import Sequence

from enigm_tuf.authorities.cli.document_voting import Document, sign_command
from enigm_tuf.authorities.inventory.keeping import voted_inventory
from enigm_tuf.authorities.voting import Voted
from enigm_tuf.commandline import table
from enigm_tuf.model.inventory import Inventory


def _seen(data: bytes, source: str, arguments: argparse.Namespace) -> tuple[Voted, Sequence[str]]:
    del arguments
    inventory, voted = voted_inventory(data, source)
    return voted, inventory_lines(inventory)


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


COMMAND = sign_command(
    name="inventory sign",
    document=Document("inventory", "the proposal"),
    seen=_seen,
    summary="Vouch for a version of the key inventory, after you have typed the words of its digest.",
    examples=(
        "enigm-sign inventory sign release.inventory.json --policy release.policy.toml "
        "--operators release.operators.json --operator alice --token piv:serial=12345678 --label 9a "
        "--out alice.inventory.dsse.json"
    ),
)
