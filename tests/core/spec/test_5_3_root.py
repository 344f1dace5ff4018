"""The root chain (TUF 1.0.34, 5.3)."""

from datetime import timedelta

import pytest

from enigm_testkit.authorities import Cast, make_root, signed
from enigm_testkit.clauses import SECOND, expiring, refused, rooted, timestamped
from enigm_tuf.model.value import replace
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
    before = replace(state)
    refused("ROOT-VERSION", lambda: admit_root(state, signed(make_root(cast, 3), cast.root)))
    assert state == before
