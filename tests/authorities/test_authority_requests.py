"""Requests that are broken or forged: one clear line, exit status 2, and nothing in the authority's folder changes."""

import io
import tarfile
from pathlib import Path

import pytest

from enigm_testkit.audit_logs import log_state
from enigm_testkit.house import House
from enigm_tuf.model.bundle import pack, unpack


def refused(house: House, request: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What ``sign``, ``inspect`` and ``approve`` say: the same line."""
    home = house.home("release")
    before = log_state(home / "audit.log")
    who = ["--token", house.uri("root-a"), "--label", "root-a"]
    said = set()
    for arguments in (
        ["sign", request, "--home", home, *who, "--out", house.path / "out"],
        ["request", "inspect", request, "--home", home],
        ["approve", request, *house.works_as("alice", "release")[:6], *who, "--out", house.path / "out"],
    ):
        capsys.readouterr()
        assert house.sign(*arguments) == 2
        said.add(capsys.readouterr().err)
    assert not (house.path / "out").exists()
    assert log_state(home / "audit.log") == before
    (line,) = said
    assert line.startswith("error: ")
    return line


def changed(house: House, data: bytes) -> Path:
    path = house.path / "changed.enigmreq"
    path.write_bytes(data)
    return path


def test_the_unchanged_request_is_read(house: House) -> None:
    request = changed(house, house.request("root-1").read_bytes())
    assert house.sign("request", "inspect", request, "--home", house.home("release")) == 0


@pytest.mark.parametrize("kept", [0, 100, 512, 10_000, -1])
def test_a_truncated_request(house: House, kept: int, capsys: pytest.CaptureFixture[str]) -> None:
    data = house.request("root-1").read_bytes()
    assert "changed.enigmreq" in refused(house, changed(house, data[:kept]), capsys)


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil.json", "payloads/../../evil.json", "payloads/./x.json"])
def test_a_path_that_leaves_the_request(house: House, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, data in {**unpack(house.request("root-1").read_bytes(), "r"), name: b"{}"}.items():
            header = tarfile.TarInfo(path)
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))
    assert "a relative path with no '..'" in refused(house, changed(house, buffer.getvalue()), capsys)


def test_a_path_that_only_an_extension_of_tar_can_hold(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("a" * 300))
    assert "not a path for a tar" in refused(house, changed(house, buffer.getvalue()), capsys)


def test_a_link_in_the_request(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    buffer = io.BytesIO(house.request("root-1").read_bytes())
    with tarfile.open(fileobj=buffer, mode="a", format=tarfile.USTAR_FORMAT) as tar:
        header = tarfile.TarInfo("payloads/x.json")
        header.type, header.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(header)
    assert "plain files only" in refused(house, changed(house, buffer.getvalue()), capsys)


def test_a_payload_swapped_after_it_was_listed(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    members = unpack(house.request("root-1").read_bytes(), "r")
    members["payloads/root.1.json"] = members["payloads/root.1.json"].replace(b'"threshold":2', b'"threshold":1')
    assert "SHA-256 must be those in the index" in refused(house, changed(house, pack(members)), capsys)


def test_a_member_that_nobody_listed(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    members = unpack(house.request("root-1").read_bytes(), "r") | {"evidence/extra.json": b"{}"}
    assert "in the file but not listed" in refused(house, changed(house, pack(members)), capsys)


def test_no_such_file(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such file" in refused(house, house.path / "nowhere.enigmreq", capsys)


def test_an_approval_that_is_cut_off_counts_for_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    votes = house.votes(request)
    cut = Path(str(votes[-1]))
    cut.write_bytes(cut.read_bytes()[:-20])
    assert house.signs(request, "root-a", votes) == 3
    assert "error: APPROVAL-AUTHENTIC" in capsys.readouterr().err
