"""Keys of every kind in metadata, and the search through delegations. Clauses are of TUF 1.0.33, section 5."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Root,
    SuccinctRoles,
    TargetFile,
    Targets,
)

from enigm_testkit.authorities import (
    NOW,
    Cast,
    keyids,
    make_role,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
    new_signer,
    signed,
)
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import canonical, encode, parse, sha256
from enigm_tuf.trust.delegation import search
from enigm_tuf.trust.metadata import TrustedMetadata, admit_snapshot, admit_targets, admit_timestamp, trust_root

PATH = "payloads/phone/1/ota.zip"


@pytest.fixture
def cast() -> Cast:
    return Cast()


def refused(rule: str, step: Callable[[], object]) -> None:
    with pytest.raises(RefusedError) as caught:
        step()
    assert caught.value.rule == rule


def root_with_key(cast: Cast, keyid: str, key: dict[str, Any], threshold: int) -> TrustedMetadata:
    """A root that also names ``key`` for timestamp; written as JSON, since tuf.api may not know the key."""
    envelope = parse(signed(make_root(cast), []), source="root")
    body = envelope["signed"]
    body["keys"][keyid] = key
    body["roles"]["timestamp"]["keyids"].append(keyid)
    body["roles"]["timestamp"]["threshold"] = threshold
    envelope["signatures"] = [
        {"keyid": signer.public_key.keyid, "sig": signer.sign(canonical(body)).signature} for signer in cast.root
    ]
    return trust_root(encode(envelope), NOW, PlainTuf())


@pytest.mark.parametrize(
    "key",
    [
        {"keytype": "ml-dsa", "scheme": "ml-dsa-65/9", "keyval": {"public": "00"}},
        {"keytype": "future", "scheme": "future", "keyval": {"anything": [1, 2]}},
    ],
)
@pytest.mark.parametrize("threshold", [1, 2])
def test_a_key_of_an_unknown_type_stops_nobody_and_never_counts(
    cast: Cast, key: dict[str, Any], threshold: int
) -> None:
    """4.3: implementations may define further key types; a client that does not know one cannot count it."""
    state = root_with_key(cast, "e" * 64, key, threshold)
    envelope = parse(signed(make_timestamp(), cast.timestamp), source="timestamp")
    envelope["signatures"].append({"keyid": "e" * 64, "sig": "00"})
    if threshold == 1:
        assert admit_timestamp(state, encode(envelope)).timestamp
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(state, encode(envelope)))


@pytest.mark.parametrize(
    ("scheme", "counts"), [("rsassa-pss-sha256", True), ("rsa-pkcs1v15-sha256", False), ("rsassa-pss-sha512", False)]
)
def test_rsa_counts_with_pss_sha256_only(cast: Cast, scheme: str, counts: bool) -> None:
    """5.3.4: the signature itself is right in every case."""
    private = rsa.generate_private_key(65537, 2048)
    public = SSlibKey.from_crypto(private.public_key(), scheme=scheme)
    signer = CryptoSigner(private, public)
    root = make_root(cast)
    root.roles["timestamp"].keyids = []
    root.add_key(public, "timestamp")
    state = trust_root(signed(root, cast.root), NOW, PlainTuf())
    data = signed(make_timestamp(), [signer])
    if counts:
        assert admit_timestamp(state, data).timestamp
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(state, data))


@pytest.mark.parametrize(
    "signer",
    [
        CryptoSigner(ec.generate_private_key(ec.SECP256R1())),
        CryptoSigner(ec.generate_private_key(ec.SECP384R1())),
        CryptoSigner(Ed25519PrivateKey.generate()),
    ],
    ids=["p256", "p384", "ed25519"],
)
def test_each_kind_of_key_that_we_allow_counts(cast: Cast, signer: CryptoSigner) -> None:
    """5.3.4."""
    root = make_root(Cast(cast.root, cast.payload, cast.manifest, [signer]))
    state = trust_root(signed(root, cast.root), NOW, PlainTuf())
    assert admit_timestamp(state, signed(make_timestamp(), [signer])).timestamp


class Tree:
    """Roles by name, all signed by one key unless said otherwise, and a search that admits them as it goes."""

    def __init__(self, cast: Cast, roles: dict[str, Targets], unlisted: tuple[str, ...] = ()) -> None:
        self.cast = cast
        self.roles = roles
        self.visited: list[str] = []
        root: Root = make_root(cast)
        self.state = trust_root(signed(root, cast.root), NOW, PlainTuf())
        self.state = admit_timestamp(self.state, signed(make_timestamp(), cast.timestamp))
        snapshot = make_snapshot({role: 1 for role in roles if role not in unlisted})
        self.state = admit_snapshot(self.state, signed(snapshot, cast.manifest))

    def find(self, path: str = PATH) -> TargetFile:
        steps = search(path)
        try:
            wanted = next(steps)
            while True:
                self.visited.append(wanted[-1])
                data = signed(self.roles[wanted[-1]], self.cast.manifest)
                self.state = admit_targets(self.state, wanted, data)
                wanted = steps.send(self.state.targets[wanted])
        except StopIteration as found:
            target: TargetFile = found.value
            return target


def delegating(cast: Cast, *roles: DelegatedRole) -> Targets:
    return make_targets(cast, {role.name: role for role in roles})


def to(cast: Cast, name: str, *, terminating: bool = False, paths: list[str] | None = None) -> DelegatedRole:
    return DelegatedRole(name, keyids(cast.manifest), 1, terminating, paths or ["payloads/phone/*/*"])


def leaf() -> Targets:
    return make_role({PATH: TargetFile.from_data(PATH, b"payload")})


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


def test_no_metafile_means_no_version_and_no_role(cast: Cast) -> None:
    """5.6.4: a delegated role that snapshot does not list is not asked for."""
    tree = Tree(cast, {"targets": delegating(cast, to(cast, "a")), "a": leaf()}, unlisted=("a",))
    refused("TARGETS-VERSION", tree.find)
