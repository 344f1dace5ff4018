"""Our TUF workflow against python-tuf's ngclient on generated histories: same verdicts, same trusted files.

Neither client is the other's judge: where they part on purpose, ``histories.differences`` says why ours is right.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from enigm_testkit.histories.machine import Histories

NO_SHRINKING = (Phase.generate,)
"""Shrinking a history takes minutes, which a CI run does not have; a failure prints the whole of it, with its seed."""


def counted(histories: int, steps: int, *, derandomize: bool) -> Counter[str]:
    """Run so many histories of so many steps; what happened in them."""
    counts = Counter[str]()

    class CountedHistories(Histories):
        pass

    CountedHistories.counts = counts
    wanted = settings(
        max_examples=histories,
        stateful_step_count=steps,
        derandomize=derandomize,
        deadline=None,
        database=None,
        phases=NO_SHRINKING,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(CountedHistories, settings=wanted)
    return counts


def test_a_few_fixed_histories_are_judged_as_ngclient_judges_them() -> None:
    counts = counted(15, 20, derandomize=True)
    assert counts["accepted"] > 50
    assert counts["refused"] > 20


@pytest.mark.slow
def test_generated_histories_are_judged_as_ngclient_judges_them(capsys: pytest.CaptureFixture[str]) -> None:
    counts = counted(150, 30, derandomize=False)
    with capsys.disabled():
        print("\nours and ngclient:", ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    assert counts["accepted"] > 700
    assert counts["refused"] > 500
