"""Targets metadata, the top-level role's and delegated roles' (TUF 1.0.34, 5.6.1 to 5.6.6)."""

from datetime import timedelta

import pytest
from tuf.api.metadata import (
    DelegatedRole,
    MetaFile,
)

from enigm_testkit.authorities import Cast, keyids, make_snapshot, make_targets, new_signer, signed
from enigm_testkit.clauses import SECOND, expiring, refused, snapshotted, with_targets
from enigm_testkit.tree import Tree, delegating, leaf, to
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.trust.metadata import (
    admit_targets,
)


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


def test_no_metafile_means_no_version_and_no_role(cast: Cast) -> None:
    """5.6.4: a delegated role that snapshot does not list is not asked for."""
    tree = Tree(cast, {"targets": delegating(cast, to(cast, "a")), "a": leaf()}, unlisted=("a",))
    refused("TARGETS-VERSION", tree.find)


def test_a_role_that_two_delegate_is_verified_under_each_of_them(cast: Cast) -> None:
    """5.6.3: what one delegator vouches for proves nothing under another."""
    other = new_signer()
    strict = DelegatedRole("shared", keyids([other]), 1, False, ["payloads/phone/*/*"])
    by_b = make_targets(cast, {"shared": strict})
    assert by_b.delegations
    by_b.delegations.keys[other.public_key.keyid] = other.public_key
    roles = {
        "targets": delegating(cast, to(cast, "a"), to(cast, "b")),
        "a": delegating(cast, to(cast, "shared")),
        "b": by_b,
        "shared": leaf(),
    }
    tree = Tree(cast, roles)
    tree.find()
    assert ("targets", "a", "shared") in tree.state.targets
    state = admit_targets(tree.state, ("targets", "b"), signed(by_b, cast.manifest))
    lineage = ("targets", "b", "shared")
    refused("SIGNATURE-THRESHOLD", lambda: admit_targets(state, lineage, signed(roles["shared"], cast.manifest)))
    assert admit_targets(state, lineage, signed(roles["shared"], [other])).targets[lineage]
