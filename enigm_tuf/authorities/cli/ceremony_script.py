"""enigm-sign ceremony script: the script as a page to print."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.ceremony.checking import require_checked
from enigm_tuf.authorities.ceremony.page import page
from enigm_tuf.authorities.cli.ceremony_options import CONFIGURES, add_script, load_script
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_script(parser)
    parser.add_argument("--rehearsal", action="store_true", help="with a watermark on every page")
    parser.add_argument("--out", required=True, metavar="FILE", help="the page, such as root-keygen.html")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges
    out = Path(arguments.out)
    require_new(out)
    script, data = load_script(arguments)
    require_checked(script, CONFIGURES)
    rehearsal = arguments.rehearsal or script.type == "rehearsal"
    write_new(out, page(script, data, rehearsal=rehearsal).encode())
    return Outcome(
        {"script": sha256(data), "rehearsal": rehearsal}, [f"written to {out}; print it, one for each person"]
    )


COMMAND: "Command[Edges]" = Command(
    name="ceremony script",
    summary="Write a checked ceremony script as one HTML page to print: boxes to tick, lines to sign, digest in words.",
    examples="enigm-sign ceremony script root-keygen.toml --out root-keygen.html",
    configure=configure,
    run=run,
)
