"""tuf-conformance's client protocol on our own client workflow, without the authorities' rules.

The protocol: https://github.com/theupdateframework/tuf-conformance, CLIENT-CLI.md.
"""

import argparse
import shutil
import sys
from pathlib import Path
from urllib.parse import quote

from enigm_testkit.flat_store import FlatStore
from enigm_testkit.plain import PlainTuf
from enigm_tuf.clock import SystemClock
from enigm_tuf.errors import EnigmTufError
from enigm_tuf.model.tuf import TargetFile
from enigm_tuf_client.download import Wanted, digest_file, download
from enigm_tuf_client.fetch import HttpFetcher
from enigm_tuf_client.targets import hashed_path
from enigm_tuf_client.workflow import TufWorkflow


def main() -> int:
    """Exit status 0 when all was trusted, 1 when anything was refused or failed."""
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except EnigmTufError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--metadata-dir", type=Path, required=True)
    parser.add_argument("--metadata-url")
    parser.add_argument("--target-name", action="append", default=[])
    parser.add_argument("--target-base-url")
    parser.add_argument("--target-dir", type=Path)
    commands = parser.add_subparsers(required=True)
    init = commands.add_parser("init")
    init.add_argument("trusted_root", type=Path)
    init.set_defaults(run=_init)
    commands.add_parser("refresh").set_defaults(run=_refresh)
    commands.add_parser("download").set_defaults(run=_download)
    return parser


def _init(arguments: argparse.Namespace) -> None:
    arguments.metadata_dir.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(arguments.trusted_root, arguments.metadata_dir / "root.json")


def _refresh(arguments: argparse.Namespace) -> TufWorkflow:
    store, fetcher = FlatStore(arguments.metadata_dir), HttpFetcher(arguments.metadata_url)
    workflow = TufWorkflow(store, fetcher, SystemClock(), PlainTuf(), folder="")
    workflow.refresh()
    return workflow


def _download(arguments: argparse.Namespace) -> None:
    workflow = _refresh(arguments)
    for name in arguments.target_name:
        target = workflow.target(name)
        destination = arguments.target_dir / quote(name, safe="")
        if not _is_cached(destination, target):
            consistent = workflow.trusted.root.value.consistent_snapshot
            path = hashed_path(name, next(iter(target.hashes.values()))) if consistent else name
            fetcher = HttpFetcher(arguments.target_base_url)
            served = quote(path, safe="/%")
            download([fetcher], Wanted(served, target.length, target.hashes), destination)


def _is_cached(destination: Path, target: TargetFile) -> bool:
    if not destination.exists():
        return False
    digests = digest_file(destination, target.length, target.hashes)
    return (digests.length, digests.hashes) == (target.length, target.hashes)
