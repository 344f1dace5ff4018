"""Which paths a delegation is for (TUF 1.0.34, 4.5; TAP 15)."""

import pytest
from tuf.api.metadata import DelegatedRole, Delegations, Key, SuccinctRoles

from enigm_testkit.authorities import Cast, keyids, make_role
from enigm_testkit.clauses import refused
from enigm_testkit.tree import PATH, Tree, delegating, leaf
from enigm_tuf.model import delegations
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


def is_for(path: str, *, paths: list[str] | None = None, prefixes: list[str] | None = None) -> bool:
    named = {"paths": paths} if paths is not None else {"path_hash_prefixes": prefixes}
    role = {"name": "a", "keyids": [], "threshold": 1, "terminating": False, **named}
    read = delegations.Delegations.read({"keys": {}, "roles": [role]}, "targets", "delegations")
    return list(read.roles_for(path)) == [("a", False)]


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("targets/*.tgz", ["targets/foo.tgz", "targets/.tgz"], ["targets/foo.txt", "targets/a/b.tgz", "x/foo.tgz"]),
        (
            "foo-version-?.tgz",
            ["foo-version-2.tgz", "foo-version-a.tgz"],
            ["foo-version-alpha.tgz", "foo-version-.tgz"],
        ),
        ("*.tgz", ["foo.tgz", "bar.tgz"], ["targets/foo.tgz", "foo.TGZ"]),
        ("foo.tgz", ["foo.tgz"], ["Foo.tgz", "foo.tgz2", "a/foo.tgz", "/foo.tgz", "foo.tgz/"]),
        ("*", ["a", "", ".hidden"], ["a/b", "/"]),
        ("*/*", ["a/b", "/b", "a/"], ["a", "a/b/c"]),
        ("a/*/c", ["a/b/c", "a//c"], ["a/b/b/c", "a/c"]),
        ("[ab]/x", ["a/x", "b/x"], ["c/x", "[ab]/x", "A/x"]),
        ("[!a]/x", ["b/x"], ["a/x"]),
        ("a?b", ["axb", "a\nb"], ["a/b", "ab"]),
        ("**/x", ["a/x"], ["a/b/x", "x"]),
        ("a\\*", ["a\\b"], ["a*"]),
        ("", [""], ["a"]),
        ("ä/*", ["ä/x"], ["a\u0308/x", "Ä/x"]),
        (".*/..", ["../.."], ["a/.."]),
    ],
)
def test_a_pattern_is_matched_segment_by_segment_and_by_case(pattern: str, yes: list[str], no: list[str]) -> None:
    """4.5, PATHPATTERN: the specification's four examples first."""
    assert [path for path in [*yes, *no] if is_for(path, paths=[pattern])] == yes


def test_any_one_pattern_is_enough_and_none_is_for_nothing() -> None:
    """4.5."""
    assert is_for("b", paths=["a", "b"])
    assert not is_for("c", paths=["a", "b"])
    assert not is_for("", paths=[])
    assert not is_for("a", prefixes=[])


@pytest.mark.parametrize("length", [0, 1, 2, 63, 64])
def test_a_prefix_of_any_length_is_compared_in_full(length: int) -> None:
    """4.5, path_hash_prefixes: in lower-case hex; the empty one is for every path."""
    digest = sha256(b"a/b")
    assert is_for("a/b", prefixes=["not hex", digest[:length]])
    if length:
        assert not is_for("a/b", prefixes=[digest[: length - 1] + f"{int(digest[length - 1], 16) ^ 1:x}"])
        assert not is_for("a/b", prefixes=[digest[:length] + "0" * 64])


@pytest.mark.parametrize("bits", range(1, 33))
def test_a_bin_is_named_by_the_first_bits_of_the_hash_with_leading_zeros(bits: int) -> None:
    """TAP 15: for every length of bins; computed here from the digits of the digest in base 2."""
    succinct = {"keyids": [], "threshold": 1, "bit_length": bits, "name_prefix": "bin"}
    read = delegations.Delegations.read({"keys": {}, "succinct_roles": succinct}, "targets", "delegations")
    digits = -(-bits // 4)
    for number in range(64):
        path = f"target {number}"
        first = f"{int(sha256(path.encode()), 16):0256b}"[:bits]
        name = f"bin-{int(first, 2):0{digits}x}"
        assert list(read.roles_for(path)) == [(name, True)]
        assert read.role(name) is read.succinct_roles
    last = f"bin-{2**bits - 1:x}"
    assert read.role(last)
    for wrong in (f"bin-{2**bits:x}", f"bin-0{last[4:]}", "bin-", "bin", last[4:], f"Bin-{last[4:]}", f"{last} ", ""):
        assert read.role(wrong) is None, wrong
    assert digits == 1 or read.role("bin-0") is None


def test_a_bin_that_is_not_the_paths_own_is_not_asked(cast: Cast) -> None:
    """TAP 15, 5.6.7: another bin lists the target, and may not."""
    bins = SuccinctRoles(keyids(cast.manifest), 1, 3, "bin")
    targets = make_role({})
    targets.delegations = Delegations({key.public_key.keyid: key.public_key for key in cast.manifest}, None, bins)
    right = bins.get_role_for_target(PATH)
    roles = {name: make_role({}) if name == right else leaf() for name in bins.get_roles()}
    tree = Tree(cast, {"targets": targets, **roles})
    refused("TARGET-MISSING", tree.find)
    assert tree.visited == ["targets", right]
