"""The Merkle tree of the audit log: published hashes, a naive oracle, and where its tiles lie."""

from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enigm_tuf.audit.tiles import (
    ENTRIES,
    Tile,
    TileNodes,
    all_tiles,
    bundle_of,
    edge_tiles,
    pack_bundle,
    split_bundle,
    split_tile,
)
from enigm_tuf.audit.tree import (
    EMPTY_ROOT,
    Edge,
    consistency_proof,
    edge,
    inclusion_proof,
    leaf_hash,
    node_hash,
    proves_consistency,
    proves_inclusion,
)
from enigm_tuf.errors import MalformedError

# The reference tree of Certificate Transparency's own tests (RFC 6962): its eight leaves, and the root after each.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
TREE = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
MANY = [leaf_hash(number.to_bytes(4, "big")) for number in range(700)]
SIZES = st.integers(1, len(MANY))


def naive_root(leaves: list[bytes]) -> bytes:
    """Word for word as RFC 6962 section 2.1 defines MTH."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def nodes_of(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    return lambda level, index: naive_root(leaves[index << level : (index + 1) << level])


def grown(leaves: list[bytes]) -> Edge:
    tree = Edge()
    for leaf in leaves:
        tree = tree.add(leaf)
    return tree


@pytest.mark.parametrize("size", range(1, 9))
def test_the_reference_tree_has_its_published_roots(size: int) -> None:
    assert grown(TREE[:size]).root.hex() == ROOTS[size - 1]
    assert edge(size, nodes_of(TREE)).root.hex() == ROOTS[size - 1]


def test_published_paths_of_the_reference_tree_prove() -> None:
    """From the same tests: leaf 0 of 8, and the tree of 6 in the tree of 8."""
    path = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [step.hex() for step in inclusion_proof(0, 8, nodes_of(TREE))] == path
    steps = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [step.hex() for step in consistency_proof(6, 8, nodes_of(TREE))] == steps


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert Edge().root == EMPTY_ROOT == edge(0, nodes_of([])).root


@given(SIZES)
@settings(max_examples=40)
def test_a_tree_grown_leaf_by_leaf_is_the_tree_of_the_definition(size: int) -> None:
    assert grown(MANY[:size]).root == naive_root(MANY[:size])
    assert edge(size, nodes_of(MANY)) == grown(MANY[:size])


@given(st.data())
@settings(max_examples=60)
def test_an_inclusion_proof_proves_that_leaf_at_that_place_alone(data: st.DataObject) -> None:
    size = data.draw(SIZES)
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(index, size, nodes_of(MANY)), naive_root(MANY[:size])
    assert proves_inclusion(index, size, MANY[index], proof, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda place: place != index or size == 1))
    if other != index:
        assert not proves_inclusion(other, size, MANY[index], proof, root)
        assert not proves_inclusion(index, size, MANY[other], proof, root)
    assert not proves_inclusion(index, size, MANY[index], [*proof, root], root)
    assert not proves_inclusion(index, size, MANY[index], proof, leaf_hash(b"another"))
    assert not proves_inclusion(size, size, MANY[index], proof, root)
    if proof:
        assert not proves_inclusion(index, size, MANY[index], proof[:-1], root)


@given(st.data())
@settings(max_examples=60)
def test_a_consistency_proof_proves_that_beginning_alone(data: st.DataObject) -> None:
    new = data.draw(SIZES)
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, nodes_of(MANY))
    before, after = naive_root(MANY[:old]), naive_root(MANY[:new])
    assert proves_consistency(old, new, proof, before, after)
    changed = [leaf_hash(b"edited"), *MANY[1:old]]
    assert not proves_consistency(old, new, proof, naive_root(changed), after)
    assert not proves_consistency(old, new, [*proof, after], before, after)
    if old < new:
        assert not proves_consistency(old, new, proof, before, naive_root([*MANY[: new - 1], leaf_hash(b"other")]))
        assert not proves_consistency(new, old, proof, after, before)
        assert not proves_consistency(old, new, (), before, after)


def test_nothing_is_to_prove_of_an_empty_beginning() -> None:
    assert proves_consistency(0, 3, consistency_proof(0, 3, nodes_of(MANY)), EMPTY_ROOT, naive_root(MANY[:3]))
    assert not proves_consistency(0, 3, (), naive_root(MANY[:1]), naive_root(MANY[:3]))


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(2, 5, 17), "tile/2/005.p/17"),
        (Tile(ENTRIES, 999), "tile/entries/999"),
        (Tile(ENTRIES, 1000, 1), "tile/entries/x001/000.p/1"),
    ],
)
def test_tiles_lie_where_the_specification_says(tile: Tile, path: str) -> None:
    assert tile.path == path


def test_a_tree_of_70000_has_the_tiles_of_the_specifications_example() -> None:
    tiles = [tile for tile in all_tiles(70_000) if tile.level != ENTRIES]
    full = {level: sum(tile.level == level and tile.width == 256 for tile in tiles) for level in range(3)}
    assert full == {0: 273, 1: 1, 2: 0}
    assert [(tile.level, tile.width) for tile in edge_tiles(70_000)[1:]] == [(0, 112), (1, 17), (2, 1)]
    assert edge_tiles(256) == (Tile(1, 0, 1),)
    assert bundle_of(69_999, 70_000) == Tile(ENTRIES, 273, 112)


def tiles_of(leaves: list[bytes]) -> dict[Tile, bytes]:
    node = nodes_of(leaves)
    found = {}
    for tile in all_tiles(len(leaves)):
        if tile.level != ENTRIES:
            places = range(tile.index * 256, tile.index * 256 + tile.width)
            found[tile] = b"".join(node(tile.level * 8, place) for place in places)
    return found


@given(st.integers(1, 700), st.data())
@settings(max_examples=25, deadline=None)
def test_proofs_are_read_from_tiles_and_from_no_other(size: int, data: st.DataObject) -> None:
    leaves = MANY[:size]
    tiles, read = tiles_of(leaves), list[Tile]()

    def fetch(tile: Tile) -> bytes:
        read.append(tile)
        return tiles[tile]

    index = data.draw(st.integers(0, size - 1))
    assert inclusion_proof(index, size, TileNodes(size, fetch)) == inclusion_proof(index, size, nodes_of(leaves))
    assert edge(size, TileNodes(size, fetch)).root == naive_root(leaves)
    assert len(set(read)) <= 4


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_a_bundle_gives_its_entries_back(entries: list[bytes]) -> None:
    tile = Tile(ENTRIES, 0, len(entries))
    assert split_bundle(pack_bundle(entries), tile) == entries
    with pytest.raises(MalformedError):
        split_bundle(pack_bundle(entries), Tile(ENTRIES, 0, len(entries) + 1))
    with pytest.raises(MalformedError):
        split_bundle(pack_bundle(entries) + b"\x00", tile)


def test_a_torn_tile_is_named() -> None:
    with pytest.raises(MalformedError, match=r"tile/0/000\.p/2: a tile of 2 hashes has 64 bytes"):
        split_tile(b"x" * 63, Tile(0, 0, 2))


def test_a_node_is_not_a_leaf() -> None:
    assert node_hash(TREE[0], TREE[1]) != leaf_hash(TREE[0] + TREE[1])
