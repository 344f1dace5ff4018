"""Boot images (header versions 0 to 4, and vendor boot 3 and 4), and single files out of their ramdisks."""

import zlib
from dataclasses import dataclass

import lz4.block

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.fields import Layout, text
from enigm_tuf_repository.inspection.filesystems.cpio import read_cpio
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import Source, bytes_source

MAGIC, VENDOR_MAGIC = b"ANDROID!", b"VNDRBOOT"
_OLD = Layout(
    "<",
    magic="8s",
    kernel="I",
    _kernel_place="I",
    ramdisk="I",
    _ramdisk_place="I",
    second="I",
    _second_place="I",
    _tags="I",
    page="I",
    version="I",
    os_version="I",
    name="16s",
    command_line="512s",
)
_NEW = Layout("<", magic="8s", kernel="I", ramdisk="I", os_version="I", size="I", _reserved="16s", version="I")
_VENDOR = Layout(
    "<",
    magic="8s",
    version="I",
    page="I",
    _kernel_place="I",
    _ramdisk_place="I",
    ramdisk="I",
    command_line="2048s",
    _tags="I",
    name="16s",
    size="I",
    dtb="I",
)
_NEW_PAGE = 4096
_PAGES = (2048, 4096, 8192, 16384)
_LARGEST = 256 * 2**20  # bytes of an unpacked ramdisk
_ENTRIES = 100_000
_LZ4_LEGACY = b"\x02\x21\x4c\x18"
_LZ4_BLOCK = 8 * 2**20  # bytes that one block unpacks to, at most


@dataclass(frozen=True, slots=True)
class BootImage:
    """``ramdisk`` as it stands, compressed. ``os_version`` and patch level are packed into one number, or zero."""

    vendor: bool
    version: int
    os_version: int
    name: str
    ramdisk: Source

    @property
    def security_patch_level(self) -> str:
        """Year and month; empty where the header has none."""
        packed = self.os_version & 0x7FF
        return f"{2000 + (packed >> 4)}-{packed & 0xF:02d}" if packed else ""

    def read(self, *paths: str) -> dict[str, bytes]:
        """Those of ``paths`` that are in the ramdisk; MalformedError where a path stands there twice."""
        found: dict[str, bytes] = {}
        ramdisk = bytes_source(unpacked_ramdisk(self.ramdisk), self.ramdisk.name) if self.ramdisk.length else None
        for entry in read_cpio(ramdisk, _ENTRIES) if ramdisk else ():
            name = entry.name.removeprefix("./").lstrip("/")
            if name in found:
                raise MalformedError(self.ramdisk.name, name, "stands twice")
            if name in paths and entry.mode >> 12 == 0x8:
                found[name] = entry.data.whole(INSPECTION_LIMITS.small_file)
        return found


def looks_like_boot_image(source: Source) -> bool:
    """Begins with one of the magics."""
    return source.length > _NEW.size and source.read(0, 8) in {MAGIC, VENDOR_MAGIC}


def read_boot_image(source: Source) -> BootImage:
    """MalformedError names the field."""
    data = source.read(0, min(source.length, INSPECTION_LIMITS.boot_header))
    if data[:8] == VENDOR_MAGIC:
        return _vendor(source, data)
    version = _OLD.read(data, source.name, "header")["version"]
    if version in {3, 4}:
        head = _NEW.read(data, source.name, "header")
        start = _NEW_PAGE + _pages(head["kernel"], _NEW_PAGE)
        return BootImage(False, version, head["os_version"], "", source.part(start, head["ramdisk"], "ramdisk"))
    if version > 4:
        raise MalformedError(source.name, "header", f"no such version: {version}")
    head = _OLD.read(data, source.name, "header")
    page = _page(head["page"], source)
    ramdisk = source.part(page + _pages(head["kernel"], page), head["ramdisk"], "ramdisk")
    return BootImage(False, version, head["os_version"], text(head["name"], source.name, "name"), ramdisk)


def _vendor(source: Source, data: bytes) -> BootImage:
    head = _VENDOR.read(data, source.name, "header")
    if head["version"] not in {3, 4}:
        raise MalformedError(source.name, "header", f"no such version: {head['version']}")
    page = _page(head["page"], source)
    ramdisk = source.part(_pages(head["size"], page), head["ramdisk"], "ramdisk")
    return BootImage(True, head["version"], 0, text(head["name"], source.name, "name"), ramdisk)


def unpacked_ramdisk(ramdisk: Source) -> bytes:
    """gzip, LZ4 in its legacy frames, or as it is; MalformedError where it is longer than 256 MiB."""
    data = ramdisk.whole(_LARGEST)
    if data[:2] == b"\x1f\x8b":
        return _gunzipped(data, ramdisk.name)
    if data[:4] == _LZ4_LEGACY:
        return _unlz4(data, ramdisk.name)
    return data


def _gunzipped(data: bytes, source: str) -> bytes:
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unpacked = decompressor.decompress(data, _LARGEST)
    except zlib.error as error:
        raise MalformedError(source, "", f"cannot be unpacked: {error}") from error
    if not decompressor.eof:
        raise MalformedError(source, "", "cut off, or longer than 256 MiB")
    return unpacked


def _unlz4(data: bytes, source: str) -> bytes:
    """Blocks of "length, data" behind the magic, which may stand again where archives were joined."""
    blocks, place, total = [], 0, 0
    while place + 4 <= len(data):
        if data[place : place + 4] == _LZ4_LEGACY:
            place += 4
            continue
        length = int.from_bytes(data[place : place + 4], "little")
        if length == 0:
            break
        if place + 4 + length > len(data):
            raise MalformedError(source, "", "LZ4 is cut off")
        blocks.append(_unlz4_block(memoryview(data)[place + 4 : place + 4 + length], source))
        total += len(blocks[-1])
        if total > _LARGEST:
            raise MalformedError(source, "", "longer than 256 MiB")
        place += 4 + length
    return b"".join(blocks)


def _unlz4_block(data: memoryview, source: str) -> bytes:
    try:
        return bytes(lz4.block.decompress(data, uncompressed_size=_LZ4_BLOCK))
    except lz4.block.LZ4BlockError as error:
        raise MalformedError(source, "", f"not LZ4: {error}") from error


def _page(size: int, source: Source) -> int:
    if size not in _PAGES:
        raise MalformedError(source.name, "page_size", f"must be one of {_PAGES}, is {size}")
    return size


def _pages(size: int, page: int) -> int:
    return -(-size // page) * page
