"""The TUF client workflow, clause by clause: each accept test and its reject test differ in one thing."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import DelegatedRole, Delegations, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from enigm_testkit.authorities import (
    NOW,
    Cast,
    keyids,
    make_role,
    make_root,
    make_snapshot,
    make_timestamp,
    new_signer,
    signed,
)
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.strict_json import canonical, encode, parse
from enigm_tuf.trust.delegation import search
from enigm_tuf.trust.metadata import (
    TrustedMetadata,
    admit_root,
    admit_snapshot,
    admit_targets,
    admit_timestamp,
    require_fresh_root,
    snapshot_is_current,
    trust_root,
)
from enigm_tuf_client.download import read_target

SECOND = timedelta(seconds=1)


@dataclass
class Repository:
    """Metadata that a client takes; a test changes one thing before it plays it."""

    cast: Cast = field(default_factory=Cast)
    root: Root = field(init=False)
    timestamp: Timestamp = field(default_factory=make_timestamp)
    snapshot: Snapshot = field(default_factory=lambda: make_snapshot({"targets": 1}))
    targets: Targets = field(default_factory=lambda: make_role({}))

    def __post_init__(self) -> None:
        self.root = make_root(self.cast)

    def first(self) -> TrustedMetadata:
        return trust_root(signed(self.root, self.cast.root), NOW, PlainTuf())

    def with_timestamp(self, state: TrustedMetadata | None = None) -> TrustedMetadata:
        return admit_timestamp(state or self.first(), signed(self.timestamp, self.cast.timestamp))

    def with_snapshot(self, state: TrustedMetadata | None = None) -> TrustedMetadata:
        return admit_snapshot(state or self.with_timestamp(), signed(self.snapshot, self.cast.manifest))

    def with_targets(self) -> TrustedMetadata:
        return admit_targets(self.with_snapshot(), "targets", "root", signed(self.targets, self.cast.manifest))


@pytest.fixture
def repository() -> Repository:
    return Repository()


def refused(rule: str, play: Callable[[], object]) -> None:
    with pytest.raises(RefusedError) as caught:
        play()
    assert caught.value.rule == rule


@pytest.mark.rule("METADATA-TYPE", "accept")
@pytest.mark.rule("SNAPSHOT-VERSION", "accept")
@pytest.mark.rule("TARGETS-VERSION", "accept")
@pytest.mark.rule("SNAPSHOT-HASH", "accept")
@pytest.mark.rule("TARGETS-HASH", "accept")
def test_a_whole_refresh_is_trusted(repository: Repository) -> None:
    """Specification 5.2 to 5.6."""
    snapshot = signed(repository.snapshot, repository.cast.manifest)
    repository.timestamp.snapshot_meta = MetaFile.from_data(1, snapshot, ["sha256"])
    state = admit_snapshot(repository.with_timestamp(), snapshot)
    state = admit_targets(state, "targets", "root", signed(repository.targets, repository.cast.manifest))
    assert set(state.targets) == {("root", "targets")}


@pytest.mark.rule("METADATA-TYPE", "reject")
def test_metadata_of_another_role_is_refused(repository: Repository) -> None:
    """Specification 4.4: a snapshot is no timestamp, whoever signed it."""
    data = signed(repository.snapshot, repository.cast.timestamp)
    refused("METADATA-TYPE", lambda: admit_timestamp(repository.first(), data))


@pytest.mark.rule("ROOT-VERSION", "accept")
@pytest.mark.rule("ROOT-VERSION", "reject")
@pytest.mark.parametrize(("version", "trusted"), [(1, False), (2, True), (3, False)])
def test_the_next_root_is_exactly_one_version_newer(repository: Repository, version: int, trusted: bool) -> None:
    """Specification 5.3.5."""
    data = signed(make_root(repository.cast, version=version), repository.cast.root)
    if trusted:
        assert admit_root(repository.first(), data).root.value.version == 2
    else:
        refused("ROOT-VERSION", lambda: admit_root(repository.first(), data))


@pytest.mark.parametrize("signers", ["old", "new", "both"])
def test_a_new_root_needs_the_old_keys_and_its_own(repository: Repository, signers: str) -> None:
    """Specification 5.3.4."""
    old, new = repository.cast.root, [new_signer() for _ in range(3)]
    root = make_root(Cast(root=new, manifest=repository.cast.manifest), version=2)
    chosen = {"old": old, "new": new, "both": [*old, *new]}[signers]
    data = signed(root, chosen)
    if signers == "both":
        assert admit_root(repository.first(), data).root.value.version == 2
    else:
        refused("SIGNATURE-THRESHOLD", lambda: admit_root(repository.first(), data))


EXPIRING: dict[str, tuple[Callable[[Repository], Any], Callable[[Repository], object]]] = {
    "ROOT-EXPIRED": (lambda r: r.root, lambda r: require_fresh_root(r.first())),
    "TIMESTAMP-EXPIRED": (lambda r: r.timestamp, Repository.with_timestamp),
    "SNAPSHOT-EXPIRED": (lambda r: r.snapshot, Repository.with_snapshot),
    "TARGETS-EXPIRED": (lambda r: r.targets, Repository.with_targets),
}


@pytest.mark.rule("ROOT-EXPIRED", "accept")
@pytest.mark.rule("TIMESTAMP-EXPIRED", "accept")
@pytest.mark.rule("SNAPSHOT-EXPIRED", "accept")
@pytest.mark.rule("TARGETS-EXPIRED", "accept")
@pytest.mark.parametrize("rule", EXPIRING)
def test_metadata_is_good_until_the_second_before_it_expires(repository: Repository, rule: str) -> None:
    """Specification 5.3.10, 5.4.4, 5.5.6, 5.6.5."""
    part, play = EXPIRING[rule]
    part(repository).expires = NOW + SECOND
    play(repository)


@pytest.mark.rule("ROOT-EXPIRED", "reject")
@pytest.mark.rule("TIMESTAMP-EXPIRED", "reject")
@pytest.mark.rule("SNAPSHOT-EXPIRED", "reject")
@pytest.mark.rule("TARGETS-EXPIRED", "reject")
@pytest.mark.parametrize("rule", EXPIRING)
def test_metadata_has_expired_at_that_very_second(repository: Repository, rule: str) -> None:
    """Specification 5.3.10, 5.4.4, 5.5.6, 5.6.5."""
    part, play = EXPIRING[rule]
    part(repository).expires = NOW
    refused(rule, lambda: play(repository))


@pytest.mark.rule("ROLLBACK-TIMESTAMP", "accept")
@pytest.mark.rule("ROLLBACK-TIMESTAMP", "reject")
@pytest.mark.parametrize(("version", "trusted"), [(4, False), (5, True), (6, True)])
def test_timestamp_never_goes_back(repository: Repository, version: int, trusted: bool) -> None:
    """Specification 5.4.3.1: the same version again leaves the trusted one as it is."""
    repository.timestamp.version = 5
    state = repository.with_timestamp()
    repository.timestamp.version = version
    if trusted:
        after = repository.with_timestamp(state)
        assert (after is state) == (version == 5)
    else:
        refused("ROLLBACK-TIMESTAMP", lambda: repository.with_timestamp(state))


def test_timestamp_never_names_an_older_snapshot(repository: Repository) -> None:
    """Specification 5.4.3.2."""
    repository.timestamp.snapshot_meta.version = 5
    state = repository.with_timestamp()
    repository.timestamp.version, repository.timestamp.snapshot_meta = 2, MetaFile(4)
    refused("ROLLBACK-TIMESTAMP", lambda: repository.with_timestamp(state))


@pytest.mark.rule("SNAPSHOT-HASH", "reject")
def test_a_snapshot_with_another_hash_is_refused(repository: Repository) -> None:
    """Specification 5.5.2."""
    data = signed(repository.snapshot, repository.cast.manifest)
    repository.timestamp.snapshot_meta = MetaFile.from_data(1, data, ["sha256"])
    other = data.replace(b'"signatures"', b' "signatures"')
    refused("SNAPSHOT-HASH", lambda: admit_snapshot(repository.with_timestamp(), other))


@pytest.mark.rule("SNAPSHOT-VERSION", "reject")
def test_a_snapshot_that_timestamp_does_not_name_is_refused(repository: Repository) -> None:
    """Specification 5.5.4."""
    repository.snapshot.version = 2
    refused("SNAPSHOT-VERSION", repository.with_snapshot)


def moved_on(repository: Repository) -> TrustedMetadata:
    """A client that trusts snapshot 1, and a timestamp that names snapshot 2."""
    state = repository.with_snapshot()
    repository.timestamp.version, repository.timestamp.snapshot_meta = 2, MetaFile(2)
    repository.snapshot = make_snapshot({"targets": 1}, version=2)
    return repository.with_timestamp(state)


@pytest.mark.rule("ROLLBACK-SNAPSHOT", "accept")
def test_a_newer_snapshot_that_keeps_every_role_is_trusted(repository: Repository) -> None:
    """Specification 5.5.5."""
    state = moved_on(repository)
    assert not snapshot_is_current(state)
    assert snapshot_is_current(repository.with_snapshot(state))


@pytest.mark.rule("ROLLBACK-SNAPSHOT", "reject")
def test_a_newer_snapshot_without_one_of_the_roles_is_refused(repository: Repository) -> None:
    """Specification 5.5.5."""
    state = moved_on(repository)
    repository.snapshot.meta = {}
    refused("ROLLBACK-SNAPSHOT", lambda: repository.with_snapshot(state))


def test_a_newer_snapshot_with_an_older_role_is_refused(repository: Repository) -> None:
    """Specification 5.5.5."""
    repository.snapshot.meta["targets.json"].version = 2
    state = moved_on(repository)
    refused("ROLLBACK-SNAPSHOT", lambda: repository.with_snapshot(state))


@pytest.mark.rule("TARGETS-HASH", "reject")
def test_targets_with_another_hash_are_refused(repository: Repository) -> None:
    """Specification 5.6.2."""
    data = signed(repository.targets, repository.cast.manifest)
    repository.snapshot.meta["targets.json"] = MetaFile.from_data(1, data, ["sha256"])
    state = repository.with_snapshot()
    other = data.replace(b'"signatures"', b' "signatures"')
    refused("TARGETS-HASH", lambda: admit_targets(state, "targets", "root", other))


@pytest.mark.rule("TARGETS-VERSION", "reject")
def test_targets_that_snapshot_does_not_name_are_refused(repository: Repository) -> None:
    """Specification 5.6.4."""
    repository.targets.version = 2
    refused("TARGETS-VERSION", repository.with_targets)


def test_one_key_under_two_keyids_signs_once(repository: Repository) -> None:
    """THRESHOLD-DISTINCT on signatures: python-tuf counts this as two."""
    twin = deepcopy(repository.cast.timestamp[0])
    assert isinstance(twin.public_key, SSlibKey)
    twin.public_key.keyid = "f" * 64
    repository.root.add_key(twin.public_key, "timestamp")
    repository.root.roles["timestamp"].threshold = 2
    data = signed(repository.timestamp, [repository.cast.timestamp[0], twin])
    refused("THRESHOLD-DISTINCT", lambda: admit_timestamp(repository.first(), data))


def with_extra_key(repository: Repository, key: dict[str, Any], role: str) -> bytes:
    """A root with one more key of a role, as another implementation may write it, signed over its own bytes."""
    signer = repository.cast.root
    plain = parse(signed(repository.root, []), source="root", max_bytes=10**6)["signed"]
    plain["keys"]["9" * 64] = key
    plain["roles"][role]["keyids"].append("9" * 64)
    signatures = [
        {"keyid": made.keyid, "sig": made.signature} for made in (one.sign(canonical(plain)) for one in signer)
    ]
    return encode({"signed": plain, "signatures": signatures})


@pytest.mark.parametrize(
    "key",
    [
        {"keytype": "slh-dsa", "scheme": "slh-dsa-sha2-128s", "keyval": {"public": "00"}},
        {"keytype": "rsa", "scheme": "rsa-pkcs1v15-sha256", "keyval": {"public": "-----BEGIN PUBLIC KEY-----"}},
    ],
)
def test_a_key_that_is_never_counted_does_not_stop_the_client(repository: Repository, key: dict[str, Any]) -> None:
    state = trust_root(with_extra_key(repository, key, "targets"), NOW, PlainTuf())
    assert "9" * 64 not in state.root.value.keys


def test_the_same_keyid_twice_among_the_signatures_is_malformed(repository: Repository) -> None:
    envelope = parse(signed(repository.timestamp, repository.cast.timestamp), source="timestamp")
    envelope["signatures"] *= 2
    with pytest.raises(MalformedError, match="the same keyid twice"):
        admit_timestamp(repository.first(), encode(envelope))


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"signed": {}}', b'{"signed": {"_type": "timestamp"}}'])
def test_what_is_no_metadata_is_one_error_of_ours(repository: Repository, broken: bytes) -> None:
    with pytest.raises((MalformedError, RefusedError)):
        admit_timestamp(repository.first(), broken)


def delegation(name: str, signer: CryptoSigner, paths: list[str], *, terminating: bool = False) -> DelegatedRole:
    return DelegatedRole(name, keyids([signer]), 1, terminating, paths=paths)


def delegating(signers: dict[str, CryptoSigner], roles: list[DelegatedRole], files: tuple[str, ...] = ()) -> Targets:
    keys = {signer.public_key.keyid: signer.public_key for signer in signers.values()}
    targets = {path: TargetFile.from_data(path, path.encode()) for path in files}
    value = make_role(targets)
    value.delegations = Delegations(keys={**keys}, roles={role.name: role for role in roles})
    return value


def find(path: str, graph: dict[str, Targets], cast: Cast) -> tuple[TargetFile, list[str]]:
    """Search a graph of roles as the workflow does; the target, and the roles that were looked at."""
    repository = Repository(cast, targets=graph["targets"], snapshot=make_snapshot(dict.fromkeys(graph, 1)))
    state, visited = repository.with_targets(), []
    steps = search(path)
    try:
        delegator, role = next(steps)
        while True:
            visited.append(role)
            if (delegator, role) not in state.targets:
                state = admit_targets(state, role, delegator, signed(graph[role], [SIGNERS[role]]))
            delegator, role = steps.send(state.targets[delegator, role])
    except StopIteration as found:
        return found.value, visited


SIGNERS = {name: new_signer() for name in ("a", "b", "c", *(f"r{number}" for number in range(40)))}


@pytest.mark.rule("TARGET-MISSING", "accept")
@pytest.mark.rule("TARGET-MISSING", "reject")
@pytest.mark.parametrize(("path", "visits"), [("x/1", ["targets", "a"]), ("x/2", ["targets", "a", "b"]), ("x/3", None)])
def test_the_search_is_preorder_and_depth_first(path: str, visits: list[str] | None) -> None:
    """Specification 5.6.7: a before b, and nowhere else."""
    cast = Cast()
    roles = [delegation(name, SIGNERS[name], ["x/*"]) for name in ("a", "b")]
    graph = {
        "targets": delegating(SIGNERS, roles),
        "a": delegating({}, [], ("x/1",)),
        "b": delegating({}, [], ("x/1", "x/2")),
    }
    if visits is None:
        refused("TARGET-MISSING", lambda: find(path, graph, cast))
    else:
        assert find(path, graph, cast)[1] == visits


def test_a_terminating_delegation_ends_the_search() -> None:
    """Specification 5.6.7.2.1."""
    roles = [delegation("a", SIGNERS["a"], ["x/*"], terminating=True), delegation("b", SIGNERS["b"], ["x/*"])]
    graph = {"targets": delegating(SIGNERS, roles), "a": make_role({}), "b": delegating({}, [], ("x/1",))}
    refused("TARGET-MISSING", lambda: find("x/1", graph, Cast()))


def test_roles_that_delegate_in_a_circle_are_visited_once() -> None:
    """Specification 5.6.7.1."""
    graph = {
        "targets": delegating(SIGNERS, [delegation("a", SIGNERS["a"], ["*"])]),
        "a": delegating(SIGNERS, [delegation("b", SIGNERS["b"], ["*"])]),
        "b": delegating(SIGNERS, [delegation("a", SIGNERS["a"], ["*"])]),
    }
    refused("TARGET-MISSING", lambda: find("x", graph, Cast()))


@pytest.mark.rule("DELEGATION-LIMIT", "accept")
@pytest.mark.rule("DELEGATION-LIMIT", "reject")
@pytest.mark.parametrize(("depth", "found"), [(32, True), (33, False)])
def test_a_search_looks_at_no_more_roles_than_the_limit(depth: int, found: bool) -> None:
    """Specification 5.6.7.1: targets and 32 delegated roles."""
    names = [f"r{number}" for number in range(depth)]
    graph: dict[str, Targets] = {}
    for name, child in zip(["targets", *names], [*names, None], strict=True):
        roles = [delegation(child, SIGNERS[child], ["*"])] if child else []
        graph[name] = delegating(SIGNERS, roles, () if child else ("x",))
    if found:
        assert find("x", graph, Cast())[0].path == "x"
    else:
        refused("DELEGATION-LIMIT", lambda: find("x", graph, Cast()))


def test_a_role_that_one_delegator_vouches_for_is_verified_again_under_another() -> None:
    """Both name role b; only a names its key."""
    graph = {
        "targets": delegating(SIGNERS, [delegation(name, SIGNERS[name], ["*/*"]) for name in ("a", "c")]),
        "a": delegating(SIGNERS, [delegation("b", SIGNERS["b"], ["y/*"])]),
        "c": delegating(SIGNERS, [delegation("b", SIGNERS["c"], ["x/*"])]),
        "b": delegating({}, [], ("x/1", "y/1")),
    }
    assert find("y/1", graph, Cast())[0].path == "y/1"
    refused("SIGNATURE-THRESHOLD", lambda: find("x/1", graph, Cast()))


class OneFile:
    """A server with one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def fetch(self, path: str, max_bytes: int) -> bytes:
        del path, max_bytes
        return self.data

    def stream(self, path: str, length: int) -> Any:
        raise NotImplementedError


@pytest.mark.rule("TARGET-HASH", "accept")
@pytest.mark.rule("TARGET-HASH", "reject")
@pytest.mark.parametrize(("data", "trusted"), [(b"right", True), (b"wrong", False), (b"right!", False)])
def test_a_target_has_the_bytes_that_are_listed(data: bytes, trusted: bool) -> None:
    """Specification 5.7.2."""
    target = TargetFile.from_data("x", b"right", ["sha256", "sha512"])
    if trusted:
        assert read_target(OneFile(data), "x", target) == data
    else:
        refused("TARGET-HASH", lambda: read_target(OneFile(data), "x", target))
