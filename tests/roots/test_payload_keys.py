"""Rotating one payload key, and revoking all of them after a compromise."""

import json
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.forged_roots import stolen, tree_with_root
from enigm_testkit.house import House, key_files
from enigm_testkit.works import Works
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.strict_json import canonical, encode
from enigm_tuf_repository.records import load_record
from enigm_tuf_repository.workspace import Workspace

ROOT_KEYS = ("root-a", "root-b", "root-c")


def changed(five: Works, folder: Path, *payload: str) -> Works:
    """Root 2 with these payload keys, and the roles that follow it."""
    works = five.copied(folder / "house")
    house = works.house
    house.take_stock("release", *(token for token in payload if token in house.plan.spares))
    house.repo("root", "prepare", "--config", works.configuration(payload_keys=key_files(*payload)))
    works.root_signed("root-2", *ROOT_KEYS, consent=())
    works.payload = payload
    works.follow("root-2")
    works.finish("root-2")
    return works


@pytest.fixture(scope="module")
def rotated_template(five: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    """payload-b leaves, payload-c comes."""
    return changed(five, tmp_path_factory.mktemp("rotated"), "payload-a", "payload-c")


@pytest.fixture(scope="module")
def revoked_template(five: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    """payload-a and payload-b are stolen: both leave, payload-c and payload-d come."""
    return changed(five, tmp_path_factory.mktemp("revoked"), "payload-c", "payload-d")


@pytest.fixture
def rotated(rotated_template: Works, tmp_path: Path) -> Works:
    return rotated_template.copied(tmp_path / "house")


@pytest.fixture
def revoked(revoked_template: Works, tmp_path: Path) -> Works:
    return revoked_template.copied(tmp_path / "house")


def test_a_payload_key_is_rotated_by_root_and_the_roles_follow(rotated: Works) -> None:
    record = load_record(Workspace(rotated.house.path / "repository"), "root-2")
    assert record.roles == {"root": 2, "phone.payload": 3, "targets": 2, "snapshot": 3}
    rotated.fleet.ship("new", 2)
    rotated.fleet.arrives("1.0")
    rotated.release("2.0")
    rotated.fleet.arrives("2.0")


def test_after_a_compromise_all_keys_go_and_what_the_authority_itself_had_signed_stays(revoked: Works) -> None:
    """The role is signed anew from the last version in the authority's own ledger, never from what a server shows."""
    revoked.fleet.arrives("1.0")
    revoked.release("2.0")
    revoked.fleet.ship("new", 2)
    revoked.fleet.arrives("2.0")


def test_it_is_told_by_its_name(five: Works, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    works = five.copied(tmp_path / "house")
    capsys.readouterr()
    both = works.configuration(payload_keys=key_files("payload-c", "payload-d"))
    works.house.repo("root", "prepare", "--config", both)
    told = capsys.readouterr().out
    assert "revoke-payload-keys: - " in told
    assert "then signed anew, see root follow: targets, phone.payload, snapshot" in told
    assert not works.house.request("root-2", "manifest").exists(), "root pins the payload keys alone"


# --- the negative twins ---


def with_evil_payload(house: House, tree: Path, *tokens: str) -> None:
    """Payload keys alone: a record of the thief's own, in a next version of the payload role."""
    newest = max((tree / "metadata").glob("*.phone.payload.json"), key=lambda path: int(path.name.split(".")[0]))
    signed: dict[str, Any] = json.loads(newest.read_bytes())["signed"]
    signed["version"] += 1
    path = next(iter(signed["targets"]))
    signed["targets"][path.replace("1.0", "6.6")] = signed["targets"][path]
    data = canonical(signed)
    signatures = [{"keyid": house.key(token).keyid, "sig": stolen(house, token, data).hex()} for token in tokens]
    newest.write_bytes(encode({"signed": signed, "signatures": signatures}))


def test_what_the_stolen_keys_sign_reaches_no_device_that_knows(revoked: Works, tmp_path: Path) -> None:
    tree = tree_with_root(revoked.published, tmp_path / "tree", 2)
    with_evil_payload(revoked.house, tree, "payload-a", "payload-b")
    with pytest.raises(RefusedError, match=r"^SIGNATURE-THRESHOLD: phone\.payload"):
        revoked.fleet.devices["boxed"].update(tree)


def test_a_device_that_does_not_know_yet_is_no_worse_off_for_it(five: Works, tmp_path: Path) -> None:
    """Before the revocation reaches it: no manifest lists what the thief signed, no snapshot names such a role."""
    works = five.copied(tmp_path / "house")
    tree = tree_with_root(works.published, tmp_path / "tree", 1)
    with_evil_payload(works.house, tree, "payload-a", "payload-b")
    with pytest.raises(RefusedError, match=r"^TARGETS-VERSION: phone\.payload"):
        works.fleet.devices["boxed"].update(tree)


def test_the_old_payload_role_under_the_new_root_is_refused(revoked: Works, tmp_path: Path) -> None:
    """Whoever serves root 2 with the roles of before, with all signatures that they ever had."""
    old = revoked.fleet.devices["updated"].metadata("timestamp")
    tree = tree_with_root(revoked.published, tmp_path / "tree", 2)
    (tree / "metadata" / "timestamp.json").write_bytes(old)
    with pytest.raises(RefusedError, match=r"^PAYLOAD-PINNED: targets version 1, role phone\.payload"):
        revoked.fleet.devices["boxed"].update(tree)


def test_two_of_three_root_signatures_revoke_nothing(revoked: Works, tmp_path: Path) -> None:
    tree = tree_with_root(revoked.published, tmp_path / "tree", 2, without=[revoked.house.key("root-b").keyid])
    with pytest.raises(RefusedError, match=r"^SIGNATURE-THRESHOLD: root version 2"):
        revoked.fleet.devices["boxed"].update(tree)


def test_the_release_authority_signs_anew_only_what_it_signed(
    five: Works, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record that a thief put into the published role is not in the ledger, and so in no request that passes."""
    works = five.copied(tmp_path / "house")
    house = works.house
    house.take_stock("release", "payload-c", "payload-d")
    both = works.configuration(payload_keys=key_files("payload-c", "payload-d"))
    house.repo("root", "prepare", "--config", both)
    works.root_signed("root-2", *ROOT_KEYS, consent=())
    with_evil_payload(house, works.published, "payload-a", "payload-b")
    house.repo("root", "follow", "root-2")
    request = house.request("root-2", "release-roles")
    assert house.signs(request, "payload-c", house.votes(request)) == 3
    assert "error: REQUEST-PREVIOUS" in capsys.readouterr().err
