"""Bundles that are off are refused before any signature is looked at."""

from pathlib import Path

import pytest

from enigm_testkit.android.keys import SigningKey, make_key
from enigm_testkit.bundles import make_rauc, make_swu
from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.bundles.libconfig import read_libconfig
from enigm_tuf_repository.inspection.plugins import inspect_file

JSON = '{"software": {"version": "7.1", "images": [{"filename": "rootfs.img", "sha256": "%s"}]}}'


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return make_key(tmp_path_factory.mktemp("bundles"), "bundles")


def test_a_rauc_bundle_says_what_it_is(key: SigningKey, tmp_path: Path) -> None:
    found = inspect_file(make_rauc(tmp_path / "made", key))

    assert (found.claims.version, found.claims.build_id) == ("2026.11.1", "BUILD.7")
    assert found.claims.hardware_ids == ("enigm-router",)
    assert found.facts["images"] == ["rootfs"]


def test_a_rauc_bundle_of_the_plain_format_is_refused(key: SigningKey, tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="has no manifest: make the bundle with format=verity"):
        inspect_file(make_rauc(tmp_path / "made", key, form="plain"))


@pytest.mark.parametrize("form", ["crc", "newc"])
def test_an_swu_says_its_version(key: SigningKey, tmp_path: Path, form: str) -> None:
    assert inspect_file(make_swu(tmp_path / "made", key, form=form)).claims.version == "2026.11.1"


def test_a_description_in_json_is_read_too(key: SigningKey, tmp_path: Path) -> None:
    bundle = make_swu(tmp_path / "made", key, description=JSON % ("0" * 64))
    assert inspect_file(bundle).claims.version == "7.1"


@pytest.mark.parametrize(
    ("description", "rule"),
    [
        ('software = { images: ({ filename = "rootfs.img"; }); };', "needs one sha256"),
        ('hardware = { version = "1"; };', "software: missing"),
        ("software = {", "must stand where '' stands"),
        ("software = { version = 1.5; };", "not libconfig"),
        ('software = { version = "1"; version = "2"; };', "version stands twice"),
        ('@include "/etc/passwd"', "not libconfig"),
        ("software = " + "{ a = " * 20, "nested at most 16 deep"),
        ('software = { a = "\\q"; };', "no such escape"),
    ],
)
def test_a_description_that_is_off_is_refused(key: SigningKey, tmp_path: Path, description: str, rule: str) -> None:
    with pytest.raises(MalformedError, match=rule):
        inspect_file(make_swu(tmp_path / "made", key, description=description))


def test_a_checksum_of_other_bytes_is_refused(key: SigningKey, tmp_path: Path) -> None:
    bundle = make_swu(tmp_path / "made", key)
    bundle.write_bytes(bundle.read_bytes().replace(b"rootfs rootfs", b"rootfs rootft", 1))
    with pytest.raises(MalformedError, match="its checksum is that of other bytes"):
        inspect_file(bundle)


def test_libconfig_is_read_with_all_its_forms() -> None:
    text = """# comment
    a = 1; b = 0x10, c = -3L d = TRUE; // more
    e = [1, 2]; f = ("x" "y", {g = false;}, ()); h: { };
    """
    assert read_libconfig(text, "text") == {
        "a": 1,
        "b": 16,
        "c": -3,
        "d": True,
        "e": [1, 2],
        "f": ["xy", {"g": False}, []],
        "h": {},
    }


@pytest.mark.parametrize("number", ["02", "1.5", "9" * 30, "1a"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(MalformedError, match="not libconfig"):
        read_libconfig(f"a = {number};", "text")
