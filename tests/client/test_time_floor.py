"""A clock that steps back is noticed: the store remembers the newest time it ever saw."""

from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.authorities import NOW, Cast, make_role, make_root, make_snapshot, make_timestamp, signed
from enigm_testkit.people import FixedClock
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import RefusedError
from enigm_tuf.ports import DeviceState
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.workflow import TufWorkflow

SECOND = timedelta(seconds=1)


def publish(tree: Path) -> bytes:
    """A small repository; its first root."""
    cast = Cast()
    root = signed(make_root(cast), cast.root)
    files = {
        "1.root": root,
        "timestamp": signed(make_timestamp(), cast.timestamp),
        "1.snapshot": signed(make_snapshot({"targets": 1}), cast.manifest),
        "1.targets": signed(make_role({}), cast.manifest),
    }
    (tree / "metadata").mkdir(parents=True)
    for name, data in files.items():
        (tree / "metadata" / f"{name}.json").write_bytes(data)
    return root


@pytest.mark.rule("TIME-FLOOR", "accept")
@pytest.mark.rule("TIME-FLOOR", "reject")
@pytest.mark.parametrize(("step", "trusted"), [(timedelta(0), True), (SECOND, True), (-SECOND, False)])
def test_the_clock_may_stand_still_but_not_step_back(tmp_path: Path, step: timedelta, trusted: bool) -> None:
    root = publish(tmp_path / "tree")
    store, clock = DirectoryStore(tmp_path / "store"), FixedClock(NOW)
    store.commit(DeviceState(metadata={"root": root}))
    TufWorkflow(store, FileFetcher(tmp_path / "tree"), clock, PlainTuf()).refresh()
    clock.time = NOW + step
    if trusted:
        TufWorkflow(store, FileFetcher(tmp_path / "tree"), clock, PlainTuf()).refresh()
    else:
        with pytest.raises(RefusedError, match="TIME-FLOOR"):
            TufWorkflow(store, FileFetcher(tmp_path / "tree"), clock, PlainTuf())
