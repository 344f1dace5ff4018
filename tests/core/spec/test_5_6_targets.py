"""Targets metadata, the top-level role's and delegated roles' (TUF 1.0.34, 5.6.1 to 5.6.6)."""

from datetime import timedelta

import pytest
from tuf.api.metadata import (
    DelegatedRole,
    MetaFile,
)

from enigm_testkit.authorities import Cast, keyids, make_role, make_snapshot, make_targets, new_signer, signed
from enigm_testkit.clauses import SECOND, expiring, refused, snapshotted, with_targets
from enigm_testkit.served import Served
from enigm_testkit.tree import PATH, Tree, delegating, leaf, to
from enigm_tuf.errors import MisuseError, TransportError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import replace
from enigm_tuf.trust.metadata import admit_targets


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


@pytest.mark.parametrize("named", [True, False])
def test_targets_are_fetched_up_to_the_length_in_snapshot_or_the_bound(served: Served, named: bool) -> None:
    """5.6.1, Z."""
    served.publish()
    data = (served.metadata / "1.targets.json").read_bytes()
    if named:
        snapshot = make_snapshot({})
        snapshot.meta["targets.json"] = MetaFile.from_data(1, data, ["sha256"])
        served.put("snapshot", snapshot)
    served.refreshed()
    assert served.fetcher.bounds["metadata/1.targets.json"] == (len(data) if named else LIMITS.targets_bytes)


@pytest.mark.parametrize("more", [0, 1])
def test_targets_have_at_most_as_many_bytes_as_the_bound(served: Served, more: int) -> None:
    """5.6.1, Z."""
    served.publish()
    file = served.metadata / "1.targets.json"
    file.write_bytes(file.read_bytes().ljust(LIMITS.targets_bytes + more))
    if more:
        with pytest.raises(TransportError, match="longer than the 5,000,000 bytes"):
            served.refreshed()
    else:
        assert served.refreshed().trusted.targets


@pytest.mark.parametrize(("by", "trusted"), [("manifest", True), ("timestamp", False), ("root", False), ("", False)])
def test_targets_are_signed_by_the_keys_of_targets(cast: Cast, by: str, trusted: bool) -> None:
    """5.6.3."""
    data = signed(make_targets(cast), getattr(cast, by) if by else [])
    if trusted:
        assert admit_targets(snapshotted(cast), ("targets",), data).targets
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_targets(snapshotted(cast), ("targets",), data))


@pytest.mark.parametrize("signers", [2, 1])
def test_a_delegated_role_meets_its_delegators_threshold_with_its_delegators_keys(cast: Cast, signers: int) -> None:
    """5.6.3, 5.6.7. Root's keys for targets mean nothing below targets."""
    role = DelegatedRole("a", keyids(cast.payload), 2, False, ["payloads/phone/*/*"])
    tree = Tree(cast, {"targets": delegating(cast, role), "a": leaf()})
    tree.admit(("targets",))
    data = signed(leaf(), [*cast.payload[:signers], *cast.manifest, *cast.root])
    if signers == 2:
        assert admit_targets(tree.state, ("targets", "a"), data).targets["targets", "a"]
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_targets(tree.state, ("targets", "a"), data))


@pytest.mark.parametrize("listed", [True, False])
def test_a_delegation_counts_keys_that_it_lists_itself(cast: Cast, listed: bool) -> None:
    """4.5: the keyid alone is no key, though another file gives the key."""
    targets = delegating(cast, DelegatedRole("a", keyids(cast.timestamp), 1, False, ["payloads/phone/*/*"]))
    assert targets.delegations
    if listed:
        targets.delegations.keys |= {key.public_key.keyid: key.public_key for key in cast.timestamp}
    tree = Tree(cast, {"targets": targets, "a": leaf()})
    tree.admit(("targets",))
    data = signed(leaf(), cast.timestamp)
    if listed:
        assert admit_targets(tree.state, ("targets", "a"), data)
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_targets(tree.state, ("targets", "a"), data))


def test_a_role_that_nobody_delegates_is_refused(cast: Cast) -> None:
    """5.6.3: snapshot lists it, and that vouches for nothing but its version."""
    tree = Tree(cast, {"targets": delegating(cast, to(cast, "a")), "b": leaf()})
    tree.admit(("targets",))
    refused("SIGNATURE-THRESHOLD", lambda: tree.admit(("targets", "b")))
    with pytest.raises(MisuseError, match="a comes before"):
        tree.admit(("targets", "a", "b"))


def test_targets_of_an_older_release_do_not_mix_with_a_newer_snapshot(served: Served) -> None:
    """5.6.4: both are signed; a mirror serves the old file under the new name."""
    served.publish(1)
    served.publish(2)
    new = (served.metadata / "2.targets.json").read_bytes()
    (served.metadata / "2.targets.json").write_bytes((served.metadata / "1.targets.json").read_bytes())
    refused("TARGETS-VERSION", served.refreshed)
    assert served.stored("targets") is None
    (served.metadata / "2.targets.json").write_bytes(new)
    served.refreshed()
    assert served.stored("targets") == new


@pytest.mark.parametrize("when", [SECOND, timedelta(0)])
def test_a_delegated_role_is_stored_only_if_it_is_unexpired(served: Served, when: timedelta) -> None:
    """5.6.5, 5.6.6."""
    role = leaf()
    expiring(role, when)
    served.publish(1, targets=delegating(served.cast, to(served.cast, "a")), a=role)
    workflow = served.refreshed()
    if when:
        assert workflow.target(PATH).path == PATH
        assert served.stored("a") == (served.metadata / "1.a.json").read_bytes()
    else:
        refused("TARGETS-EXPIRED", lambda: workflow.target(PATH))
        assert served.stored("a") is None


def test_stored_targets_that_snapshot_still_names_are_not_fetched_again(served: Served) -> None:
    """5.6.6: and a role that changed is."""
    targets = delegating(served.cast, to(served.cast, "a"))
    served.publish(1, targets=targets, a=leaf())
    served.refreshed().target(PATH)
    served.publish(2, targets=targets, a=make_role(leaf().targets, 2))
    served.fetcher.asked.clear()
    served.refreshed().target(PATH)
    assert served.fetcher.asked[-2:] == ["metadata/2.snapshot.json", "metadata/2.a.json"]


def test_stored_targets_that_are_damaged_are_fetched_again(served: Served) -> None:
    """5.6.2: what the store holds is verified as what the network brings."""
    served.publish()
    served.refreshed()
    state = served.store.load()
    served.store.commit(replace(state, metadata={**state.metadata, "targets": b"damaged"}, remembered={}))
    assert served.refreshed().trusted.targets
    assert served.stored("targets") == (served.metadata / "1.targets.json").read_bytes()
