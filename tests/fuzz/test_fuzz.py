"""No bytes from outside make a parser do anything but answer or refuse."""

from pathlib import Path

import pytest

from fuzz.campaign import run, run_one
from fuzz.targets import TARGETS

ONE_MINUTE = 60


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_every_seed_of_a_target_is_accepted(name: str) -> None:
    """A seed that is refused would leave most of the code behind the parser unseen."""
    target = TARGETS[name]
    for seed in target.seeds():
        target.run(seed)


@pytest.mark.slow
def test_a_parser_that_crashes_is_found(tmp_path: Path) -> None:
    result = run_one("a-parser-that-crashes", 20, tmp_path)
    assert "ZeroDivisionError" in result.finding
    assert list(tmp_path.glob("crash-*"))


@pytest.mark.slow
@pytest.mark.timeout(900)  # fifty processes have to start, which takes longer than their minute on a busy machine
def test_one_minute_of_fuzzing_finds_nothing(tmp_path: Path) -> None:
    findings = [result for result in run(tuple(TARGETS), ONE_MINUTE, tmp_path) if result.finding]
    assert not findings, "\n\n".join(f"{result.target}: {result.finding}" for result in findings)
