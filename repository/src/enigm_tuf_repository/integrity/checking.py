"""TREE-INTACT, over a whole tree. Linear in its bytes; memory holds one product at a time, and 16 bytes of each name.

1. every root, from the one that devices were shipped with
2. timestamp, snapshot and targets, as a device admits them
3. older versions of snapshot and targets that are still there
4. product by product: both roles, every byte that they list, chunk digests, what the manifests offer, older versions
5. every name in the tree that nothing signed accounts for
6. the records and the register
"""

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from enigm_tuf.errors import ConflictError, EnigmTufError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.chunks import SUFFIX
from enigm_tuf.model.decisions import FOLDER
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.tuf import Timestamp
from enigm_tuf.trust.metadata import TrustedMetadata
from enigm_tuf_repository.integrity.damage import Findings, Kind
from enigm_tuf_repository.integrity.decisions import is_answer, is_index
from enigm_tuf_repository.integrity.heads import admit_heads, admit_root_chain, metadata_path
from enigm_tuf_repository.integrity.history import History
from enigm_tuf_repository.integrity.products import Product
from enigm_tuf_repository.integrity.tree import Tree, is_there
from enigm_tuf_repository.lineage import read_signed_file
from enigm_tuf_repository.stores.caching import TIMESTAMP
from enigm_tuf_repository.stores.probe import PROBE

_ASIDE = (".incoming/", ".mirror/", PROBE)  # what a store keeps for itself


@dataclass(frozen=True, slots=True)
class Known:
    """What is known from outside the tree.

    ``first_root`` is the SHA-256 of the root that devices were shipped with; ``under_way`` the SHA-256 by path of files
    that open records bring; ``pruned`` the paths that were taken away on purpose.
    """

    environment: Environment
    first_root: str | None = None
    under_way: Mapping[str, str] = field(default_factory=dict)
    pruned: frozenset[str] = frozenset()


def unwatched(found: Findings) -> None:
    """For when nobody looks."""
    del found


def check_tree(tree: Tree, known: Known, watch: Callable[[Findings], None] = unwatched) -> Findings:
    """All damage of a tree. ConflictError where something was published meanwhile, and so it cannot be told."""
    found, before = Findings(), _snapshot_version(tree)
    root, roots = admit_root_chain(tree, known.environment, known.first_root, found)
    if root is not None:
        heads, names, unjudged = {"root": root.root.value.version}, set[bytes](), list[str]()
        state = _heads(tree, root, found)
        if state is not None and state.snapshot is not None:
            heads |= {name.removesuffix(".json"): meta.version for name, meta in state.snapshot.value.meta.items()}
            heads["snapshot"] = state.snapshot.value.version
            names = _products(tree, state, History(tree, roots, found), known, watch, unjudged)
        if state is not None or not found.damage:  # else nobody can say what belongs here
            _check_names(tree, heads, names, (*_ASIDE, *unjudged), known, found)
    if found.damage and _snapshot_version(tree) != before:
        raise ConflictError("something was published while the tree was looked at", hint="run it again")
    return found


def _heads(tree: Tree, root: TrustedMetadata, found: Findings) -> TrustedMetadata | None:
    """None too before the first product is published, when there are roots alone."""
    if is_there(tree, TIMESTAMP):
        return admit_heads(tree, root, found)
    if any(not name.endswith(".root.json") for name in tree.names("metadata")):
        found.add(Kind.MISSING, TIMESTAMP, "there is other metadata, and no timestamp")
    return None


def _products(
    tree: Tree,
    state: TrustedMetadata,
    history: History,
    known: Known,
    watch: Callable[[Findings], None],
    unjudged: list[str],
) -> set[bytes]:
    """The names of all targets, short."""
    targets, snapshot = state.targets["targets",].value, state.snapshot
    history.learn(targets)
    history.top_level("snapshot", snapshot.value.version if snapshot else 0)
    history.top_level("targets", targets.version)
    delegated = targets.delegations.roles if targets.delegations else None
    roles = {*(delegated or ()), *(name.removesuffix(".json") for name in (snapshot.value.meta if snapshot else ()))}
    names: set[bytes] = set()
    with ThreadPoolExecutor() as pool:
        for product in sorted({role.rpartition(".")[0] for role in roles if "." in role}):
            look = Product(
                product, tree, state, known.environment, history, history.found, known.pruned, watch, unjudged
            )
            names.update(map(_short, look.check(pool)))
    return names


def _check_names(
    tree: Tree,
    heads: Mapping[str, int],
    names: set[bytes],
    aside: tuple[str, ...],
    known: Known,
    found: Findings,
) -> None:
    settled = known.pruned | {item.path for item in found.damage}
    for path in tree.names(""):
        if path == TIMESTAMP or path.startswith(aside) or _is_listed(path, names) or _is_version(path, heads):
            continue
        if path.startswith(f"{FOLDER}/") and is_index(tree, path):
            found.count("indexes of decisions")
            continue
        if path.startswith(f"{FOLDER}/") and is_answer(tree, path, settled):
            found.count("decisions")
            continue
        if path in known.under_way and _sha256_of(tree, path) == known.under_way[path]:
            found.count("files of open records")
            continue
        found.add(Kind.EXTRA, path, "nothing that is signed accounts for it")


def _is_listed(path: str, names: set[bytes]) -> bool:
    """A target, or the chunk digests of one."""
    name = path.removeprefix("targets/")
    if name.startswith("payloads/"):
        name = name.removesuffix(SUFFIX)
    return path.startswith("targets/") and _short(name) in names


def _is_version(path: str, heads: Mapping[str, int]) -> bool:
    """A version of a role up to its head."""
    version, _, role = path.removeprefix("metadata/").removesuffix(".json").partition(".")
    if role not in heads or not version.isdecimal() or not 1 <= int(version) <= heads[role]:
        return False
    return path == metadata_path(role, int(version))


def _sha256_of(tree: Tree, path: str) -> str:
    digest, buffer = hashlib.sha256(), memoryview(bytearray(2**20))
    with tree.open(path, 0, LIMITS.payload_bytes) as source:
        while count := source.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


def _short(name: str) -> bytes:
    return hashlib.sha256(name.encode(errors="surrogateescape")).digest()[:16]


def _snapshot_version(tree: Tree) -> int | None:
    """The snapshot that the timestamp names; None where it cannot be told."""
    try:
        timestamp = read_signed_file(tree.fetch(TIMESTAMP, LIMITS.timestamp_bytes), "timestamp", TIMESTAMP)
    except EnigmTufError:
        return None
    return timestamp.value_as(Timestamp).snapshot_meta.version
