"""The benchmarks' harness works, and counts right where the answer is known. It times nothing."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    """A quick run's rows, by work and peer."""
    folder = tmp_path_factory.mktemp("bench")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--folder", str(folder), "--json", str(folder / "json")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = json.loads((folder / "json").read_text())["rows"]
    found = {(row["work"], row["against"]): row for row in listed}
    assert len(found) == len(listed) == len(done.stdout.splitlines()) - 2, "each row once, and all in the table"
    assert [file.name for file in folder.iterdir()] == ["json"], "it cleans up"
    return found


def test_every_row_has_figures_of_both_and_a_verdict(rows: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert {against for _, against in rows} >= {
        "ngclient",
        "python -c pass",
        "openssl dgst -sha256",
        "securesystemslib",
    }
    for row in rows.values():
        assert row["verdict"] in ({""} if row["goal"] == "none" else {"met", "NOT MET"})
        for side in ("ours", "peer"):
            assert row["raw"][side]
            assert all(math.isfinite(figure) for figure in row["raw"][side])


def test_what_is_known_of_ngclient_is_what_is_counted(rows: dict[tuple[str, str], dict[str, Any]]) -> None:
    """It asks for the next root and the timestamp, writes a payload twice, and starts again after a cut at 90%."""

    def counted(work: str) -> float:
        (figure,) = rows[work, "ngclient"]["raw"]["peer"]
        assert isinstance(figure, int | float)
        return figure

    assert counted("no-op check, cold: requests") == 2
    assert counted("4 MiB: written per byte") == pytest.approx(2, abs=0.05)
    assert counted("4 MiB, cut at 90%: fetched per missing byte") == pytest.approx(10, abs=0.01)
