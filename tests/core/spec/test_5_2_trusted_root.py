"""The fixed start time and the trusted root (TUF 1.0.34, 5.1 and 5.2)."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tuf.api.metadata import (
    Signed,
)

from enigm_testkit.authorities import NOW, Cast, make_role, make_root, make_snapshot, make_timestamp, signed
from enigm_testkit.clauses import SECOND, expiring, refused, rooted
from enigm_testkit.plain import PlainTuf
from enigm_testkit.served import Served
from enigm_testkit.tree import PATH, leaf
from enigm_testkit.vendor import SetClock
from enigm_tuf.errors import RefusedError, StateError
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.metadata import admit_root, trust_root
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


class Running:
    """A clock that is an hour later whenever it is looked at."""

    def __init__(self) -> None:
        self.time = NOW - timedelta(hours=1)

    def now(self) -> datetime:
        self.time += timedelta(hours=1)
        return self.time


def test_time_stands_still_from_the_start_of_an_update_to_its_end(served: Served) -> None:
    """5.1: everything expires within the hour, and the clock is looked at once."""
    served.clock = clock = Running()
    role = leaf()
    root, snapshot, stamp = served.root(), make_snapshot({"targets": 1}), make_timestamp()
    value: Signed
    for value in (root, role, snapshot, stamp):
        expiring(value, SECOND)
    served.store.commit(DeviceState({"root": served.put("root", root)}))
    documents: dict[str, Signed] = {"targets": role, "snapshot": snapshot, "timestamp": stamp}
    for name, value in documents.items():
        served.put(name, value)
    assert served.refreshed().target(PATH).path == PATH
    assert clock.time == NOW
    refused("ROOT-EXPIRED", served.refreshed)  # the same files an hour later


def test_the_trusted_root_may_have_expired_if_its_successor_has_not(served: Served) -> None:
    """5.2: its expiry does not matter, because an update comes next."""
    root = served.root()
    expiring(root, -SECOND)
    served.store.commit(DeviceState({"root": served.put("root", root)}))
    served.publish()
    refused("ROOT-EXPIRED", served.refreshed)
    served.put("root", served.root(2))
    assert served.refreshed().trusted.root.value.version == 2


@pytest.mark.parametrize("signers", [2, 1])
def test_the_shipped_root_meets_its_own_threshold(cast: Cast, signers: int) -> None:
    """5.2."""
    data = signed(make_root(cast), cast.root[:signers])
    if signers == 2:
        assert trust_root(data, NOW, PlainTuf()).root.value.version == 1
    else:
        refused("SIGNATURE-THRESHOLD", lambda: trust_root(data, NOW, PlainTuf()))


def test_a_device_may_be_shipped_with_any_version(cast: Cast) -> None:
    """5.2: versions start where the device does; 5.3.5 goes on from there."""
    state = rooted(cast, make_root(cast, 41))
    assert admit_root(state, signed(make_root(cast, 42), cast.root)).root.value.version == 42
    refused("ROOT-VERSION", lambda: admit_root(state, signed(make_root(cast, 2), cast.root)))


def test_a_store_without_a_root_starts_no_update(served: Served) -> None:
    """5.2."""
    served.store.commit(DeviceState({}))
    with pytest.raises(StateError, match="no trusted root"):
        served.workflow()


def test_metadata_of_another_role_is_no_trusted_root(cast: Cast) -> None:
    """5.2, 4.3: whoever signed it."""
    data = signed(make_role({}), cast.root)
    refused("METADATA-TYPE", lambda: trust_root(data, NOW, PlainTuf()))
