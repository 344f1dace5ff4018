"""Mutation testing of enigm_tuf/trust: ``python -m scripts.mutate [--sample N] [--seed S] [MODULE ...]``.

Every mutant (see ``scripts.mutants``) is given to the tests below; one that no test notices has survived. Exit status
1 if one survived that SURVIVORS does not explain, or if SURVIVORS explains one that is gone. Verdicts are kept in
build/mutation by the digest of module and tests, so that a run that was stopped goes on where it was.

Why our own: mutmut and cosmic-ray change a copy of the tree or the files in place and start a Python for every
mutant. Here a mutant never touches the disk: a process that has imported everything foreign forks, the fork imports
the mutated module from memory and runs pytest. That is three times as many mutants in the same time.
"""

import argparse
import ast
import gc
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

import pytest

from scripts.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[1]
TRUST = ROOT / "enigm_tuf" / "trust"
SURVIVORS = ROOT / "tests" / "core" / "mutation_survivors.toml"
CACHE = ROOT / "build" / "mutation"
WORKERS = 2
SECONDS = 60  # of computing for one mutant: the tests need 20, and a mutant may loop for ever
SLOW = {  # and say little of trust
    *("test_removed_checks", "test_strict_json", "test_policy_engine", "test_audit_log", "test_lean"),
    *("test_log_foreign", "test_log_notes", "test_log_tree"),
    *("test_oracle", "test_oracle_matching"),
}
TESTS = (
    *sorted(file for file in (ROOT / "tests/core").rglob("test_*.py") if file.stem not in SLOW),
    ROOT / "tests/client/test_updater.py",
)
FOREIGN = ("cryptography.x509", "hypothesis", "_hypothesis_pytestplugin", "tuf.api.metadata", "securesystemslib.signer")


@dataclass(frozen=True)
class Task:
    """A mutant of a module, and the file that keeps its verdict."""

    module: str
    mutant: Mutant
    verdict: Path


class FromMemory(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from a syntax tree."""

    def __init__(self, module: str, file: Path, tree: ast.Module) -> None:
        self.module, self.file, self.tree = module, file, tree

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self.module:
            return None
        return importlib.util.spec_from_file_location(name, self.file, loader=self)

    def get_code(self, fullname: str) -> CodeType:
        del fullname
        return compile(self.tree, str(self.file), "exec")

    def get_source(self, fullname: str) -> str:
        del fullname
        return ast.unparse(self.tree)


def tasks(names: Sequence[str]) -> Iterator[Task]:
    """All mutants of the modules of trust with these names, of every module if there are none."""
    tests = b"".join(file.read_bytes() for file in TESTS)
    for file in sorted(TRUST.glob("*.py")):
        source = file.read_bytes()
        if names and file.stem not in names:
            continue
        for mutant in mutants(file.name, source.decode()):
            digest = hashlib.sha256(b"\0".join((source, tests, mutant.name.encode()))).hexdigest()
            yield Task(f"enigm_tuf.trust.{file.stem}", mutant, CACHE / digest)


def run_all(waiting: list[Task]) -> None:
    """Give each to the tests, WORKERS at a time; every verdict is written when it is known."""
    running: dict[int, Task] = {}
    waiting.reverse()
    total, started = len(waiting), time.monotonic()
    while waiting or running:
        while waiting and len(running) < WORKERS:
            task = waiting.pop()
            running[start(task)] = task
        process, status = os.wait()
        task = running.pop(process)
        survived = os.waitstatus_to_exitcode(status) == 0
        task.verdict.write_text(json.dumps({"mutant": task.mutant.name, "survived": survived}))
        done = total - len(waiting) - len(running)
        if survived or done % 50 == 0:
            word = "SURVIVED" if survived else "killed"
            print(f"{done}/{total} {time.monotonic() - started:.0f} s: {word} {task.mutant.name}", flush=True)


def start(task: Task | None) -> int:
    """Fork, and run the tests in the fork with the mutant in place; the process id."""
    process = os.fork()
    if process:
        return process
    try:
        if task:
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            os.dup2(1, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        signal.alarm(20 * SECONDS)  # by the clock, where it waits for ever
        if task:
            file = TRUST / f"{task.module.rpartition('.')[2]}.py"
            sys.meta_path.insert(0, FromMemory(task.module, file, task.mutant.tree()))
        status = run_tests(task.module.rpartition(".")[2] if task else "")
    except BaseException:  # whatever it is: the mutant was noticed
        status = 2
    os._exit(status)


def run_tests(module: str) -> int:
    """Those that are named after the module first: most mutants get no further, and nothing else is collected."""
    named = [file for file in TESTS if module and module in file.stem]
    status = pytest_status(named) if named else 0
    return status or pytest_status([file for file in TESTS if file not in named])


def pytest_status(files: Sequence[Path]) -> int:
    """0 if all of them pass."""
    plugins = ["-p", "no:cacheprovider", "-p", "no:xdist"]
    options = ["-x", "-q", "--assert=plain", *plugins, "-o", "timeout=0", "-m", "not slow"]
    return int(pytest.main([*options, *map(str, files)]))


def report(asked: list[Task], explained: dict[str, str], *, whole: bool) -> int:
    """Print the survivors that nothing explains, and explanations of what is no survivor; the exit status."""
    verdicts = {task.mutant.name: json.loads(task.verdict.read_text())["survived"] for task in asked}
    survivors = {name for name, survived in verdicts.items() if survived}
    modules = {name.split()[0] for name in verdicts}
    stale = {name for name in explained if name.split()[0] in modules and name not in survivors}
    if not whole:
        stale &= verdicts.keys()
    for name in sorted(survivors - explained.keys()):
        print(f"survived: {name}")
    for name in sorted(stale):
        print(f"explained, but killed or gone: {name}")
    print(f"{len(verdicts)} mutants, {len(verdicts) - len(survivors)} killed, {len(survivors)} survived,", end=" ")
    print(f"{len(survivors & explained.keys())} of them explained")
    return 1 if survivors - explained.keys() or stale else 0


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description="mutation testing of enigm_tuf/trust")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as agreement (default: all)")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, drawn by chance")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default: 1)")
    parser.add_argument("--list", action="store_true", help="only say how many there are")
    arguments = parser.parse_args()
    asked = list(tasks(arguments.modules))
    if arguments.sample and arguments.sample < len(asked):
        asked = random.Random(arguments.seed).sample(asked, arguments.sample)  # noqa: S311 - a sample, not a secret
    if arguments.list:
        print("\n".join(task.mutant.name for task in asked))
        return 0
    CACHE.mkdir(parents=True, exist_ok=True)
    for module in FOREIGN:
        importlib.import_module(module)
    gc.freeze()
    baseline = os.waitstatus_to_exitcode(os.waitpid(start(None), 0)[1])
    if baseline:
        print(f"error: the tests fail without any mutant: status {baseline}", file=sys.stderr)
        return 2
    run_all([task for task in asked if not task.verdict.exists()])
    explained = {item["mutant"]: item["why"] for item in tomllib.loads(SURVIVORS.read_text())["survivor"]}
    return report(asked, explained, whole=not arguments.sample)


if __name__ == "__main__":
    sys.exit(main())
