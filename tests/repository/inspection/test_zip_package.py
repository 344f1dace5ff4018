"""A zip file that two readers could see differently is no package."""

import io
import struct
import zipfile
from collections.abc import Callable

import pytest

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.source import bytes_source
from enigm_tuf_repository.inspection.zip_package import read_zip


def package(compression: int = zipfile.ZIP_STORED, **more: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in {"one": b"1" * 100, "two": b"2" * 100, **more}.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=compression)
    return buffer.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_entries_are_read(compression: int) -> None:
    found = read_zip(bytes_source(package(compression), "zip"))
    assert found.read("one") == b"1" * 100
    if compression == zipfile.ZIP_STORED:
        assert found.stored("two").whole(100) == b"2" * 100


def test_a_package_with_a_comment_and_one_written_as_a_stream_are_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(_Stream(buffer), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"a comment"
        archive.writestr("one", b"1" * 100)
    found = read_zip(bytes_source(buffer.getvalue(), "zip"))
    assert (found.read("one"), found.comment) == (b"1" * 100, b"a comment")


def with_other_local_name(data: bytes) -> bytes:
    return data.replace(b"one", b"oNe", 1)


def with_other_local_size(data: bytes) -> bytes:
    return data[:18] + struct.pack("<I", 99) + data[22:]


def with_other_local_method(data: bytes) -> bytes:
    return data[:8] + struct.pack("<H", 8) + data[10:]


_ENTRY = b"PK\x01\x02\x14\x03\x14\x00"  # in the directory, up to the flags


def encrypted(data: bytes) -> bytes:
    return (
        data[:6] + b"\x01" + data[7:].replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01", 1)
    )


def with_two_of_a_name(data: bytes) -> bytes:
    return data.replace(b"two", b"one")


def with_an_absolute_name(data: bytes) -> bytes:
    return data.replace(b"two", b"/wo")


def with_a_parent(data: bytes) -> bytes:
    return data.replace(b"two", b"../")


def with_a_second_end(data: bytes) -> bytes:
    end = data[-22:]
    return data[:-2] + struct.pack("<H", 22) + end


def with_bytes_behind(data: bytes) -> bytes:
    return data + b"x"


def with_bytes_before(data: bytes) -> bytes:
    return b"PK\x03\x04" + data


def with_a_gap(data: bytes) -> bytes:
    """Bytes between the entries and the directory, which no entry owns."""
    start = struct.unpack("<I", data[-6:-2])[0]
    return data[:start] + b"\0" * 100 + data[start:-6] + struct.pack("<I", start + 100) + data[-2:]


def with_a_wrong_checksum(data: bytes) -> bytes:
    return data.replace(b"1" * 100, b"1" * 99 + b"0", 1)


CHANGES: dict[Callable[[bytes], bytes], str] = {
    with_other_local_name: "its own header says something else",
    with_other_local_size: "its own header has other sizes",
    with_other_local_method: "its own header says something else",
    encrypted: "must be stored or deflated, not encrypted",
    with_two_of_a_name: "stands twice",
    with_an_absolute_name: "no name for an entry",
    with_a_parent: "no name for an entry",
    with_a_second_end: "must have one end record",
    with_bytes_behind: "must have one end record",
    with_bytes_before: "not a zip file|bytes before|overlaps|own header",
    with_a_gap: "overlaps another entry, or has bytes behind it",
    with_a_wrong_checksum: "cannot be unpacked: Bad CRC-32",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_package_with_one_thing_off_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(MalformedError, match=CHANGES[change]):
        read_zip(bytes_source(change(package()), "zip")).read("one")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    found = read_zip(bytes_source(package(zipfile.ZIP_DEFLATED, bomb=b"\0" * 50_000_000), "zip"))
    with pytest.raises(MalformedError, match="at most 1,000,000 bytes, has 50,000,000"):
        found.read("bomb")


def test_an_entry_that_unpacks_to_more_than_it_says_is_refused() -> None:
    data = package(zipfile.ZIP_DEFLATED, bomb=b"\0" * 5_000_000)
    lying = data.replace(struct.pack("<I", 5_000_000), struct.pack("<I", 1_000))
    with pytest.raises(MalformedError):
        read_zip(bytes_source(lying, "zip")).read("bomb")


class _Stream(io.RawIOBase):
    """Cannot seek, so that zipfile writes data descriptors."""

    def __init__(self, buffer: io.BytesIO) -> None:
        super().__init__()
        self._buffer = buffer

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self._buffer.write(bytes(data))  # type: ignore[call-overload]
