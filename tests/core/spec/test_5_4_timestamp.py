"""Timestamp (TUF 1.0.34, 5.4)."""

from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.authorities import NOW, Cast, make_root, make_snapshot, make_timestamp, new_signer, signed
from enigm_testkit.clauses import SECOND, expiring, refused, rooted, timestamped
from enigm_testkit.served import Served
from enigm_testkit.vendor import SetClock
from enigm_tuf.errors import MisuseError, TransportError
from enigm_tuf.limits import LIMITS
from enigm_tuf.trust.metadata import admit_snapshot, admit_timestamp


@pytest.mark.rule("METADATA-TYPE", "accept")
def test_a_timestamp_in_the_place_of_a_timestamp_is_trusted(cast: Cast) -> None:
    """4.6."""
    assert timestamped(cast).timestamp


@pytest.mark.rule("METADATA-TYPE", "reject")
def test_a_snapshot_in_the_place_of_a_timestamp_is_refused_though_its_key_may_sign_timestamps(cast: Cast) -> None:
    """4.6: the type says what the bytes mean, whoever signed them."""
    data = signed(make_snapshot({"targets": 1}), cast.timestamp)
    refused("METADATA-TYPE", lambda: admit_timestamp(rooted(cast), data))


@pytest.mark.rule("ROLLBACK-TIMESTAMP", "accept")
@pytest.mark.parametrize("version", [6, 7])
def test_a_newer_timestamp_is_trusted(cast: Cast, version: int) -> None:
    """5.4.3."""
    state = timestamped(cast, make_timestamp(3, 5))
    after = admit_timestamp(state, signed(make_timestamp(3, version), cast.timestamp)).timestamp
    assert after
    assert after.value.version == version


@pytest.mark.rule("ROLLBACK-TIMESTAMP", "reject")
def test_an_older_timestamp_is_refused(cast: Cast) -> None:
    """5.4.3.1."""
    state = timestamped(cast, make_timestamp(3, 5))
    refused("ROLLBACK-TIMESTAMP", lambda: admit_timestamp(state, signed(make_timestamp(3, 4), cast.timestamp)))


@pytest.mark.rule("ROLLBACK-TIMESTAMP", "reject")
def test_a_newer_timestamp_with_an_older_snapshot_is_refused(cast: Cast) -> None:
    """5.4.3.2."""
    state = timestamped(cast, make_timestamp(3, 5))
    refused("ROLLBACK-TIMESTAMP", lambda: admit_timestamp(state, signed(make_timestamp(2, 6), cast.timestamp)))


def test_a_timestamp_of_the_same_version_keeps_the_old_one(cast: Cast) -> None:
    """5.4.3.1: the same object, so that nothing is written."""
    state = timestamped(cast, make_timestamp(3, 5))
    assert admit_timestamp(state, signed(make_timestamp(4, 5), cast.timestamp)) is state


@pytest.mark.rule("TIMESTAMP-EXPIRED", "accept")
def test_a_timestamp_that_expires_in_one_second_is_trusted(cast: Cast) -> None:
    """5.4.4."""
    timestamp = make_timestamp()
    expiring(timestamp, SECOND)
    assert timestamped(cast, timestamp).timestamp


@pytest.mark.rule("TIMESTAMP-EXPIRED", "reject")
@pytest.mark.parametrize("when", [timedelta(0), -SECOND])
def test_an_expired_timestamp_is_refused(cast: Cast, when: timedelta) -> None:
    """5.4.4."""
    timestamp = make_timestamp()
    expiring(timestamp, when)
    refused("TIMESTAMP-EXPIRED", lambda: timestamped(cast, timestamp))


def test_a_stored_timestamp_that_expired_serves_the_rollback_check_and_nothing_else(cast: Cast) -> None:
    """5.4.3 looks at the trusted timestamp; 5.5 never goes on from an expired one."""
    timestamp = make_timestamp(3, 5)
    expiring(timestamp, -SECOND)
    state = timestamped(cast, timestamp, stored=True)
    refused("ROLLBACK-TIMESTAMP", lambda: admit_timestamp(state, signed(make_timestamp(3, 4), cast.timestamp)))
    snapshot = signed(make_snapshot({"targets": 1}, 3), cast.manifest)
    refused("TIMESTAMP-EXPIRED", lambda: admit_snapshot(state, snapshot))


@pytest.mark.parametrize("more", [0, 1])
def test_a_timestamp_has_at_most_as_many_bytes_as_the_bound(served: Served, more: int) -> None:
    """5.4.1, X."""
    served.publish()
    file = served.metadata / "timestamp.json"
    file.write_bytes(file.read_bytes().ljust(LIMITS.timestamp_bytes + more))
    if more:
        with pytest.raises(TransportError, match="longer than the 16,384 bytes"):
            served.refreshed()
    else:
        assert served.refreshed().trusted.timestamp


@pytest.mark.parametrize("consistent", [True, False])
def test_timestamp_is_asked_for_by_its_fixed_name(tmp_path: Path, consistent: bool) -> None:
    """5.4.1: never with a version, even where snapshots are consistent."""
    served = Served(tmp_path, consistent=consistent)
    served.publish(7)
    served.refreshed()
    assert [path for path in served.fetcher.asked if "timestamp" in path] == ["metadata/timestamp.json"]


@pytest.mark.parametrize(("by", "trusted"), [("timestamp", True), ("manifest", False), ("root", False), ("", False)])
def test_a_timestamp_is_signed_by_the_keys_of_timestamp(cast: Cast, by: str, trusted: bool) -> None:
    """5.4.2: keys that root gives to other roles do not count."""
    data = signed(make_timestamp(), getattr(cast, by) if by else [])
    if trusted:
        assert admit_timestamp(rooted(cast), data).timestamp
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(rooted(cast), data))


@pytest.mark.parametrize("signers", [2, 1])
def test_a_timestamp_meets_the_threshold_that_root_gives(cast: Cast, signers: int) -> None:
    """5.4.2."""
    cast.timestamp.append(new_signer())
    root = make_root(cast)
    root.roles["timestamp"].threshold = 2
    data = signed(make_timestamp(), cast.timestamp[:signers])
    if signers == 2:
        assert admit_timestamp(rooted(cast, root), data).timestamp
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(rooted(cast, root), data))


def test_a_restart_forgets_no_timestamp(served: Served) -> None:
    """5.4.3.1, 5.4.5: it is stored as it came, and an older one is refused by the next process."""
    served.publish(2)
    served.refreshed()
    data = served.put("timestamp", make_timestamp(2, 3))
    served.refreshed()
    assert served.stored("timestamp") == data
    served.put("timestamp", make_timestamp(2, 2))
    refused("ROLLBACK-TIMESTAMP", served.refreshed)
    assert served.stored("timestamp") == data


def test_a_restart_forgets_no_snapshot_version(served: Served) -> None:
    """5.4.3.2: equal passes, less does not."""
    served.publish(2)
    served.refreshed()
    served.put("timestamp", make_timestamp(2, 3))
    served.refreshed()
    served.put("timestamp", make_timestamp(1, 4))
    refused("ROLLBACK-TIMESTAMP", served.refreshed)


def test_an_expired_timestamp_still_guards_against_older_ones_after_a_restart(served: Served) -> None:
    """5.4.3: the trusted one may have expired since; expiry is for new ones (5.4.4)."""
    served.publish(2)
    served.refreshed()
    served.clock = SetClock(NOW + timedelta(days=3))
    root = served.stored("root")
    old = make_timestamp(2, 1)
    expiring(old, timedelta(days=9))
    served.put("timestamp", old)
    refused("ROLLBACK-TIMESTAMP", served.refreshed)
    new = make_timestamp(2, 3)
    expiring(new, timedelta(days=9))
    served.put("timestamp", new)
    assert served.refreshed().trusted.timestamp
    assert served.stored("root") == root


def test_the_same_expired_timestamp_served_again_freezes_nobody(served: Served) -> None:
    """5.4.3.1, 5.4.4: that nothing is new must not hide that the one we have expired."""
    served.publish()
    served.refreshed()
    served.clock = SetClock(NOW + timedelta(days=2) - SECOND)
    assert served.refreshed().trusted.timestamp
    served.clock = SetClock(NOW + timedelta(days=2))
    refused("TIMESTAMP-EXPIRED", served.refreshed)


@pytest.mark.parametrize("when", [SECOND, timedelta(0)])
def test_a_timestamp_is_stored_only_if_it_is_unexpired(served: Served, when: timedelta) -> None:
    """5.4.4, 5.4.5."""
    served.publish()
    timestamp = make_timestamp()
    expiring(timestamp, when)
    data = served.put("timestamp", timestamp)
    if when:
        served.refreshed()
        assert served.stored("timestamp") == data
    else:
        refused("TIMESTAMP-EXPIRED", served.refreshed)
        assert served.stored("timestamp") is None


def test_a_timestamp_of_the_same_version_is_not_stored(served: Served) -> None:
    """5.4.3.1: discarded without an error, however much it is signed."""
    served.publish()
    served.refreshed()
    first = served.stored("timestamp")
    again = make_timestamp()
    expiring(again, timedelta(days=1))
    assert served.put("timestamp", again) != first
    served.refreshed()
    assert served.stored("timestamp") == first


def test_no_timestamp_is_looked_at_under_an_expired_root(cast: Cast) -> None:
    """5.3.10 comes before 5.4."""
    root = make_root(cast)
    expiring(root, timedelta(0))
    data = signed(make_timestamp(), cast.timestamp)
    refused("ROOT-EXPIRED", lambda: admit_timestamp(rooted(cast, root), data))


def test_snapshot_comes_after_timestamp(cast: Cast) -> None:
    """5.4 before 5.5."""
    with pytest.raises(MisuseError):
        admit_snapshot(rooted(cast), signed(make_snapshot({"targets": 1}), cast.manifest))


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
@pytest.mark.parametrize("version", [2, 1])
def test_a_damaged_file_does_not_open_the_way_back(served: Served, role: str, version: int) -> None:
    """5.4.3, 5.5.5: the versions that are remembered beside it still count."""
    served.publish(1)
    old = {path.name: path.read_bytes() for path in served.metadata.iterdir()}
    served.publish(2)
    served.refreshed()
    if version == 1:
        for name, data in old.items():
            (served.metadata / name).write_bytes(data)
    digest = served.store.load().metadata.digests[role]  # type: ignore[attr-defined]
    (served.path / "device/objects" / digest).write_bytes(b"damaged")
    if version == 2:
        assert served.refreshed().trusted.snapshot
    else:
        refused("ROLLBACK-TIMESTAMP", served.refreshed)


def test_a_role_that_vanishes_behind_a_damaged_snapshot_is_missed(served: Served) -> None:
    """5.5.5."""
    served.publish(1)
    served.refreshed()
    digest = served.store.load().metadata.digests["snapshot"]  # type: ignore[attr-defined]
    (served.path / "device/objects" / digest).write_bytes(b"damaged")
    served.put("snapshot", make_snapshot({"other": 1}, 2))
    served.put("timestamp", make_timestamp(2, 2))
    refused("ROLLBACK-SNAPSHOT", served.refreshed)
