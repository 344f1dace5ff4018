"""enigm-repo traffic: what a fleet will ask of the servers."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.errors import MisuseError
from enigm_tuf_repository.cli.options import add_repository_option, reading
from enigm_tuf_repository.traffic.model import Fleet, Row, traffic
from enigm_tuf_repository.traffic.plot import plot
from enigm_tuf_repository.traffic.sizes import sizes_of

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("product", metavar="PRODUCT")
    parser.add_argument("--channel", required=True, help="the channel, such as stable: its files are what is counted")
    parser.add_argument("--devices", metavar="N", type=int, required=True, help="new devices")
    parser.add_argument("--releases", metavar="M", type=int, required=True, help="published while they check")
    parser.add_argument("--days", type=int, default=30, help="for how long (default: 30)")
    parser.add_argument("--checks-per-day", metavar="K", type=int, default=4, help="of each device (default: 4)")
    parser.add_argument("--plot", metavar="FILE", help="write a picture, an SVG")
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges  # nothing here depends on the time
    for name in ("days", "checks_per_day"):
        if getattr(arguments, name) < 1:
            raise MisuseError(f"--{name.replace('_', '-')} {getattr(arguments, name)}: at least 1")
    fleet = Fleet(arguments.devices, arguments.releases, arguments.days * arguments.checks_per_day)
    if arguments.plot:
        require_new(Path(arguments.plot))
    rows = traffic(sizes_of(reading(arguments), arguments.product, arguments.channel), fleet)
    rate = sum(row.requests for row in rows) / (arguments.days * 86_400)
    title = (
        f"{fleet.devices:,} devices of {arguments.product}, {fleet.releases:,} releases on {arguments.channel} in "
        f"{arguments.days:,} days, {arguments.checks_per_day} checks a day"
    )
    if arguments.plot:
        write_new(Path(arguments.plot), plot(rows, title).encode())
    data = {"fleet": asdict(fleet), "rows": [asdict(row) for row in rows], "requests_per_second": round(rate, 3)}
    lines = [title, *_table(rows, fleet), f"{rate:,.2f} requests a second on average"]
    return Outcome(data, [*lines, *([f"picture in {arguments.plot}"] if arguments.plot else [])])


def _table(rows: tuple[Row, ...], fleet: Fleet) -> list[str]:
    every = (*rows, Row("all", sum(row.requests for row in rows), sum(row.bytes for row in rows)))
    cells = [(row.role, f"{row.requests:,}", f"{row.bytes:,}", f"{row.bytes / fleet.devices:,.0f}") for row in every]
    return table(("FETCHED", "REQUESTS", "BYTES", "BYTES OF A DEVICE"), cells)


COMMAND: "Command[Edges]" = Command(
    name="traffic",
    summary="Work out what a fleet will ask of the servers: requests and bytes by role, as a table and a picture.",
    details="New devices that find every release and fetch each whole, over the sizes that are published now. Bytes\n"
    "are those of bodies; renewals, deltas and devices that were cut are not in it.",
    examples="enigm-repo traffic phone --channel stable --devices 1000000 --releases 4\n"
    "enigm-repo traffic phone --channel stable --devices 1000000 --releases 4 --days 90 --plot traffic.svg",
    configure=configure,
    run=run,
)
