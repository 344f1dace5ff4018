"""enigm-update status: what is installed, and what the device remembers. Asks nobody."""

import argparse
from typing import TYPE_CHECKING, Any

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.model.shapes import Time
from enigm_tuf.model.strict_json import parse
from enigm_tuf_client.device import add_device_option, open_device

if TYPE_CHECKING:
    from enigm_tuf_client.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges
    device = open_device(arguments)
    state, product = device.store.load(), device.configuration.product
    roles: dict[str, Any] = {}
    for name, data in sorted(state.metadata.items()):
        signed = parse(data, source=name, max_bytes=len(data))["signed"]
        roles[name] = {"version": signed["version"], "expires": signed["expires"]}
    version, build = state.installed.get(product, ("", ""))
    facts = {
        "product": product,
        "environment": device.configuration.environment,
        "installed": version or None,
        "build_id": build or None,
        "rollback_floor": state.rollback_floors.get(product, 0),
        "latest_time": Time().write(state.latest_time) if state.latest_time else None,
        "roles": roles,
    }
    lines = table(("fact", "value"), [(name, str(value)) for name, value in facts.items() if name != "roles"])
    rows = [(name, str(role["version"]), str(role["expires"])) for name, role in roles.items()]
    return Outcome(facts, [*lines, "", *table(("role", "version", "expires"), rows)])


COMMAND: "Command[Edges]" = Command(
    name="status",
    summary="Show what is installed and what the device remembers; asks nobody.",
    examples="enigm-update status --device /var/lib/enigm --json",
    configure=add_device_option,
    run=run,
)
