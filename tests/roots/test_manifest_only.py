"""The model of production today: one authority, on PIV cards, holds root and everything else."""

from pathlib import Path

import pytest

from enigm_testkit.works import Works


@pytest.fixture
def works(one: Works, tmp_path: Path) -> Works:
    return one.copied(tmp_path / "house")


def test_a_release_goes_from_the_build_to_the_device(works: Works) -> None:
    works.release("2.0")
    works.fleet.arrives("2.0")
