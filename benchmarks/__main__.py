"""``python -m benchmarks``: the table. See README.md beside this file."""

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.audit_log import AuditRows
from benchmarks.device import DeviceRows
from benchmarks.hashing import HashRows
from benchmarks.leaks import LeakRows
from benchmarks.object_stores import StoreRows
from benchmarks.plain import PlainRows
from benchmarks.running import ROOT, Bench, serving
from benchmarks.scale import ScaleRows
from benchmarks.table import Row, rendered
from benchmarks.tokens import TokenRows
from scripts.set_up import install_packages

PEERS = {"swupdate": "a peer of the benchmarks", "openssl": "a peer of the benchmarks"}
COPIES = 10  # of a payload on disk at once, at the most: build, staged, published, verified, image, slots


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if everything ran, whether the goals are met or not; 2 if there is no room."""
    options = _parser().parse_args(arguments)
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    huge = 8 << 30 if options.full else 0
    size, targets = (4 << 20, 200) if options.quick else (1 << 30, 100_000)
    if shutil.disk_usage(folder).free < COPIES * size + 4 * huge:
        sys.stderr.write(f"error: {folder}: not enough room\nhint: --folder names another place\n")
        return 2
    if not options.quick:
        install_packages({name: why for name, why in PEERS.items() if not shutil.which(name)})
    rounds = 1 if options.quick else options.rounds
    with tempfile.TemporaryDirectory(dir=folder, prefix="bench-") as place, serving(Path(place).resolve()) as bench:
        rows = _rows(bench, size, targets, rounds, huge)
    sys.stdout.write(rendered(rows) + "\n")
    if options.json:
        Path(options.json).write_text(json.dumps(_report(rows), indent=1) + "\n")
    return 0


def _rows(bench: Bench, size: int, targets: int, rounds: int, huge: int) -> list[Row]:
    small = 1 if rounds == 1 else 3 * rounds
    repeats = 3 if rounds == 1 else 50
    swupdate = size > 4 << 20 and shutil.which("swupdate") is not None
    rows = DeviceRows(bench, size, rounds, small, swupdate=swupdate).rows(huge)
    rows += PlainRows(bench, targets, rounds, repeats).rows()
    rows += TokenRows(bench.folder, rounds, repeats).rows()
    rows += LeakRows(bench.folder, size, rounds).rows()
    rows += HashRows(bench.folder, size, rounds).rows()
    rows += AuditRows(bench.folder, 20_000 if rounds == 1 else 1_000_000).rows()
    large, releases = (12 << 20, 1) if size <= 4 << 20 else (256 << 20, 20)
    rows += StoreRows(bench.folder, large, rounds, releases).rows()
    grown = (1, 2) if size <= 4 << 20 else (10, 100, 1_000)
    return [*rows, *ScaleRows(bench, grown, rounds).rows()]


def _report(rows: list[Row]) -> dict[str, object]:
    versions = {name: importlib.metadata.version(name) for name in ("enigm-tuf", "tuf", "securesystemslib")}
    machine = {"system": platform.platform(), "python": platform.python_version(), "processors": os.cpu_count()}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "time": now,
        "machine": machine,
        "load": os.getloadavg(),
        "versions": versions,
        "rows": [row.as_json() for row in rows],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Our client and its peers, side by side.")
    parser.add_argument("--json", metavar="FILE", help="write the figures of every round to FILE")
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds of the long work; the short has three times as many"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes and one round: shows only that it works")
    parser.add_argument("--full", action="store_true", help="also 8 GiB, which needs 45 GB of disk")
    parser.add_argument("--folder", default=str(ROOT / "build"), help="where to work (default: build/), on a real disk")
    return parser


if __name__ == "__main__":
    sys.exit(main())
