"""What every clause starts from."""

from pathlib import Path

import pytest

from enigm_testkit.authorities import Cast
from enigm_testkit.served import Served


@pytest.fixture
def cast() -> Cast:
    """Keys of every role."""
    return Cast()


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A repository with one root, which the device holds, and nothing else yet."""
    return Served(tmp_path)
