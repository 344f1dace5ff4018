"""Images that AOSP's own avbtool made are read as avbtool reads them, and verify; one changed byte and they do not."""

import gzip
import re
from pathlib import Path

import pytest

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.avb.descriptors import (
    ChainDescriptor,
    CommandLineDescriptor,
    HashDescriptor,
    HashtreeDescriptor,
)
from enigm_tuf_repository.inspection.avb.vbmeta import Vbmeta, read_footer, vbmeta_of
from enigm_tuf_repository.inspection.avb.verification import read_chain, uncovered, verify_images
from enigm_tuf_repository.inspection.source import Source, bytes_source

VECTORS = Path(__file__).parents[1] / "vectors" / "avb"
KEYS = {  # SHA-256 of what `avbtool extract_public_key` wrote
    "vbmeta": "5828acd44b604d94c18e70878023237712d7ec6c22b8223f46cac5688db0b661",
    "system": "427442a1040178c80c8f80cd2c47d962ce5413c3e3f128c1704dcab2ae077b4f",
}


def vector(name: str) -> bytes:
    return gzip.decompress((VECTORS / f"{name}.img.gz").read_bytes())


def images(**changed: bytes) -> dict[str, Source]:
    return {name: bytes_source(changed.get(name, vector(name)), name) for name in ("boot", "system", "vbmeta")}


def read(name: str) -> Vbmeta:
    vbmeta = vbmeta_of(bytes_source(vector(name), name))
    assert vbmeta
    return vbmeta


def info(name: str, field: str) -> str:
    """What avbtool said."""
    match = re.search(rf"^ *{field}: +(.*)$", (VECTORS / f"info-{name}.txt").read_text(), re.MULTILINE)
    assert match, field
    return match[1].strip("'")


@pytest.mark.parametrize("name", ["vbmeta", "system"])
def test_a_header_is_read_as_avbtool_reads_it(name: str) -> None:
    vbmeta = read(name)

    assert vbmeta.verify().avb_sha256 == KEYS[name]
    assert str(vbmeta.rollback_index) == info(name, "Rollback Index")
    assert str(vbmeta.location) == info(name, "Rollback Index Location")
    assert vbmeta.release == info(name, "Release String")
    assert str(vbmeta.flags) == info(name, "Flags")


def test_descriptors_are_read_as_avbtool_reads_them() -> None:
    by_kind = {type(item): item for name in ("vbmeta", "system") for item in read(name).descriptors}

    boot, tree = by_kind[HashDescriptor], by_kind[HashtreeDescriptor]
    assert isinstance(boot, HashDescriptor)
    assert (boot.digest.hex(), boot.salt.hex()) == (info("vbmeta", "Digest"), info("vbmeta", "Salt"))
    assert isinstance(tree, HashtreeDescriptor)
    assert (tree.digest.hex(), tree.salt.hex()) == (info("system", "Root Digest"), info("system", "Salt"))
    chain, line = by_kind[ChainDescriptor], by_kind[CommandLineDescriptor]
    assert isinstance(chain, ChainDescriptor)
    assert (chain.partition, chain.location, chain.key.avb_sha256) == ("system", 2, KEYS["system"])
    assert isinstance(line, CommandLineDescriptor)
    assert line.text == info("vbmeta", "Kernel Cmdline")


def test_properties_and_footer_are_read_as_avbtool_reads_them() -> None:
    properties = read("system").properties()
    footer = read_footer(bytes_source(vector("system"), "system"))

    ((name, value),) = properties.items()
    assert f"Prop: {name} -> '{value}'" in (VECTORS / "info-system.txt").read_text()
    assert footer
    assert str(footer.offset) == info("system", "VBMeta offset")
    assert f"{footer.image_size} bytes" == info("system", "Original image size")


def test_the_whole_chain_verifies() -> None:
    chain = read_chain(images())

    verify_images(chain, images(), lambda _: None)
    assert dict(chain.covered) == {"boot": "vbmeta", "system": "system"}
    assert uncovered(chain, {**images(), "modem": bytes_source(b"modem", "modem")}) == ["modem"]


@pytest.mark.parametrize("name", ["vbmeta", "boot", "system"])
@pytest.mark.parametrize("place", [0, 300, 700, 3000])
def test_one_changed_byte_that_verified_boot_covers_does_not_verify(name: str, place: int) -> None:
    data = bytearray(vector(name))
    if name == "vbmeta" and place >= 256 + 576 + 1920:
        place = 256 + 576 + 1900  # behind is padding, which must be zero and is tried elsewhere
    data[place] ^= 0x40
    changed = images(**{name: bytes(data)})

    with pytest.raises(MalformedError):
        verify_images(read_chain(changed), changed, lambda _: None)


def test_every_byte_of_a_vbmeta_matters() -> None:
    """All but the unused part of the authentication block, which nobody signs and nobody reads."""
    whole = vector("vbmeta")
    unread = range(256 + 64 + 512, 256 + 576)
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 1
        if place in unread:
            continue
        assert not verifies(bytes(data)), f"byte {place} may change"


def verifies(data: bytes) -> bool:
    try:
        vbmeta = vbmeta_of(bytes_source(data, "vbmeta"))
        return vbmeta is not None and bool(vbmeta.verify())
    except MalformedError:
        return False


@pytest.mark.parametrize("length", [0, 3, 255, 256, 1000, 2751])
def test_a_vbmeta_that_is_cut_off_is_refused(length: int) -> None:
    source = bytes_source(vector("vbmeta")[:length], "vbmeta")
    if length < 4:
        assert vbmeta_of(source) is None
        return
    with pytest.raises(MalformedError):
        vbmeta_of(source)
