"""Which paths a delegation is for (TUF 1.0.34, 4.5; TAP 15)."""

import pytest
from tuf.api.metadata import DelegatedRole, Delegations, Key, SuccinctRoles

from enigm_testkit.authorities import Cast, keyids, make_role
from enigm_testkit.clauses import refused
from enigm_testkit.tree import PATH, Tree, delegating, leaf
from enigm_tuf.model.strict_json import sha256


@pytest.mark.parametrize("matches", [True, False])
def test_path_hash_prefixes_say_which_paths_a_role_may_list(cast: Cast, matches: bool) -> None:
    """4.5, path_hash_prefixes."""
    digest = sha256(PATH.encode())
    prefix = digest[:4] if matches else ("0" if digest[0] != "0" else "1") + digest[1:4]
    role = DelegatedRole("a", keyids(cast.manifest), 1, False, path_hash_prefixes=[prefix])
    tree = Tree(cast, {"targets": delegating(cast, role), "a": leaf()})
    if matches:
        assert tree.find().path == PATH
    else:
        refused("TARGET-MISSING", tree.find)


def test_succinct_hash_bins_are_searched_in_the_bin_of_the_path(cast: Cast) -> None:
    """TAP 15."""
    bins = SuccinctRoles(keyids(cast.manifest), 1, 2, "bin")
    keys: dict[str, Key] = {signer.public_key.keyid: signer.public_key for signer in cast.manifest}
    targets = make_role({})
    targets.delegations = Delegations(keys, succinct_roles=bins)
    right = bins.get_role_for_target(PATH)
    tree = Tree(cast, {"targets": targets} | {name: make_role({}) for name in bins.get_roles()} | {right: leaf()})
    assert tree.find().path == PATH
    assert tree.visited == ["targets", right]
