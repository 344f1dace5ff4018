"""TIME-FLOOR and TARGET-HASH, accepted and refused by one thing."""

from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.authorities import NOW, Cast, make_root, signed
from enigm_testkit.plain import PlainTuf
from enigm_testkit.vendor import SetClock
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import DeviceState
from enigm_tuf_client.download import Wanted, download
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


@pytest.mark.rule("TARGET-HASH", "accept")
def test_the_bytes_that_are_signed_get_the_name(tmp_path: Path) -> None:
    (tmp_path / "served").write_bytes(b"right")
    download([FileFetcher(tmp_path)], Wanted("served", 5, {"sha256": sha256(b"right")}), tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"right"


@pytest.mark.rule("TARGET-HASH", "reject")
@pytest.mark.parametrize("data", [b"wrong", b"righ", b""])
def test_other_bytes_never_get_the_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "served").write_bytes(data)
    with pytest.raises(RefusedError, match="TARGET-HASH"):
        download([FileFetcher(tmp_path)], Wanted("served", 5, {"sha256": sha256(b"right")}), tmp_path / "got")
    assert [file.name for file in tmp_path.iterdir()] == ["served"]
