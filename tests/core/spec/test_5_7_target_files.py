"""Target files (TUF 1.0.34, 5.7)."""

from pathlib import Path

import pytest

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_client.download import Wanted, download
from enigm_tuf_client.fetch import FileFetcher


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
