"""What check, fetch and install have in common: an updater, and how a check is told."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import table
from enigm_tuf.errors import MisuseError
from enigm_tuf_client.device import Device
from enigm_tuf_client.offer import Check, Offer
from enigm_tuf_client.updater import Updater

if TYPE_CHECKING:
    from enigm_tuf_client.cli import Edges


def make_updater(device: Device, arguments: argparse.Namespace, edges: "Edges") -> Updater:
    """For the sources and facts that ``add_moment_options`` asks for."""
    fetcher, *mirrors = device.fetchers(arguments.bundle, edges.clock)
    facts = device.facts(arguments, edges.clock.now())
    clock = device.clock(edges.clock)
    return Updater(store=device.store, fetcher=fetcher, mirrors=mirrors, facts=facts, clock=clock)


def report_lines(check: Check) -> list[str]:
    rows = [(str(f.control), str(f.verdict), f.rule, f.evidence) for f in check.report.findings]
    return [*table(("control", "verdict", "rule", "evidence"), rows), check.reason]


def require_offer(check: Check) -> Offer:
    """The offer; a refusal is raised, and no offer is misuse of fetch and install."""
    if check.refusal:
        raise check.refusal
    if check.offer is None:
        raise MisuseError(f"nothing to do: {check.reason}")
    return check.offer
