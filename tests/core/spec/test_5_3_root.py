"""The root chain (TUF 1.0.34, 5.3)."""

from copy import copy
from datetime import timedelta

import pytest

from enigm_testkit.authorities import Cast, make_root, signed
from enigm_testkit.clauses import SECOND, expiring, refused, rooted, timestamped
from enigm_testkit.served import Served
from enigm_tuf.errors import TransportError
from enigm_tuf.limits import LIMITS
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.metadata import admit_root, require_fresh_root


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


def test_a_refusal_leaves_the_state_that_was_passed_in(cast: Cast) -> None:
    """5.3.4 and after: on a failure the old trusted metadata stay."""
    state = timestamped(cast)
    before = copy(state)
    refused("ROOT-VERSION", lambda: admit_root(state, signed(make_root(cast, 3), cast.root)))
    assert state == before


def chain(served: Served, length: int) -> list[Cast]:
    """Roots 2 to ``length``, each with keys that none before had, signed by its own and the keys before."""
    casts = [served.cast]
    for version in range(2, length + 1):
        new = Cast()
        served.put("root", make_root(new, version), [*casts[-1].root, *new.root])
        casts.append(new)
    served.cast = casts[-1]
    served.publish()
    return casts


def test_every_root_between_the_trusted_and_the_newest_is_walked(served: Served) -> None:
    """5.3.1, 5.3.3, 5.3.9: though the keys of the first root mean nothing to the last."""
    chain(served, 5)
    assert served.refreshed().trusted.root.value.version == 5
    assert served.fetcher.asked[:5] == [f"metadata/{version}.root.json" for version in range(2, 7)]


def test_a_chain_ends_at_the_first_root_that_is_not_there(served: Served) -> None:
    """5.3.3: no version is skipped; what the keys of root 5 signed proves nothing to root 2."""
    chain(served, 5)
    (served.metadata / "3.root.json").unlink()
    refused("SIGNATURE-THRESHOLD", served.refreshed)
    assert served.workflow().trusted.root.value.version == 2


def test_a_bad_root_ends_the_update_and_the_good_ones_before_it_stay(served: Served) -> None:
    """5.3.4, 5.3.8: the next update begins at version N, and goes through once N+1 is right."""
    casts = chain(served, 4)
    good = (served.metadata / "4.root.json").read_bytes()
    served.put("root", make_root(casts[3], 4), casts[3].root)
    refused("SIGNATURE-THRESHOLD", served.refreshed)
    assert served.stored("root") == (served.metadata / "3.root.json").read_bytes()
    assert served.stored("timestamp") is None
    (served.metadata / "4.root.json").write_bytes(good)
    assert served.refreshed().trusted.root.value.version == 4
    assert served.stored("root") == good


def test_one_update_walks_a_bounded_number_of_roots_and_the_next_goes_on(served: Served) -> None:
    """5.3.3, Y: then the newest root that was reached is in force."""
    for version in range(2, LIMITS.root_rotations + 3):
        served.put("root", served.root(version), served.cast.root[:2])
    served.publish()
    assert served.refreshed().trusted.root.value.version == LIMITS.root_rotations + 1
    assert served.refreshed().trusted.root.value.version == LIMITS.root_rotations + 2


@pytest.mark.parametrize("more", [0, 1])
def test_a_root_has_at_most_as_many_bytes_as_the_bound(served: Served, more: int) -> None:
    """5.3.3, W."""
    root = served.root(2)
    data = served.put("root", root)
    (served.metadata / "2.root.json").write_bytes(data + b" " * (LIMITS.root_bytes - len(data) + more))
    served.publish()
    if more:
        with pytest.raises(TransportError, match="longer than the 512,000 bytes"):
            served.refreshed()
    else:
        assert served.refreshed().trusted.root.value.version == 2


@pytest.mark.parametrize(("old", "new", "trusted"), [(2, 3, True), (1, 3, False), (2, 2, False)])
def test_both_thresholds_are_met_each_with_its_own_number(cast: Cast, old: int, new: int, trusted: bool) -> None:
    """5.3.4, 6.1: at least 2 keys of version 1 and at least 3 of version 2."""
    following = Cast()
    root = make_root(following, 2)
    root.roles["root"].threshold = 3
    data = signed(root, [*cast.root[:old], *following.root[:new]])
    if trusted:
        assert admit_root(rooted(cast), data).root.value.version == 2
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_root(rooted(cast), data))


def test_keys_of_other_roles_never_count_for_root(cast: Cast) -> None:
    """5.3.4: the file names these keys, and other roles use them."""
    root, others = make_root(cast, 2), [*cast.manifest, *cast.timestamp]
    assert admit_root(rooted(cast), signed(root, [*cast.root[:2], *others])).root.value.version == 2
    refused("SIGNATURE-THRESHOLD", lambda: admit_root(rooted(cast), signed(root, [*cast.root[:1], *others])))


def test_intermediate_roots_may_have_expired_and_the_last_may_not(served: Served) -> None:
    """5.3.6, 5.3.10."""
    for version, when in ((2, -SECOND), (3, SECOND)):
        root = served.root(version)
        expiring(root, when)
        served.put("root", root)
    served.publish()
    assert served.refreshed().trusted.root.value.version == 3
    last = served.root(4)
    expiring(last, timedelta(0))
    data = served.put("root", last)
    refused("ROOT-EXPIRED", served.refreshed)
    assert served.stored("root") == data, "5.3.8 comes before 5.3.10"


@pytest.mark.parametrize(("first", "second"), [(False, True), (True, False)])
def test_the_newest_root_says_whether_snapshots_are_consistent(served: Served, first: bool, second: bool) -> None:
    """5.3.12."""
    served.consistent = first
    served.store.commit(DeviceState({"root": served.put("root", served.root())}))
    served.consistent = second
    served.put("root", served.root(2))
    served.publish()
    served.refreshed()
    assert ("metadata/1.targets.json" in served.fetcher.asked) is second
