"""Target files (TUF 1.0.34, 5.7)."""

import hashlib
from pathlib import Path

import pytest
from tuf.api.metadata import (
    TargetFile,
)

from enigm_testkit.clauses import refused
from enigm_testkit.served import Served
from enigm_testkit.tree import PATH, leaf
from enigm_tuf.errors import RefusedError, TransportError
from enigm_tuf.model import tuf
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_client.download import Wanted, download
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.targets import hashed_path, read_target


@pytest.mark.rule("TARGET-HASH", "accept")
def test_the_bytes_that_are_signed_get_the_name(tmp_path: Path) -> None:
    (tmp_path / "served").write_bytes(b"right")
    download([FileFetcher(tmp_path)], Wanted("served", 5, {"sha256": sha256(b"right")}), tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"right"


@pytest.mark.rule("TARGET-HASH", "reject")
@pytest.mark.parametrize("data", [b"wrong", b"righ", b""])
def test_other_bytes_never_get_the_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "served").write_bytes(data)
    with pytest.raises(RefusedError, match="TARGET-HASH"):
        download([FileFetcher(tmp_path)], Wanted("served", 5, {"sha256": sha256(b"right")}), tmp_path / "got")
    assert [file.name for file in tmp_path.iterdir()] == ["served"]


def target(data: bytes, hashes: dict[str, str] | None = None) -> tuf.TargetFile:
    """As metadata gives it."""
    return tuf.TargetFile("f", len(data), hashes or {"sha256": sha256(data)})


@pytest.mark.parametrize(("listed", "found"), [(PATH, True), ("payloads/phone/1/other.zip", False)])
def test_a_target_that_no_metadata_lists_is_reported_as_missing(served: Served, listed: str, found: bool) -> None:
    """5.7.2."""
    served.publish(1, targets=leaf(listed))
    workflow = served.refreshed()
    if found:
        assert workflow.target(PATH).path == PATH
    else:
        refused("TARGET-MISSING", lambda: workflow.target(PATH))


@pytest.mark.parametrize(
    ("data", "verdict"), [(b"right", None), (b"wrong", "TARGET-HASH"), (b"righ", "TARGET-HASH"), (b"", "TARGET-HASH")]
)
def test_a_small_target_is_read_only_if_its_length_and_hash_are_right(
    tmp_path: Path, data: bytes, verdict: str | None
) -> None:
    """5.7.3."""
    (tmp_path / "f").write_bytes(data)
    if verdict is None:
        assert read_target(FileFetcher(tmp_path), "f", target(b"right")) == data
    else:
        refused(verdict, lambda: read_target(FileFetcher(tmp_path), "f", target(b"right")))


def test_a_target_is_fetched_up_to_its_length_and_no_further(tmp_path: Path) -> None:
    """5.7.3."""
    (tmp_path / "f").write_bytes(b"right and more")
    with pytest.raises(TransportError, match="longer than the 5 bytes"):
        read_target(FileFetcher(tmp_path), "f", target(b"right"))


@pytest.mark.parametrize("data", [b"", b"x"])
def test_an_empty_target_is_a_target(tmp_path: Path, data: bytes) -> None:
    """4.5: length 0, with the hash of nothing."""
    (tmp_path / "f").write_bytes(data)
    if data:
        with pytest.raises(TransportError):
            read_target(FileFetcher(tmp_path), "f", target(b""))
    else:
        assert read_target(FileFetcher(tmp_path), "f", target(b"")) == b""


@pytest.mark.parametrize("algorithm", ["sha512", "sha3_256", "md5", "shake_128", "no such"])
def test_every_hash_that_is_listed_matches(tmp_path: Path, algorithm: str) -> None:
    """5.7.3: beside the right SHA-256. One that this client does not know is none that matches."""
    (tmp_path / "f").write_bytes(b"right")
    known = algorithm in tuf.HASH_ALGORITHMS
    both = {"sha256": sha256(b"right"), algorithm: hashlib.new(algorithm, b"right").hexdigest() if known else "00"}
    if known:
        assert read_target(FileFetcher(tmp_path), "f", target(b"right", hashes=both)) == b"right"
    wrong = target(b"right", hashes=both | {algorithm: sha256(b"right")})
    refused("TARGET-HASH", lambda: read_target(FileFetcher(tmp_path), "f", wrong))


@pytest.mark.parametrize(
    ("path", "served"), [("f", "aa.f"), ("a/f", "a/aa.f"), ("a/b/f.tar.gz", "a/b/aa.f.tar.gz"), ("a/.f", "a/aa..f")]
)
def test_a_consistent_snapshot_puts_the_hash_in_front_of_the_name_not_of_the_folder(path: str, served: str) -> None:
    """5.7.3, 6.2."""
    assert hashed_path(path, "aa") == served
    assert served in TargetFile(0, {"sha256": "aa"}, path).get_prefixed_paths()
