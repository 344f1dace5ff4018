"""enigm-repo artifact inspect: what a file is, and what it says of itself."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf_repository.inspection.plugins import inspect_file

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="an artifact: an update package, an image, a bundle")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges
    found = inspect_file(Path(arguments.file))
    claims = {name: value for name, value in asdict(found.claims).items() if value is not None}
    data = {"kind": found.kind, "claims": claims, "facts": found.facts}
    rows = [("kind", found.kind), *((f"says {name}", _shown(value)) for name, value in claims.items())]
    rows += [(name, _shown(value)) for name, value in found.facts.items()]
    return Outcome(data, table(("WHAT", "VALUE"), rows))


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


COMMAND: "Command[Edges]" = Command(
    name="artifact inspect",
    summary="Say what a file is, and what it says of itself: the fields that `release prepare` takes from it.",
    details="Reads only, judges nothing, and needs no repository. Signatures are verified by the release gates.",
    examples="enigm-repo artifact inspect ota.zip\nenigm-repo artifact inspect vbmeta.img --json",
    configure=configure,
    run=run,
)
