"""Timestamp (TUF 1.0.34, 5.4)."""

from datetime import timedelta

import pytest

from enigm_testkit.authorities import Cast, make_snapshot, make_timestamp, signed
from enigm_testkit.clauses import SECOND, expiring, refused, rooted, timestamped
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
