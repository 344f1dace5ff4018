"""enigm-repo bundle: one file for devices without a network."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.bundling import write_bundle
from enigm_tuf_repository.cli.options import add_repository_option, reading
from enigm_tuf_repository.stores.opening import remote_of

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("product", metavar="PRODUCT")
    parser.add_argument("--channel", required=True, metavar="NAME")
    parser.add_argument("--out", required=True, metavar="FILE", help="the bundle to write; nothing is overwritten")
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    workspace = reading(arguments)
    out = Path(arguments.out)
    paths = write_bundle(workspace, arguments.product, arguments.channel, out, edges.clock, remote_of(workspace))
    data = {"bundle": str(out), "length": out.stat().st_size, "files": paths}
    return Outcome(data, [f"{out}: {len(paths)} files, {out.stat().st_size:,} bytes, accepted by a device's verifier"])


COMMAND: "Command[Edges]" = Command(
    name="bundle",
    summary="Write one file with all that a device needs for the newest release, for removable media.",
    details="It expires when the metadata in it does; a device refuses it then, as it would a server.",
    examples="enigm-repo bundle phone --channel stable --out phone.enigmbundle",
    configure=configure,
    run=run,
)
