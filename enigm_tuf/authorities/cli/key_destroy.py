"""enigm-sign key destroy: destroy a key that the inventory gives up; a recorded act."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.authorities.confirming import digest_lines, require_words
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.inventory.keeping import in_force
from enigm_tuf.authorities.rules import InventoryRule
from enigm_tuf.authorities.token_fit import find_key
from enigm_tuf.authorities.tokens.hsm.attributes import key_class_of
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.inventory import Inventory
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    add_token(parser)
    add_label(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    home = open_home(Path(arguments.home))
    with (
        open_log(home.log, edges.clock) as log,
        edges.open_token(arguments.token).session(edges.person.ask_secret) as session,
    ):
        inventory, digest = in_force(home, log)
        key = find_key(session, label_of(arguments))
        spki, serial = sha256(key.spki), session.identity.serial
        status = _status(inventory, spki, serial)
        if status not in _GIVEN_UP:
            raise RefusedError(
                InventoryRule.INVENTORY,
                f"key {key.label} on token {serial}",
                expected="a key that the inventory in force gives up (destroyed)",
                got=status,
                hint=f"enigm-sign inventory propose --destroyed {spki}, then sign and adopt it",
            )
        edges.person.notify("\n".join([f"key {key.label} on token {serial} will be gone", *digest_lines(spki)]))
        require_words(spki, f"the key {key.label}", edges.person.ask)
        body = {"key": spki, "serial": serial, "label": key.label, "inventory": digest}
        key_class = key_class_of(key.attributes)
        log.append(EntryType.KEY_DESTROYED, body)  # first: what is logged and there still is can be destroyed again
        session.destroy(key.label)
    copies = [key.place("unwrap").token.serial for key in inventory.wrapping_keys if key_class == "wrapped-backup"]
    left = [f"its backups open on token {spare} until enigm-sign wrapping destroy there" for spare in copies]
    return Outcome(body, [f"key {key.label} on token {serial} is destroyed", *left])


_MOVED = "on another token"
_GIVEN_UP = ("destroyed", _MOVED)


def _status(inventory: Inventory, spki: str, serial: str) -> str:
    """A copy of a key that was restored elsewhere is none of the inventory's."""
    item = next((item for item in inventory.keys if item.record.spki_sha256 == spki), None)
    if item is None:
        return "no entry"
    return item.status if item.record.token.serial == serial else _MOVED


COMMAND: "Command[Edges]" = Command(
    name="key destroy",
    summary="Destroy a key for good, once the inventory in force says so; written to the audit log.",
    examples=(
        "enigm-sign key destroy --home release "
        "--token 'pkcs11:token=rel-a;object=root?module-path=/usr/lib/softhsm/libsofthsm2.so'"
    ),
    configure=configure,
    run=run,
)
