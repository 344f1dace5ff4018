"""A step reads the same bytes once; whatever else lies there is read, and what is kept stays as it was read."""

from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import EnigmTufError
from enigm_tuf.model.strict_json import canonical, parse
from enigm_tuf.trust.verified import Readings
from enigm_tuf_repository import lineage
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.register import load_register, save_register


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    """What the process keeps, empty at first."""
    monkeypatch.setattr(lineage.READINGS, "_kept", {})
    return lineage.READINGS


def test_a_release_leaves_what_it_read_as_it_was(vendor: Vendor, readings: Readings) -> None:
    """Two releases, all steps and all attacks: every value still says what its bytes say."""
    for version in ("1.0", "1.1"):
        vendor.publish(vendor.prepare_release(version))
    assert len(readings._kept) > 4
    for document in readings._kept.values():
        signed = canonical(parse(document.data, source="kept", max_bytes=len(document.data))["signed"])
        assert document.value.canonical() == document.canonical == signed


@pytest.mark.usefixtures("readings")
def test_one_byte_more_is_read_again(vendor: Vendor) -> None:
    file = vendor.published / "metadata" / "1.targets.json"
    first = Lineage(vendor.published, []).heads["targets"]
    assert Lineage(vendor.published, []).heads["targets"].value is first.value
    file.write_bytes(file.read_bytes() + b"\n")
    again = Lineage(vendor.published, []).heads["targets"]
    assert again.value is not first.value
    assert again.data == first.data + b"\n"
    file.write_bytes(first.data[:-1])
    with pytest.raises(EnigmTufError, match=r"1\.targets\.json"):
        _ = Lineage(vendor.published, []).heads["targets"]


@pytest.mark.parametrize("data", [b"", b"{", b"{}"])
def test_a_torn_register_is_no_register(vendor: Vendor, data: bytes) -> None:
    known = load_register(vendor.workspace)
    whole = vendor.workspace.register_file.read_bytes()
    vendor.workspace.register_file.write_bytes(data)
    with pytest.raises(EnigmTufError, match=r"register\.json"):
        load_register(vendor.workspace)
    vendor.workspace.register_file.write_bytes(whole)
    assert load_register(vendor.workspace) == known


def test_a_register_that_somebody_else_wrote_is_read(vendor: Vendor, tmp_path: Path) -> None:
    before = load_register(vendor.workspace)
    old = vendor.workspace.register_file.read_bytes()
    save_register(vendor.workspace, before.with_product("tablet", ("beta",)))
    assert load_register(vendor.workspace).products["tablet"] == ("beta",)
    vendor.workspace.register_file.write_bytes(old)
    assert load_register(vendor.workspace) == before
    other = vendor.copied_to(tmp_path / "other")
    save_register(other.workspace, before.with_product("watch", ("beta",)))
    assert "watch" not in load_register(vendor.workspace).products
