"""enigm-sign key audit: compare everything on a token with the signed inventory."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.cli.token_options import add_token
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.inventory.comparing import Drift, compare
from enigm_tuf.authorities.inventory.keeping import in_force
from enigm_tuf.authorities.rules import InventoryRule
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.value import as_dict

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    add_token(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    home = open_home(Path(arguments.home))
    with open_log(home.log, edges.clock) as log:
        inventory, digest = in_force(home, log)
    with edges.open_token(arguments.token).session(edges.person.ask_secret) as session:
        identity, objects, drifts = session.identity, session.objects(), compare(inventory, session)
    rows = [(item.kind, item.label, item.id, item.spki_sha256 or "") for item in objects]
    lines = [
        f"{identity.label}, serial {identity.serial}, against inventory version {inventory.version}",
        *table(("kind", "label", "id", "key"), rows),
        "",
        *(
            table(("problem", "what", "expected", "got"), [_row(drift) for drift in drifts])
            if drifts
            else ["as the inventory says"]
        ),
    ]
    facts = {
        "inventory": digest,
        "version": inventory.version,
        "serial": identity.serial,
        "objects": [as_dict(item) for item in objects],
        "drifts": [dict(zip(("problem", "what", "expected", "got"), _row(drift), strict=True)) for drift in drifts],
    }
    return Outcome(facts, lines, _refusal(identity.label, drifts))


def _row(drift: Drift) -> tuple[str, str, str, str]:
    return drift.problem, drift.what, drift.expected, drift.got


def _refusal(label: str, drifts: tuple[Drift, ...]) -> RefusedError | None:
    if not drifts:
        return None
    return RefusedError(
        InventoryRule.INVENTORY, f"token {label}", expected="what the inventory says", got=f"{len(drifts)} differences"
    )


COMMAND: "Command[Edges]" = Command(
    name="key audit",
    summary="List all that lies on a token, and refuse on any difference from the signed inventory.",
    examples=(
        "enigm-sign key audit --home release --token 'pkcs11:token=rel-a?module-path=/usr/lib/softhsm/libsofthsm2.so'\n"
        "enigm-sign key audit --home manifest --token piv:serial=12345678 --json"
    ),
    configure=configure,
    run=run,
)
