"""The TUF client workflow's decisions, each accepted and refused by one thing. Clauses are of TUF 1.0.33, section 5."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import MetaFile, Root, Signed, Snapshot, Targets, Timestamp

from enigm_testkit.authorities import (
    NOW,
    Cast,
    keyids,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
    new_signer,
    signed,
)
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import MalformedError, MisuseError, RefusedError
from enigm_tuf.model.strict_json import encode, parse, sha256
from enigm_tuf.model.value import replace
from enigm_tuf.trust.metadata import (
    TrustedMetadata,
    admit_root,
    admit_snapshot,
    admit_targets,
    admit_timestamp,
    require_fresh_root,
    snapshot_is_current,
    trust_root,
)

SECOND = timedelta(seconds=1)


@pytest.fixture
def cast() -> Cast:
    return Cast()


def rooted(cast: Cast, root: Root | None = None) -> TrustedMetadata:
    return trust_root(signed(root or make_root(cast), cast.root), NOW, PlainTuf())


def timestamped(cast: Cast, timestamp: Timestamp | None = None, *, stored: bool = False) -> TrustedMetadata:
    data = signed(timestamp or make_timestamp(), cast.timestamp)
    return admit_timestamp(rooted(cast), data, stored=stored)


def snapshotted(cast: Cast, snapshot: Snapshot | None = None) -> TrustedMetadata:
    snapshot = snapshot or make_snapshot({"targets": 1})
    state = timestamped(cast, make_timestamp(snapshot.version))
    return admit_snapshot(state, signed(snapshot, cast.manifest))


def with_targets(cast: Cast, targets: Targets, meta: MetaFile | None = None) -> TrustedMetadata:
    snapshot = make_snapshot({})
    snapshot.meta["targets.json"] = meta or MetaFile(1)
    return admit_targets(snapshotted(cast, snapshot), ("targets",), signed(targets, cast.manifest))


def refused(rule: str, step: Callable[[], object]) -> None:
    with pytest.raises(RefusedError) as caught:
        step()
    assert caught.value.rule == rule


def expiring(value: Signed, when: timedelta) -> None:
    value.expires = NOW + when


@pytest.mark.rule("METADATA-TYPE", "accept")
def test_a_timestamp_in_the_place_of_a_timestamp_is_trusted(cast: Cast) -> None:
    """4.6."""
    assert timestamped(cast).timestamp


@pytest.mark.rule("METADATA-TYPE", "reject")
def test_a_snapshot_in_the_place_of_a_timestamp_is_refused_though_its_key_may_sign_timestamps(cast: Cast) -> None:
    """4.6: the type says what the bytes mean, whoever signed them."""
    data = signed(make_snapshot({"targets": 1}), cast.timestamp)
    refused("METADATA-TYPE", lambda: admit_timestamp(rooted(cast), data))


@pytest.mark.rule("ROOT-VERSION", "accept")
@pytest.mark.rule("SIGNATURE-THRESHOLD", "accept")
def test_a_root_one_version_newer_with_both_thresholds_is_trusted(cast: Cast) -> None:
    """5.3.4, 5.3.5."""
    assert admit_root(rooted(cast), signed(make_root(cast, 2), cast.root[:2])).root.value.version == 2


@pytest.mark.rule("ROOT-VERSION", "reject")
@pytest.mark.parametrize("version", [1, 3, 4])
def test_a_root_of_any_other_version_is_refused(cast: Cast, version: int) -> None:
    """5.3.5."""
    root = make_root(Cast(cast.root), version)
    state = rooted(cast, make_root(cast, 2))
    if version == 3:
        state = rooted(cast, make_root(cast, 1))
    refused("ROOT-VERSION", lambda: admit_root(state, signed(root, cast.root)))


@pytest.mark.rule("SIGNATURE-THRESHOLD", "reject")
@pytest.mark.parametrize("old_keys_sign", [True, False])
def test_a_root_signed_only_by_the_old_or_only_by_the_new_keys_is_refused(cast: Cast, old_keys_sign: bool) -> None:
    """5.3.4: by the trusted root's threshold and by its own."""
    new = Cast()
    signers = cast.root if old_keys_sign else new.root
    refused("SIGNATURE-THRESHOLD", lambda: admit_root(rooted(cast), signed(make_root(new, 2), signers)))
    both = signed(make_root(new, 2), [*cast.root, *new.root])
    assert admit_root(rooted(cast), both).root.value.version == 2


@pytest.mark.rule("ROOT-EXPIRED", "accept")
def test_a_root_that_expires_in_one_second_is_fresh(cast: Cast) -> None:
    """5.3.10."""
    root = make_root(cast)
    expiring(root, SECOND)
    require_fresh_root(rooted(cast, root))


@pytest.mark.rule("ROOT-EXPIRED", "reject")
@pytest.mark.parametrize("when", [timedelta(0), -SECOND])
def test_a_root_that_expired_is_refused(cast: Cast, when: timedelta) -> None:
    """5.3.10: an expiry must be after the start time of the update."""
    root = make_root(cast)
    expiring(root, when)
    refused("ROOT-EXPIRED", lambda: require_fresh_root(rooted(cast, root)))


def test_an_expired_root_may_still_name_its_successor(cast: Cast) -> None:
    """5.3.3: intermediate roots may have expired."""
    root = make_root(cast)
    expiring(root, -SECOND)
    require_fresh_root(admit_root(rooted(cast, root), signed(make_root(cast, 2), cast.root)))


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


@pytest.mark.rule("TARGETS-HASH", "accept")
@pytest.mark.rule("TARGETS-HASH", "reject")
@pytest.mark.parametrize(("named", "more", "trusted"), [(None, 0, True), (b"other", 0, False), (None, 1, False)])
def test_targets_have_the_length_and_hash_in_snapshot(
    cast: Cast, named: bytes | None, more: int, trusted: bool
) -> None:
    """5.6.2."""
    targets = make_targets(cast)
    data = signed(targets, cast.manifest)
    snapshot = make_snapshot({})
    snapshot.meta["targets.json"] = MetaFile(1, len(data) + more, {"sha256": sha256(named or data)})
    state = snapshotted(cast, snapshot)
    if trusted:
        assert admit_targets(state, ("targets",), data).targets
    else:
        refused("TARGETS-HASH", lambda: admit_targets(state, ("targets",), data))


@pytest.mark.rule("TARGETS-VERSION", "accept")
def test_targets_of_the_version_in_snapshot_are_trusted(cast: Cast) -> None:
    """5.6.4."""
    assert with_targets(cast, make_targets(cast), MetaFile(1)).targets


@pytest.mark.rule("TARGETS-VERSION", "reject")
def test_targets_of_another_version_than_in_snapshot_are_refused(cast: Cast) -> None:
    """5.6.4."""
    refused("TARGETS-VERSION", lambda: with_targets(cast, make_targets(cast), MetaFile(2)))


@pytest.mark.rule("TARGETS-VERSION", "reject")
def test_targets_that_snapshot_does_not_list_are_refused(cast: Cast) -> None:
    """5.6.4: no version was vouched for."""
    state = snapshotted(cast, make_snapshot({"phone": 1}))
    data = signed(make_targets(cast), cast.manifest)
    refused("TARGETS-VERSION", lambda: admit_targets(state, ("targets",), data))


@pytest.mark.rule("TARGETS-EXPIRED", "accept")
def test_targets_that_expire_in_one_second_are_trusted(cast: Cast) -> None:
    """5.6.5."""
    targets = make_targets(cast)
    expiring(targets, SECOND)
    assert with_targets(cast, targets).targets


@pytest.mark.rule("TARGETS-EXPIRED", "reject")
@pytest.mark.parametrize("when", [timedelta(0), -SECOND])
def test_expired_targets_are_refused(cast: Cast, when: timedelta) -> None:
    """5.6.5."""
    targets = make_targets(cast)
    expiring(targets, when)
    refused("TARGETS-EXPIRED", lambda: with_targets(cast, targets))


def test_a_refusal_leaves_the_state_that_was_passed_in(cast: Cast) -> None:
    """5.3.4 and after: on a failure the old trusted metadata stay."""
    state = timestamped(cast)
    before = replace(state)
    refused("ROOT-VERSION", lambda: admit_root(state, signed(make_root(cast, 3), cast.root)))
    assert state == before


@pytest.mark.rule("THRESHOLD-DISTINCT", "reject")
@pytest.mark.rule("THRESHOLD-DISTINCT", "accept")
@pytest.mark.parametrize("distinct", [True, False])
def test_one_key_that_signs_under_two_keyids_counts_once(cast: Cast, distinct: bool) -> None:
    """5.3.4: a threshold of unique keys, whatever they are called."""
    first, second = new_signer(), new_signer()
    twin = first.public_key
    copy = type(twin)("d" * 64, twin.keytype, twin.scheme, dict(twin.keyval))
    root = make_root(cast)
    root.roles["timestamp"].keyids = keyids([first])
    root.roles["timestamp"].threshold = 2
    root.keys[twin.keyid] = twin
    other = second.public_key if distinct else copy
    root.keys[other.keyid] = other
    root.roles["timestamp"].keyids.append(other.keyid)
    data = signed(make_timestamp(), [first, second if distinct else renamed(first, copy.keyid)])
    if distinct:
        assert admit_timestamp(rooted(cast, root), data).timestamp
    else:
        refused("THRESHOLD-DISTINCT", lambda: admit_timestamp(rooted(cast, root), data))


def renamed(signer: CryptoSigner, keyid: str) -> CryptoSigner:
    """The same private key, which signs under another keyid."""
    public = type(signer.public_key)(
        keyid, signer.public_key.keytype, signer.public_key.scheme, dict(signer.public_key.keyval)
    )
    return CryptoSigner(signer._private_key, public)


def test_the_same_keyid_twice_in_one_file_is_malformed(cast: Cast) -> None:
    """4.2.1: keyids are unique in a file."""
    envelope = parse(signed(make_timestamp(), cast.timestamp), source="timestamp")
    envelope["signatures"].append(dict(envelope["signatures"][0]))
    with pytest.raises(MalformedError, match="twice"):
        admit_timestamp(rooted(cast), encode(envelope))
