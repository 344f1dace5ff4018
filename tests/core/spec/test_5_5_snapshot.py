"""Snapshot (TUF 1.0.34, 5.5)."""

import hashlib
from datetime import timedelta

import pytest
from tuf.api.metadata import (
    MetaFile,
)

from enigm_testkit.authorities import (
    NOW,
    Cast,
    make_role,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
    signed,
)
from enigm_testkit.clauses import SECOND, expiring, refused, snapshotted, timestamped
from enigm_testkit.plain import PlainTuf
from enigm_testkit.served import Served
from enigm_testkit.vendor import SetClock
from enigm_tuf.errors import MalformedError, MisuseError, TransportError
from enigm_tuf.limits import LIMITS
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
    assert refused("SNAPSHOT-VERSION", lambda: admit_snapshot(state, data)).subject == "snapshot"


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


@pytest.mark.parametrize("named", [True, False])
def test_a_snapshot_is_fetched_up_to_the_length_in_timestamp_or_the_bound(served: Served, named: bool) -> None:
    """5.5.1, Y."""
    served.publish()
    data = served.put("snapshot", make_snapshot({"targets": 1}))
    if named:
        served.name_snapshot(data, 1)
    served.refreshed()
    assert served.fetcher.bounds["metadata/1.snapshot.json"] == (len(data) if named else LIMITS.snapshot_bytes)


@pytest.mark.parametrize("more", [0, 1])
def test_a_snapshot_has_at_most_as_many_bytes_as_the_bound(served: Served, more: int) -> None:
    """5.5.1, Y."""
    served.publish()
    file = served.metadata / "1.snapshot.json"
    file.write_bytes(file.read_bytes().ljust(LIMITS.snapshot_bytes + more))
    if more:
        with pytest.raises(TransportError, match="longer than the 2,000,000 bytes"):
            served.refreshed()
    else:
        assert served.refreshed().trusted.snapshot


@pytest.mark.parametrize(
    ("algorithm", "wrong", "trusted"),
    [("sha512", False, True), ("sha512", True, False), ("sha3_256", False, True), ("md5", False, False)],
)
def test_every_hash_in_timestamp_matches(cast: Cast, algorithm: str, wrong: bool, trusted: bool) -> None:
    """5.5.2: beside the right SHA-256. A hash that this client does not know is no hash that matches."""
    data = signed(make_snapshot({"targets": 1}), cast.manifest)
    digest = hashlib.new(algorithm, data + b"." * wrong).hexdigest()
    timestamp = make_timestamp()
    timestamp.snapshot_meta = MetaFile(1, None, {"sha256": sha256(data), algorithm: digest})
    state = timestamped(cast, timestamp)
    if trusted:
        assert snapshot_is_current(admit_snapshot(state, data))
    else:
        refused("SNAPSHOT-HASH", lambda: admit_snapshot(state, data))


def test_hashes_are_compared_before_anything_is_parsed(cast: Cast) -> None:
    """5.5.2 comes before 5.5.3."""
    assert refused("SNAPSHOT-HASH", lambda: snapshot_by_hash(cast, b"no JSON", b"other")).subject == "snapshot"
    with pytest.raises(MalformedError, match=r"^snapshot:"):
        snapshot_by_hash(cast, b"no JSON at all", b"no JSON at all")


@pytest.mark.parametrize(("by", "trusted"), [("manifest", True), ("timestamp", False), ("root", False), ("", False)])
def test_a_snapshot_is_signed_by_the_keys_of_snapshot(cast: Cast, by: str, trusted: bool) -> None:
    """5.5.3."""
    data = signed(make_snapshot({"targets": 1}), getattr(cast, by) if by else [])
    if trusted:
        assert admit_snapshot(timestamped(cast), data).snapshot
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_snapshot(timestamped(cast), data))


def test_snapshot_and_timestamp_of_different_releases_do_not_mix(served: Served) -> None:
    """5.5.2: both are signed, both have this version; only one is the one that timestamp names."""
    served.publish()
    right = served.put("snapshot", make_snapshot({"targets": 1}))
    timestamp = make_timestamp()
    timestamp.snapshot_meta = MetaFile(1, None, {"sha256": sha256(right)})
    served.put("timestamp", timestamp)
    served.put("snapshot", make_snapshot({"targets": 1, "phone": 1}))
    refused("SNAPSHOT-HASH", served.refreshed)
    (served.metadata / "1.snapshot.json").write_bytes(right)
    assert served.refreshed().trusted.snapshot


@pytest.mark.parametrize(("phone", "trusted"), [(3, True), (2, True), (1, False), (None, False)])
def test_a_restart_forgets_no_role_of_the_snapshot(served: Served, phone: int | None, trusted: bool) -> None:
    """5.5.5, 5.5.7: against the one that was stored, which may have expired since."""
    expiring(targets := make_role({}), timedelta(days=50))
    served.publish(1, targets=targets, phone=make_role({}, 2))
    served.refreshed()
    served.clock = SetClock(NOW + timedelta(days=40))
    snapshot = make_snapshot({"targets": 1} | ({"phone": phone} if phone else {}), 2)
    stamp = make_timestamp(2, 2)
    for value in (snapshot, stamp):
        expiring(value, timedelta(days=50))
    new = served.put("snapshot", snapshot)
    served.put("timestamp", stamp)
    old = served.stored("snapshot")
    if trusted:
        served.refreshed()
    else:
        refused("ROLLBACK-SNAPSHOT", served.refreshed)
    assert served.stored("snapshot") == (new if trusted else old)


@pytest.mark.parametrize("when", [SECOND, timedelta(0)])
def test_a_snapshot_is_stored_only_if_it_is_unexpired(served: Served, when: timedelta) -> None:
    """5.5.6, 5.5.7. The timestamp before it stays (5.4.5)."""
    served.publish()
    snapshot = make_snapshot({"targets": 1})
    expiring(snapshot, when)
    data = served.put("snapshot", snapshot)
    if when:
        served.refreshed()
        assert served.stored("snapshot") == data
    else:
        refused("SNAPSHOT-EXPIRED", served.refreshed)
        assert (served.stored("snapshot"), served.stored("timestamp") is None) == (None, False)


def test_a_stored_snapshot_that_is_current_is_not_fetched_again(served: Served) -> None:
    """5.5: a new timestamp that names the same snapshot costs one request."""
    served.publish()
    served.refreshed()
    served.put("timestamp", make_timestamp(1, 2))
    served.fetcher.asked.clear()
    served.refreshed()
    assert served.fetcher.asked == ["metadata/2.root.json", "metadata/timestamp.json"]
