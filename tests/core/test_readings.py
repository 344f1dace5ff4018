"""What was read before is found again by its very bytes, and by nothing else; trust is asked for every time."""

import pytest

from enigm_testkit.authorities import (
    NOW,
    Cast,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
    new_signer,
    signed,
)
from enigm_testkit.clauses import sealed
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.plain_snapshot import PlainSnapshot
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Snapshot, Targets
from enigm_tuf.trust import verified
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import TrustedMetadata, admit_snapshot, admit_targets, admit_timestamp, trust_root
from enigm_tuf.trust.verified import Readings, read_document, read_snapshot


def targets_file(cast: Cast) -> bytes:
    return signed(make_targets(cast), cast.manifest[:1])


def test_the_same_bytes_are_read_once_and_mean_what_they_meant() -> None:
    data, readings = targets_file(Cast()), Readings()
    first = readings.targets(data, "targets", len(data), sha256(data))
    again = readings.targets(bytes(bytearray(data)), "targets", len(data), sha256(data))
    plain = read_document(data, Targets, "targets", len(data))
    assert again is first
    assert (first.value, first.signatures, first.canonical) == (plain.value, plain.signatures, plain.canonical)


def test_a_digest_that_is_told_wrongly_finds_nothing() -> None:
    """The bytes decide: a digest of one file beside another one's bytes."""
    one, other, readings = targets_file(Cast()), targets_file(Cast()), Readings()
    first = readings.targets(one, "targets", len(one), sha256(one))
    assert readings.targets(other, "targets", len(other), sha256(one)).value != first.value


def test_what_is_known_is_still_too_long_where_less_is_allowed() -> None:
    data, readings = targets_file(Cast()), Readings()
    readings.targets(data, "targets", len(data), sha256(data))
    with pytest.raises(MalformedError, match="at most"):
        readings.targets(data, "targets", len(data) - 1, sha256(data))


def test_targets_are_no_snapshot_though_they_are_known() -> None:
    data, readings = targets_file(Cast()), Readings()
    readings.targets(data, "snapshot", len(data), sha256(data))
    with pytest.raises(RefusedError, match="METADATA-TYPE"):
        readings.snapshot(data, "snapshot", len(data), sha256(data))


def test_snapshots_are_read_as_text_and_once() -> None:
    body = make_snapshot({"targets": 1, "phone.payload": 7}).to_dict()
    data, readings = sealed(body, Cast().manifest), Readings()
    first = readings.snapshot(data, "snapshot", len(data), sha256(data))
    assert isinstance(first.value, PlainSnapshot)
    assert readings.snapshot(data, "snapshot", len(data), sha256(data)) is first
    assert type(read_snapshot(data, "snapshot", len(data), sha256(data)).value) is Snapshot
    with pytest.raises(MalformedError, match="at most"):
        Readings().snapshot(data, "snapshot", len(data) - 1, sha256(data))
    body["meta"]["targets.json"]["length"] = 7
    data = sealed(body, Cast().manifest)
    assert type(readings.snapshot(data, "snapshot", len(data), sha256(data)).value) is Snapshot


def test_the_last_few_are_kept() -> None:
    readings, files = Readings(), [targets_file(cast) for cast in [Cast()] for _ in range(15)]
    first, *_, last = [readings.targets(data, "targets", len(data), sha256(data)) for data in files]
    assert readings.targets(files[-1], "targets", len(files[-1]), sha256(files[-1])) is last
    assert readings.targets(files[0], "targets", len(files[0]), sha256(files[0])) is not first


def admitted(cast: Cast, readings: Readings, targets: bytes, snapshot: bytes) -> TrustedMetadata:
    """A new device each time."""
    root = signed(make_root(cast), cast.root)
    state = trust_root(root, NOW, AuthorityAdmission("staging"), readings=readings)
    state = admit_snapshot(admit_timestamp(state, signed(make_timestamp(), cast.timestamp)), snapshot)
    return admit_targets(state, ("targets",), targets)


def test_signatures_are_verified_again_under_another_root() -> None:
    cast, stranger, readings = Cast(), Cast(), Readings()
    snapshot = signed(make_snapshot({"targets": 1}), cast.manifest)
    assert admitted(cast, readings, targets_file(cast), snapshot).targets
    with pytest.raises(RefusedError, match="SIGNATURE-THRESHOLD"):
        admitted(stranger, readings, targets_file(stranger), snapshot)
    own = signed(make_snapshot({"targets": 1}), stranger.manifest)
    with pytest.raises(RefusedError, match="SIGNATURE-THRESHOLD"):
        admitted(stranger, readings, targets_file(cast), own)


def test_what_is_signed_by_nobody_stays_refused_however_often_it_is_read() -> None:
    cast, readings = Cast(), Readings()
    snapshot = signed(make_snapshot({"targets": 1}), cast.manifest)
    forged = signed(make_targets(cast), [new_signer()])
    for _ in range(2):
        with pytest.raises(RefusedError, match="SIGNATURE-THRESHOLD"):
            admitted(cast, readings, forged, snapshot)


def test_versions_are_judged_again() -> None:
    cast, readings = Cast(), Readings()
    assert admitted(cast, readings, targets_file(cast), signed(make_snapshot({"targets": 1}), cast.manifest)).targets
    with pytest.raises(RefusedError, match="TARGETS-VERSION"):
        admitted(cast, readings, targets_file(cast), signed(make_snapshot({"targets": 2}), cast.manifest))


def test_no_more_bytes_are_kept_than_are_allowed_but_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    cast, readings = Cast(), Readings()
    files = [targets_file(cast) for _ in range(4)]
    monkeypatch.setattr(verified, "_KEPT_BYTES", len(files[2]) + len(files[3]))
    found = [readings.targets(data, "targets", len(data), sha256(data)) for data in files]
    again = [readings.targets(data, "targets", len(data), sha256(data)) for data in reversed(files)][::-1]
    assert [one is other for one, other in zip(found, again, strict=True)] == [False, False, True, True]
    monkeypatch.setattr(verified, "_KEPT_BYTES", 1)
    last = readings.targets(files[0] + b" ", "targets", len(files[0]) + 1, sha256(files[0] + b" "))
    assert list(readings._kept.values()) == [last]


def test_what_is_asked_for_is_kept_longest() -> None:
    cast, readings = Cast(), Readings()
    files = [targets_file(cast) for _ in range(20)]
    first = readings.targets(files[0], "targets", len(files[0]), sha256(files[0]))
    for data in files:
        readings.targets(data, "targets", len(data), sha256(data))
        assert readings.targets(files[0], "targets", len(files[0]), sha256(files[0])) is first
