"""The Merkle tree over chunk digests, against the published vectors of certificate transparency (RFC 6962)."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigm_tuf.errors import EnigmTufError, MalformedError
from enigm_tuf.model.chunks import CHUNK_BYTES, chunk_tree, digest_at, leaf, merkle_root, read_digests
from enigm_tuf_repository.artifacts import measure, measure_chunks, take

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


@pytest.mark.parametrize("count", range(1, 9))
def test_the_tree_has_the_root_of_the_published_vectors(count: int) -> None:
    leaves = [leaf(bytes.fromhex(text)) for text in LEAVES[:count]]

    assert merkle_root(leaves).hex() == ROOTS[count - 1]


@given(st.integers(1, 70))
def test_the_tree_is_split_at_the_largest_power_of_two(count: int) -> None:
    """As RFC 6962 section 2.1 puts it."""

    def defined(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return leaves[0]
        split = 1 << (len(leaves) - 1).bit_length() - 1
        return hashlib.sha256(b"\x01" + defined(leaves[:split]) + defined(leaves[split:])).digest()

    leaves = [leaf(bytes([number])) for number in range(count)]
    assert merkle_root(leaves) == defined(leaves)


def test_digests_are_read_if_the_signed_root_proves_them() -> None:
    digests = b"".join(leaf(bytes([number])) for number in range(3))
    chunks = chunk_tree(digests, 4096)

    assert read_digests(digests, 2 * 4096 + 1, chunks, "ota.zip.chunks") == digests


@pytest.mark.parametrize(("length", "change"), [(2 * 4096, 0), (3 * 4096 + 1, 0), (3 * 4096, 1)])
def test_digests_of_another_number_or_another_root_are_refused(length: int, change: int) -> None:
    digests = b"".join(leaf(bytes([number])) for number in range(3))
    chunks = chunk_tree(digests, 4096)

    with pytest.raises(MalformedError):
        read_digests(bytes([digests[0] ^ change]) + digests[1:], length, chunks, "ota.zip.chunks")


def test_one_pass_gives_every_digest_and_the_copy(tmp_path: Path) -> None:
    data = b"x" * (2 * CHUNK_BYTES) + b"rest"
    (tmp_path / "ota.zip").write_bytes(data)

    artifact = take(tmp_path / "ota.zip", tmp_path / "staged")

    copy = tmp_path / "staged" / f"{hashlib.sha256(data).hexdigest()}.ota.zip"
    assert copy.read_bytes() == data
    names = sorted(path.name for path in copy.parent.iterdir())
    assert names == [copy.name, f"{copy.name}.chunks"], "nothing half written stays"
    assert (artifact.length, artifact.hashes) == (len(data), {"sha256": hashlib.sha256(data).hexdigest()})
    digests = [hashlib.sha256(data[:end]).digest() for end in (CHUNK_BYTES, 2 * CHUNK_BYTES, len(data))]
    assert artifact.chunks.root == merkle_root(map(leaf, digests)).hex()
    assert copy.with_name(f"{copy.name}.chunks").read_bytes() == b"".join(digests)
    assert digest_at(b"".join(digests), -1).hex() == artifact.hashes["sha256"], "the last is that of the whole"


@pytest.mark.parametrize("length", [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 131_073])
def test_one_pass_gives_both_hashes_and_the_same_digests(tmp_path: Path, length: int) -> None:
    data = os.urandom(length)
    (tmp_path / "ota.zip").write_bytes(data)

    artifact, digests = measure_chunks(tmp_path / "ota.zip", ("sha256", "sha512"))

    assert artifact.hashes == {name: hashlib.new(name, data).hexdigest() for name in ("sha256", "sha512")}
    ends = [*range(CHUNK_BYTES, length, CHUNK_BYTES), length]
    assert digests == b"".join(hashlib.sha256(data[:end]).digest() for end in ends)
    assert measure_chunks(tmp_path / "ota.zip")[1] == digests


def test_an_algorithm_that_is_unknown_has_no_hash(tmp_path: Path) -> None:
    """So that who compares with what is listed refuses it."""
    (tmp_path / "ota.zip").write_bytes(b"x")

    assert set(measure(tmp_path / "ota.zip", ("md5", "sha256", "x")).hashes) == {"sha256"}


def test_an_empty_artifact_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "ota.zip").write_bytes(b"")

    with pytest.raises(EnigmTufError, match="may not be empty"):
        take(tmp_path / "ota.zip", tmp_path / "staged")

    assert list((tmp_path / "staged").iterdir()) == []


def test_an_artifact_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnigmTufError, match=r"ota\.zip: no such file"):
        measure(tmp_path / "ota.zip")
