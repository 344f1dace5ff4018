"""The search for a target through delegations (TUF 1.0.34, 5.6.7)."""

import itertools

import pytest
from tuf.api.metadata import DelegatedRole, TargetFile

from enigm_testkit.authorities import Cast, make_role
from enigm_testkit.clauses import refused
from enigm_testkit.served import Served
from enigm_testkit.tree import PATH, Tree, delegating, leaf, to
from enigm_tuf.errors import NotFoundError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256


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


def test_what_a_role_lists_itself_comes_before_what_it_delegates(cast: Cast) -> None:
    """5.6.7.1: targets are looked at before delegations, at every level."""
    targets = delegating(cast, to(cast, "a"))
    targets.targets = {PATH: TargetFile.from_data(PATH, b"targets itself")}
    tree = Tree(cast, {"targets": targets, "a": leaf()})
    assert tree.find().length == len(b"targets itself")
    assert tree.visited == ["targets"]


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_the_order_of_appearance_decides_between_roles_that_both_list_the_path(
    cast: Cast, order: tuple[str, str]
) -> None:
    """4.5, 5.6.7.2: whatever their names are."""
    roles = {name: make_role({PATH: TargetFile.from_data(PATH, name.encode() * 7)}) for name in order}
    tree = Tree(cast, {"targets": delegating(cast, *(to(cast, name) for name in order)), **roles})
    assert tree.find().hashes == {"sha256": sha256(order[0].encode() * 7)}
    assert tree.visited == ["targets", order[0]]


def test_the_search_is_depth_first(cast: Cast) -> None:
    """5.6.7: a's children, and theirs, come before b."""
    roles = {
        "targets": delegating(cast, to(cast, "a"), to(cast, "b")),
        "a": delegating(cast, to(cast, "a1"), to(cast, "a2")),
        "a1": delegating(cast, to(cast, "a11")),
        "a11": make_role({}),
        "a2": make_role({}),
        "b": leaf(),
    }
    tree = Tree(cast, roles)
    tree.find()
    assert tree.visited == ["targets", "a", "a1", "a11", "a2", "b"]


def test_a_terminating_delegation_lets_its_own_descendants_answer(cast: Cast) -> None:
    """4.5, 5.6.7.2.1: it ends the search after its own subtree, at every level above it too."""
    roles = {
        "targets": delegating(cast, to(cast, "a"), to(cast, "z")),
        "a": delegating(cast, to(cast, "b", terminating=True), to(cast, "c")),
        "b": delegating(cast, to(cast, "b1"), to(cast, "b2")),
        "b1": make_role({}),
        "b2": leaf(),
        "c": leaf(),
        "z": leaf(),
    }
    tree = Tree(cast, roles)
    assert tree.find().path == PATH
    assert tree.visited == ["targets", "a", "b", "b1", "b2"]
    nothing = Tree(cast, roles | {"b2": make_role({})})
    refused("TARGET-MISSING", nothing.find)
    assert nothing.visited == ["targets", "a", "b", "b1", "b2"]


def test_a_terminating_delegation_of_other_paths_ends_nothing(cast: Cast) -> None:
    """5.6.7.2.1."""
    elsewhere = to(cast, "a", terminating=True, paths=["payloads/tablet/*/*"])
    tree = Tree(cast, {"targets": delegating(cast, elsewhere, to(cast, "b")), "b": leaf()})
    assert tree.find().path == PATH


@pytest.mark.parametrize(("inner", "found"), [("payloads/phone/1/*", True), ("payloads/phone/2/*", False)])
def test_every_role_of_the_chain_must_be_trusted_for_the_path(cast: Cast, inner: str, found: bool) -> None:
    """4.5: not just the role that lists it; nor does a wide pattern below widen a narrow one above."""
    roles = {
        "targets": delegating(cast, to(cast, "a", paths=[inner])),
        "a": delegating(cast, to(cast, "b", paths=["*/*/*/*"])),
        "b": leaf(),
    }
    tree = Tree(cast, roles)
    if found:
        assert tree.find().path == PATH
    else:
        refused("TARGET-MISSING", tree.find)


def test_a_role_that_delegates_to_itself_is_visited_once(cast: Cast) -> None:
    """5.6.7.1."""
    roles = {"a": delegating(cast, to(cast, "a")), "b": leaf()}
    tree = Tree(cast, {"targets": delegating(cast, to(cast, "a"), to(cast, "b")), **roles})
    assert tree.find().path == PATH
    assert tree.visited == ["targets", "a", "b"]


def test_a_role_that_cannot_be_validated_ends_the_search(cast: Cast) -> None:
    """5.6.7, note: the next delegation is not asked instead, or whoever withholds a file chooses who answers."""
    stranger = DelegatedRole("a", ["0" * 64], 1, False, ["payloads/phone/*/*"])
    tree = Tree(cast, {"targets": delegating(cast, stranger, to(cast, "b")), "a": leaf(), "b": leaf()})
    refused("SIGNATURE-THRESHOLD", tree.find)
    assert tree.visited == ["targets", "a"]


def test_a_role_that_is_not_served_ends_the_search(served: Served) -> None:
    """5.6.7, note."""
    cast = served.cast
    served.publish(1, targets=delegating(cast, to(cast, "a"), to(cast, "b")), a=make_role({}), b=leaf())
    assert served.refreshed().target(PATH).path == PATH
    served.publish(2, targets=delegating(cast, to(cast, "a"), to(cast, "b")), a=make_role({}, 2), b=leaf())
    (served.metadata / "2.a.json").unlink()
    workflow = served.refreshed()
    with pytest.raises(NotFoundError):
        workflow.target(PATH)


@pytest.mark.parametrize("more", [0, 1])
def test_a_chain_may_be_as_deep_as_the_limit(cast: Cast, more: int) -> None:
    """5.6.7.1: depth and breadth count alike."""
    names = ["targets", *(f"r{number}" for number in range(LIMITS.delegations + more))]
    roles = {name: delegating(cast, to(cast, below)) for name, below in itertools.pairwise(names)}
    tree = Tree(cast, roles | {names[-1]: leaf()})
    if more:
        refused("DELEGATION-LIMIT", tree.find)
        assert len(tree.visited) == 1 + LIMITS.delegations
    else:
        assert tree.find().path == PATH


def test_roles_for_other_paths_do_not_count_towards_the_limit(cast: Cast) -> None:
    """5.6.7.1: they are not visited."""
    others = [to(cast, f"r{number}", paths=["elsewhere/*"]) for number in range(LIMITS.delegations * 3)]
    tree = Tree(cast, {"targets": delegating(cast, *others, to(cast, "a")), "a": leaf()})
    assert tree.find().path == PATH


def test_a_target_that_nobody_lists_is_missing_and_its_neighbour_is_not(cast: Cast) -> None:
    """5.7.2 and 4.5: paths are compared as they are, case and all."""
    tree = Tree(cast, {"targets": delegating(cast, to(cast, "a", paths=["*/*/*/*"])), "a": leaf()})
    for path in (PATH.upper(), PATH + " ", f"./{PATH}", PATH.replace("/", "//", 1), ""):
        refused("TARGET-MISSING", lambda path=path: tree.find(path))  # type: ignore[misc]
    assert tree.find().path == PATH
