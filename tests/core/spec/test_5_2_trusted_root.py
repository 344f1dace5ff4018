"""The fixed start time and the trusted root (TUF 1.0.34, 5.1 and 5.2)."""

from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.authorities import NOW, Cast, make_root, signed
from enigm_testkit.plain import PlainTuf
from enigm_testkit.vendor import SetClock
from enigm_tuf.errors import RefusedError
from enigm_tuf.ports import DeviceState
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.workflow import TufWorkflow


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    """A device that has seen NOW."""
    cast = Cast()
    made = DirectoryStore(tmp_path / "store")
    made.commit(DeviceState({"root": signed(make_root(cast), cast.root)}, latest_time=NOW))
    return made


@pytest.mark.rule("TIME-FLOOR", "accept")
def test_a_clock_at_the_newest_time_ever_seen_is_taken(store: DirectoryStore, tmp_path: Path) -> None:
    assert TufWorkflow(store, FileFetcher(tmp_path), SetClock(NOW), PlainTuf()).trusted.now == NOW


@pytest.mark.rule("TIME-FLOOR", "reject")
def test_a_clock_one_second_behind_it_is_refused(store: DirectoryStore, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="TIME-FLOOR"):
        TufWorkflow(store, FileFetcher(tmp_path), SetClock(NOW - timedelta(seconds=1)), PlainTuf())
