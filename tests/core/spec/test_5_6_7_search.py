"""The search for a target through delegations (TUF 1.0.34, 5.6.7)."""

import pytest

from enigm_testkit.authorities import Cast, make_role
from enigm_testkit.clauses import refused
from enigm_testkit.tree import PATH, Tree, delegating, leaf, to
from enigm_tuf.limits import LIMITS


@pytest.mark.rule("TARGET-MISSING", "accept")
def test_a_target_is_found_in_the_first_role_that_lists_it(cast: Cast) -> None:
    """5.6.7: preorder, in the order of the delegations."""
    roles = {
        "targets": delegating(cast, to(cast, "a"), to(cast, "b"), to(cast, "c")),
        "a": delegating(cast, to(cast, "a1")),
        "a1": make_role({}),
        "b": leaf(),
        "c": leaf(),
    }
    tree = Tree(cast, roles)
    assert tree.find().path == PATH
    assert tree.visited == ["targets", "a", "a1", "b"]


@pytest.mark.rule("TARGET-MISSING", "reject")
def test_a_target_outside_the_delegated_paths_is_not_found(cast: Cast) -> None:
    """5.6.7: the role lists it, and may not."""
    tree = Tree(cast, {"targets": delegating(cast, to(cast, "a", paths=["payloads/tablet/*/*"])), "a": leaf()})
    refused("TARGET-MISSING", tree.find)
    assert tree.visited == ["targets"]


@pytest.mark.parametrize("terminating", [True, False])
def test_a_terminating_delegation_ends_the_search(cast: Cast, terminating: bool) -> None:
    """5.6.7.2.1."""
    targets = delegating(cast, to(cast, "a", terminating=terminating), to(cast, "b"))
    tree = Tree(cast, {"targets": targets, "a": make_role({}), "b": leaf()})
    if terminating:
        refused("TARGET-MISSING", tree.find)
    else:
        assert tree.find().path == PATH


def test_a_cycle_of_delegations_ends(cast: Cast) -> None:
    """5.6.7.1: a role is visited once."""
    roles = {
        "targets": delegating(cast, to(cast, "a")),
        "a": delegating(cast, to(cast, "b")),
        "b": delegating(cast, to(cast, "a")),
    }
    tree = Tree(cast, roles)
    refused("TARGET-MISSING", tree.find)
    assert tree.visited == ["targets", "a", "b"]


@pytest.mark.rule("DELEGATION-LIMIT", "accept")
@pytest.mark.rule("DELEGATION-LIMIT", "reject")
@pytest.mark.parametrize("more", [0, 1])
def test_a_search_visits_the_limit_and_not_one_role_more(cast: Cast, more: int) -> None:
    """5.6.7.1. The limit is on delegated roles; ``targets`` itself comes before them."""
    names = [f"r{number}" for number in range(LIMITS.delegations + more)]
    roles = {"targets": delegating(cast, *(to(cast, name) for name in names))}
    roles |= {name: make_role({}) for name in names} | {names[-1]: leaf()}
    tree = Tree(cast, roles)
    if more:
        refused("DELEGATION-LIMIT", tree.find)
    else:
        assert tree.find().path == PATH
