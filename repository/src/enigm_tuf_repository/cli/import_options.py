"""What the commands that read a foreign repository share."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf_client.address import require_inside
from enigm_tuf_client.fetch import FileFetcher, HttpFetcher
from enigm_tuf_repository.importing.foreign import ForeignTree, Source, open_foreign

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="the foreign repository: an http or https URL, or a directory")
    meaning = "a root of it that you got from its owner, not from SOURCE: all that is believed of it starts there"
    parser.add_argument("--root", metavar="FILE", required=True, help=meaning)
    parser.add_argument(
        "--metadata", metavar="DIR", default="metadata", help="where its metadata is, below SOURCE (default: metadata)"
    )
    parser.add_argument(
        "--targets", metavar="DIR", default="targets", help="where its targets are, below SOURCE (default: targets)"
    )


def foreign_of(arguments: argparse.Namespace, edges: "Edges") -> ForeignTree:
    """All of it, verified; RefusedError, MalformedError, TransportError."""
    root = read_input(Path(arguments.root), LIMITS.root_bytes)
    folders = [_folder(arguments.metadata), _folder(arguments.targets)]
    if not re.match(r"https?://", arguments.source) and not Path(arguments.source, folders[0]).is_dir():
        hint = "name the directory that has its metadata/ and targets/; --metadata and --targets if they are elsewhere"
        raise MisuseError(f"{arguments.source}: no {folders[0] or '.'}/ in it", hint=hint)
    fetcher = HttpFetcher(arguments.source) if "://" in arguments.source else FileFetcher(arguments.source)
    return open_foreign(Source(fetcher, arguments.source, *folders), root, edges.clock)


def _folder(name: str) -> str:
    """Below the source; ``.`` is the source itself."""
    name = name.rstrip("/")
    if name in {"", "."}:
        return ""
    require_inside(name)
    return name
