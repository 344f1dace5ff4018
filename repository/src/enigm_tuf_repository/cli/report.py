"""enigm-repo report: one page that shows where the repository stands."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf_repository.cli.options import add_repository_option, reading
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.report.facts import MAXIMUM_BYTES, read_facts
from enigm_tuf_repository.report.gathering import gather

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges

_PAGE_BYTES = MAXIMUM_BYTES + 4_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    add_repository_option(parser)
    parser.add_argument("--out", metavar="FILE", required=True, help="the page to write; an older report is replaced")
    parser.add_argument("--since", metavar="FILE", help="an earlier report to compare with (default: the one in --out)")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    from enigm_tuf_repository.report.page import render  # jinja2 takes 50 ms to import

    out = Path(arguments.out)
    if not out.parent.is_dir():
        raise MisuseError(f"{out.parent}: no such folder")
    earlier = Path(arguments.since) if arguments.since else out if out.exists() else None
    before = read_facts(read_input(earlier, _PAGE_BYTES), str(earlier)) if earlier else None
    facts = gather(reading(arguments), edges.now())
    page = render(facts, before)
    write_durably(out, page.encode())
    data = {"page": str(out), "bytes": len(page.encode()), "since": f"{before.made:%FT%TZ}" if before else None}
    return Outcome(data, [f"{out}: {len(facts.roles)} roles, {len(facts.records)} records"])


COMMAND: "Command[Edges]" = Command(
    name="report",
    summary="Write one HTML page: trust, expiry, releases, rollouts, records, audit logs, and what changed.",
    details="The page needs no network and no script. It carries its facts as data, for the next report to compare.",
    examples="enigm-repo report --out report.html\nenigm-repo report --out november.html --since october.html",
    configure=configure,
    run=run,
)
