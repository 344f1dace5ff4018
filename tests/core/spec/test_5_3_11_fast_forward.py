"""Recovery from a fast-forward attack by new keys (TUF 1.0.34, 5.3.11)."""

import pytest

from enigm_testkit.authorities import Cast, make_role, make_root, make_snapshot, make_timestamp
from enigm_testkit.clauses import refused
from enigm_testkit.served import Served

FAR = 2**31


def new_keys(served: Served, *roles: str) -> None:
    """Root 2 gives these roles other keys."""
    new, old = Cast(), served.cast
    manifest = new.manifest if "snapshot" in roles else old.manifest
    served.cast = Cast(old.root, old.payload, manifest, new.timestamp if "timestamp" in roles else old.timestamp)
    served.put("root", make_root(served.cast, 2))


@pytest.mark.parametrize("rotated", [True, False])
def test_after_new_timestamp_keys_the_old_timestamp_no_longer_counts(served: Served, rotated: bool) -> None:
    """5.3.11 (1)."""
    served.publish()
    served.put("timestamp", make_timestamp(1, FAR))
    assert served.refreshed().trusted.timestamp
    new_keys(served, *(["timestamp"] if rotated else []))
    data = served.put("timestamp", make_timestamp(1, 2))
    if rotated:
        served.refreshed()
        assert served.stored("timestamp") == data
    else:
        refused("ROLLBACK-TIMESTAMP", served.refreshed)


@pytest.mark.parametrize("rotated", [True, False])
def test_after_new_snapshot_keys_the_roles_in_the_old_snapshot_no_longer_count(served: Served, rotated: bool) -> None:
    """5.3.11 (3): whoever had the snapshot keys said that targets have a version far ahead, and an extra role."""
    served.put("targets", make_role({}, FAR))
    served.put("snapshot", make_snapshot({"targets": FAR, "extra": 1}))
    served.put("timestamp", make_timestamp())
    served.refreshed()
    new_keys(served, *(["snapshot"] if rotated else []))
    served.publish(2)
    if rotated:
        assert served.refreshed().trusted.targets["targets",].value.version == 2
    else:
        refused("ROLLBACK-SNAPSHOT", served.refreshed)


@pytest.mark.parametrize("roles", [("timestamp", "snapshot"), ("snapshot",), ("timestamp",)], ids="-".join)
def test_after_new_keys_the_snapshot_version_in_the_old_timestamp_no_longer_counts(
    served: Served, roles: tuple[str, ...]
) -> None:
    """5.3.11 (2): whoever had the snapshot keys made a version far ahead, and timestamp named it."""
    served.publish(FAR)
    served.refreshed()
    new_keys(served, *roles)
    served.publish(2)
    served.put("timestamp", make_timestamp(2, FAR + 1))
    assert served.refreshed().trusted.snapshot
