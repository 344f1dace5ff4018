"""Fixtures of the authorities' tests: real tokens."""

from pathlib import Path

import pytest

from enigm_testkit.softhsm import SoftHsm


@pytest.fixture
def softhsm(tmp_path: Path) -> SoftHsm:
    """SoftHSM with no token yet."""
    return SoftHsm(tmp_path / "softhsm")
