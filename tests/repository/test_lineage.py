"""What a release need not read, it does not read."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import StateError
from enigm_tuf_repository import lineage
from enigm_tuf_repository.lineage import Lineage


def test_roles_of_other_products_are_not_read_for_a_release(released: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    released.done("product", "add", "tablet", "--channel", "stable")
    released.publish("product-tablet")
    read: list[str] = []
    whole = lineage.read_signed_file

    def watched(data: bytes, role: str, source: str) -> lineage.SignedFile:
        read.append(role)
        return whole(data, role, source)

    monkeypatch.setattr(lineage, "read_signed_file", watched)
    released.publish(released.prepare_release("1.1"))
    assert not [role for role in read if role.startswith("tablet.")]
    assert "phone.payload" in read


def test_an_expiry_is_told_from_the_beginning_of_a_file_as_from_the_whole(released: Vendor) -> None:
    heads = Lineage(released.published, []).heads
    told = {role: heads.expires(role) for role in heads}
    assert told == {role: file.value.expires for role, file in Lineage(released.published, []).heads.items()}


@pytest.mark.parametrize("written", ["indented", "another order", "a bracket in a signature"])
def test_a_file_that_is_written_otherwise_is_read_whole(written: str, released: Vendor) -> None:
    path = released.published / "metadata/2.phone.payload.json"
    document = json.loads(path.read_bytes())
    expected = Lineage(released.published, []).heads["phone.payload"].value.expires
    if written == "indented":
        path.write_text(json.dumps(document, indent=1))
    elif written == "another order":
        path.write_text(json.dumps({"signed": document["signed"], "signatures": document["signatures"]}))
    else:
        lie = f'],"signed":{{"_type":"targets","expires":"{expected + timedelta(days=999):%FT%TZ}","spec_version"'
        document["signatures"].append({"keyid": "0" * 64, "sig": lie})
        path.write_text(json.dumps(document, separators=(",", ":")))
    assert Lineage(released.published, []).heads.expires("phone.payload") == expected


def test_a_role_that_is_gone_is_named_when_it_is_asked_for(released: Vendor) -> None:
    path: Path = released.published / "metadata/2.phone.payload.json"
    path.unlink()
    heads = Lineage(released.published, []).heads
    assert heads.versions["phone.payload"] == 2
    with pytest.raises(StateError, match=r"2\.phone\.payload\.json: the repository names it, but it is gone"):
        heads["phone.payload"]
    with pytest.raises(StateError):
        heads.expires("phone.payload")
