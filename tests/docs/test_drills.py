"""docs/explanation/drills.md: its table is what ``make drill`` prints, and every attempt there ends as it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_drills_end_as_the_page_says() -> None:
    played = subprocess.run(
        [sys.executable, "-m", "examples.drill"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
    )
    assert played.returncode == 0, played.stdout[-4000:] + played.stderr[-2000:]
