"""Snapshot (TUF 1.0.34, 5.5)."""

from datetime import timedelta

import pytest
from tuf.api.metadata import (
    MetaFile,
)

from enigm_testkit.authorities import NOW, Cast, make_root, make_snapshot, make_targets, make_timestamp, signed
from enigm_testkit.clauses import SECOND, expiring, refused, snapshotted, timestamped
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.trust.metadata import (
    TrustedMetadata,
    admit_snapshot,
    admit_targets,
    admit_timestamp,
    snapshot_is_current,
    trust_root,
)


def snapshot_by_hash(cast: Cast, data: bytes, named: bytes, length: int | None = None) -> TrustedMetadata:
    timestamp = make_timestamp()
    timestamp.snapshot_meta = MetaFile(1, length, {"sha256": sha256(named)})
    return admit_snapshot(timestamped(cast, timestamp), data)


@pytest.mark.rule("SNAPSHOT-HASH", "accept")
def test_a_snapshot_with_the_length_and_hash_in_timestamp_is_trusted(cast: Cast) -> None:
    """5.5.2."""
    data = signed(make_snapshot({"targets": 1}), cast.manifest)
    assert snapshot_by_hash(cast, data, data, len(data)).snapshot


@pytest.mark.rule("SNAPSHOT-HASH", "reject")
@pytest.mark.parametrize("change", ["hash", "length"])
def test_a_snapshot_of_another_hash_or_length_is_refused_though_it_is_signed(cast: Cast, change: str) -> None:
    """5.5.2."""
    data = signed(make_snapshot({"targets": 1}), cast.manifest)
    other, more = (b"other", 0) if change == "hash" else (data, 1)
    refused("SNAPSHOT-HASH", lambda: snapshot_by_hash(cast, data, other, len(data) + more))


@pytest.mark.rule("SNAPSHOT-VERSION", "accept")
def test_a_snapshot_of_the_version_in_timestamp_is_trusted(cast: Cast) -> None:
    """5.5.4."""
    assert snapshot_is_current(snapshotted(cast, make_snapshot({"targets": 1}, 2)))


@pytest.mark.rule("SNAPSHOT-VERSION", "reject")
@pytest.mark.parametrize("version", [1, 3])
def test_a_snapshot_of_another_version_than_in_timestamp_is_refused(cast: Cast, version: int) -> None:
    """5.5.4."""
    state = timestamped(cast, make_timestamp(2))
    data = signed(make_snapshot({"targets": 1}, version), cast.manifest)
    refused("SNAPSHOT-VERSION", lambda: admit_snapshot(state, data))


def next_snapshot(cast: Cast, versions: dict[str, int]) -> TrustedMetadata:
    """From targets 2 and phone 2 in snapshot 1 to ``versions`` in snapshot 2."""
    state = snapshotted(cast, make_snapshot({"targets": 2, "phone": 2}))
    state = admit_timestamp(state, signed(make_timestamp(2, 2), cast.timestamp))
    return admit_snapshot(state, signed(make_snapshot(versions, 2), cast.manifest))


@pytest.mark.rule("ROLLBACK-SNAPSHOT", "accept")
def test_a_snapshot_in_which_versions_stay_or_grow_and_roles_appear_is_trusted(cast: Cast) -> None:
    """5.5.5."""
    assert snapshot_is_current(next_snapshot(cast, {"targets": 2, "phone": 3, "tablet": 1}))


@pytest.mark.rule("ROLLBACK-SNAPSHOT", "reject")
@pytest.mark.parametrize("versions", [{"targets": 1, "phone": 2}, {"targets": 2, "phone": 1}, {"targets": 2}])
def test_a_snapshot_in_which_a_version_shrinks_or_a_role_vanishes_is_refused(
    cast: Cast, versions: dict[str, int]
) -> None:
    """5.5.5."""
    refused("ROLLBACK-SNAPSHOT", lambda: next_snapshot(cast, versions))


@pytest.mark.rule("SNAPSHOT-EXPIRED", "accept")
def test_a_snapshot_that_expires_in_one_second_is_trusted(cast: Cast) -> None:
    """5.5.6."""
    snapshot = make_snapshot({"targets": 1})
    expiring(snapshot, SECOND)
    assert snapshot_is_current(snapshotted(cast, snapshot))


@pytest.mark.rule("SNAPSHOT-EXPIRED", "reject")
@pytest.mark.parametrize("when", [timedelta(0), -SECOND])
def test_an_expired_snapshot_is_refused(cast: Cast, when: timedelta) -> None:
    """5.5.6."""
    snapshot = make_snapshot({"targets": 1})
    expiring(snapshot, when)
    refused("SNAPSHOT-EXPIRED", lambda: snapshotted(cast, snapshot))


def test_a_stored_snapshot_that_expired_is_not_current(cast: Cast) -> None:
    """5.5.6: it is fetched again, and targets never rest on it."""
    snapshot = make_snapshot({"targets": 1})
    expiring(snapshot, -SECOND)
    state = admit_snapshot(timestamped(cast), signed(snapshot, cast.manifest), stored=True)
    assert not snapshot_is_current(state)
    with pytest.raises(MisuseError):
        admit_targets(state, ("targets",), signed(make_targets(cast), cast.manifest))


@pytest.mark.parametrize(("named", "current"), [("phone.manifest", True), ("phone.payload", False)])
def test_the_same_version_with_other_bytes_is_not_the_snapshot_that_is_named(named: str, current: bool) -> None:
    cast = Cast()
    stored = signed(make_snapshot({"targets": 1, "phone.manifest": 1}), cast.manifest)
    other = stored if current else signed(make_snapshot({"targets": 1, named: 1}), cast.manifest)
    timestamp = make_timestamp()
    timestamp.snapshot_meta = MetaFile.from_data(1, other, ["sha256"])
    state = trust_root(signed(make_root(cast), cast.root), NOW, PlainTuf())
    state = admit_timestamp(state, signed(timestamp, cast.timestamp))
    assert snapshot_is_current(admit_snapshot(state, stored, stored=True)) is current
