"""Fuzz targets beside each other: ``PYTHONPATH=tests python -m fuzz.campaign SECONDS FOLDER [TARGET ...]``.

SECONDS is for all targets together, on two cores. Exit status 1 if anything was found. A target's folder below
FOLDER keeps its corpus, so that the next campaign goes on where this one ended.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fuzz.targets import TARGETS

CORES = 2
START = 2.5  # seconds that a process needs before it fuzzes
TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Result:
    """``finding`` is empty if there was none; else the exception, and how to replay it."""

    target: str
    executions: int
    finding: str


def run(targets: Sequence[str], seconds: float, folder: Path) -> list[Result]:
    """Fuzz each target for its share of ``seconds``; prints one line for each."""
    share = max(1, round(seconds * CORES / len(targets) - START))
    with ThreadPoolExecutor(CORES) as pool:
        results = []
        for result in pool.map(lambda target: run_one(target, share, folder / target), targets):
            print(f"{result.target:18} {result.executions:8,} executions in {share} s  {result.finding}", flush=True)
            results.append(result)
    return results


def run_one(target: str, seconds: int, folder: Path) -> Result:
    """One process, which ends after ``seconds`` or at the first finding."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fuzz", target, str(folder), f"-max_total_time={seconds}"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(command, capture_output=True, env=environment, cwd=TESTS.parent, check=False)
    output = done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace")
    count = re.search(r"number_of_executed_units: (\d+)", output)
    finding = "" if done.returncode == 0 else f"status {done.returncode}: {described(output)}"
    return Result(target, int(count[1]) if count else 0, finding)


def described(output: str) -> str:
    """The part of libFuzzer's output that says what was found: exception with its traceback, and the input's file."""
    start = max(output.find("=== Uncaught"), output.find("=== Timeout"), output.find("Traceback"), 0)
    return output[start:][:4_000] if start else output[-2_000:]


def main(seconds: str, folder: str, *targets: str) -> int:
    """Returns the exit status."""
    results = run(targets or tuple(TARGETS), float(seconds), Path(folder).absolute())
    return 1 if any(result.finding for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
