"""Each refusal says which file it is about: a tired engineer must not search. And sealed values are made by checks."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from enigm_testkit.authorities import Cast, make_root, make_snapshot, make_timestamp, signed
from enigm_testkit.clauses import SECOND, expiring, rooted, snapshotted, timestamped
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import MalformedError, MisuseError, RefusedError
from enigm_tuf.trust.metadata import (
    TrustedMetadata,
    admit_snapshot,
    admit_timestamp,
    current_timestamp,
    require_fresh_root,
    trust_root,
)
from enigm_tuf.trust.verified import Verified

TOO_FEW = "signatures by 1 distinct public keys, got 0, by 0 keyids"


def late_timestamp(cast: Cast) -> object:
    timestamp = make_timestamp()
    expiring(timestamp, timedelta(0))
    return admit_timestamp(rooted(cast), signed(timestamp, cast.timestamp))


def late_snapshot(cast: Cast) -> object:
    snapshot = make_snapshot({"targets": 1})
    expiring(snapshot, timedelta(0))
    return admit_snapshot(timestamped(cast), signed(snapshot, cast.manifest))


def late_root(cast: Cast) -> None:
    root = make_root(cast)
    expiring(root, timedelta(0))
    require_fresh_root(rooted(cast, root))


def stale(cast: Cast) -> object:
    timestamp = make_timestamp()
    expiring(timestamp, SECOND)
    data = signed(timestamp, cast.timestamp)
    state = rooted(cast)
    late = TrustedMetadata(state.now + timedelta(days=1), state.admission, state.root, _seal=state._seal)
    return current_timestamp(admit_timestamp(late, data, stored=True))


def older_timestamp(cast: Cast) -> object:
    return admit_timestamp(timestamped(cast, make_timestamp(1, 5)), signed(make_timestamp(1, 4), cast.timestamp))


def other_snapshot(cast: Cast) -> object:
    return admit_snapshot(timestamped(cast), signed(make_snapshot({"targets": 1}, 2), cast.manifest))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (late_root, "ROOT-EXPIRED: root version 1: "),
        (late_timestamp, "TIMESTAMP-EXPIRED: timestamp version 1: "),
        (stale, "TIMESTAMP-EXPIRED: timestamp version 1: "),
        (late_snapshot, "SNAPSHOT-EXPIRED: snapshot version 1: "),
        (older_timestamp, "ROLLBACK-TIMESTAMP: timestamp: "),
        (other_snapshot, "SNAPSHOT-VERSION: snapshot: "),
        (
            lambda cast: trust_root(signed(make_root(cast), cast.timestamp), rooted(cast).now, PlainTuf()),
            "SIGNATURE-THRESHOLD: root: ",
        ),
        (
            lambda cast: admit_timestamp(rooted(cast), signed(make_timestamp(), cast.manifest)),
            f"SIGNATURE-THRESHOLD: timestamp: expected {TOO_FEW}",
        ),
        (
            lambda cast: admit_snapshot(timestamped(cast), signed(make_snapshot({}), cast.timestamp)),
            "SIGNATURE-THRESHOLD: snapshot: ",
        ),
    ],
)
def test_a_refusal_names_the_file(cast: Cast, step: Callable[[Cast], object], said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        step(cast)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (lambda cast: trust_root(b"{", rooted(cast).now, PlainTuf()), "root"),
        (lambda cast: admit_timestamp(rooted(cast), b"{"), "timestamp"),
        (lambda cast: admit_snapshot(timestamped(cast), b"{"), "snapshot"),
    ],
)
def test_a_file_that_is_none_is_named(cast: Cast, step: Callable[[Cast], object], name: str) -> None:
    with pytest.raises(MalformedError) as caught:
        step(cast)
    assert caught.value.source == name


def test_nobody_makes_verified_or_trusted_metadata_by_hand(cast: Cast) -> None:
    state = snapshotted(cast)
    root = state.root
    with pytest.raises(MisuseError, match="verified metadata"):
        Verified(root.value, root.data, root.signatures, root.sha256, root.signers, root.root, root.delegator)
    with pytest.raises(MisuseError, match="trusted metadata"):
        TrustedMetadata(state.now, state.admission, root)
