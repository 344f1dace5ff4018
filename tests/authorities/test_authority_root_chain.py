"""Root version 2 at the authorities: made by the old and the new quorum, then trusted because a request brings it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.house import House, read, remake
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import open_home
from enigm_tuf.model.request import Previous, read_response
from enigm_tuf.model.shapes import Time
from enigm_tuf.model.strict_json import canonical, sha256
from enigm_tuf.model.tuf import Root
from enigm_tuf.trust.verified import read_document


def root_request(house: House) -> Path:
    """Version 2 lives ten days longer."""
    old = read_document(house.first_root.read_bytes(), Root, "root", 1_000_000)
    new = old.value.raw | {"version": 2, "expires": Time().write(old.value.expires + timedelta(days=10))}
    return remake(
        house.request("root-1"),
        house.path / "root-2.enigmreq",
        {
            "payloads/root.2.json": canonical(new),
            "context/root/1.root.json": house.first_root.read_bytes(),
            "context/previous/root.json": house.first_root.read_bytes(),
        },
        without=("payloads/root.1.json",),
        request_id="root-2",
        sequence=9,
        previous=(Previous("root", 1, sha256(old.canonical)),),
    )


def second_root(house: House, *responses: Path) -> bytes:
    """The file that the repository would publish."""
    signed = read(house.path / "root-2.enigmreq").members["payloads/root.2.json"]
    answers = [read_response(path.read_bytes(), path.name)[0] for path in responses]
    signatures = [{"keyid": item.keyid, "sig": item.signature} for answer in answers for item in answer.signatures]
    return json.dumps({"signatures": signatures, "signed": json.loads(signed, strict=False)}).encode()


def head(house: House, role: str) -> int:
    return history_of(read_log(house.home("release") / "audit.log")).ledger().heads[role].version


def test_a_new_root_is_done_with_the_quorum_of_both(rooted: House) -> None:
    request = root_request(rooted)
    rooted.signed_by(request, "root-a")
    assert head(rooted, "root") == 1
    rooted.signed_by(request, "root-b")
    assert head(rooted, "root") == 2


def test_a_request_brings_the_next_root_and_it_is_trusted(rooted: House) -> None:
    root = second_root(rooted, *rooted.signed_by(root_request(rooted), "root-a", "root-b"))
    request = remake(
        rooted.request("product-phone", "manifest"), rooted.path / "r.enigmreq", {"context/root/2.root.json": root}
    )
    rooted.signed_by(request, "manifest-a")
    assert open_home(rooted.home("manifest")).roots() == [rooted.first_root.read_bytes(), root]
    trusted = [
        e.body["version"] for e in read_log(rooted.home("manifest") / "audit.log") if e.type == EntryType.ROOT_TRUSTED
    ]
    assert trusted == [1, 2]


def test_a_next_root_without_its_quorum_is_not(rooted: House, capsys: pytest.CaptureFixture[str]) -> None:
    root = second_root(rooted, *rooted.signed_by(root_request(rooted), "root-a"))
    request = remake(
        rooted.request("product-phone", "manifest"), rooted.path / "r.enigmreq", {"context/root/2.root.json": root}
    )
    assert rooted.signs(request, "manifest-a", rooted.votes(request)) == 3
    assert "error: SIGNATURE-THRESHOLD" in capsys.readouterr().err
    assert len(open_home(rooted.home("manifest")).roots()) == 1


def test_inspecting_trusts_nothing(rooted: House) -> None:
    root = second_root(rooted, *rooted.signed_by(root_request(rooted), "root-a", "root-b"))
    request = remake(
        rooted.request("product-phone", "manifest"), rooted.path / "r.enigmreq", {"context/root/2.root.json": root}
    )
    assert rooted.sign("request", "inspect", request, "--home", rooted.home("manifest")) == 0
    assert len(open_home(rooted.home("manifest")).roots()) == 1
