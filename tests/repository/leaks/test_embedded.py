"""What is packed somewhere inside a file that is no archive is looked into; what only looks like it says nothing."""

import bz2
import gzip
import io
import lzma
import os
import random
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.leaks import scanning
from enigm_tuf_repository.leaks.scanning import Scan

KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
TEXT = b"".join(b"line %d of a file like many\n" % number for number in range(4_000)) + PEM + b"the end\n" * 9_000


def zipped(data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("readme", b"nothing here")
        archive.writestr("res/key.pem", data)
    return buffer.getvalue()


def streamed(data: bytes) -> bytes:
    """A zip whose headers do not say how long their members are."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, piece: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
            self.data += bytes(piece)
            return len(piece)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("key.pem", data)
    return pipe.data


def legacy(data: bytes) -> bytes:
    """By the tool that packs ramdisks."""
    return subprocess.run(["lz4", "-l", "-c", "-"], input=data, capture_output=True, check=True).stdout


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "zip": zipped,
    "zip, bzip2": lambda data: zipped(data, zipfile.ZIP_BZIP2),
    "zip, streamed": streamed,
    "gz": gzip.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "bz2": bz2.compress,
    "zst": zstandard.compress,
    "lz4": lz4.frame.compress,
    "lz4, old": legacy,
}


def scanned(data: bytes) -> Scan:
    scan = Scan()
    scan.data(data, "it")
    return scan


def noise(size: int, seed: int = 7) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("how", PACKED)
@pytest.mark.parametrize("data", [PEM, TEXT], ids=["small", "large"])
def test_a_key_that_is_packed_in_the_middle_of_other_bytes_is_found(how: str, data: bytes) -> None:
    scan = scanned(b"ELF" + noise(5_000) + PACKED[how](data) + noise(5_000))
    assert [item.candidate.kind for item in scan.found] == ["PEM PRIVATE KEY"]
    assert "it!(" in scan.found[0].place


@pytest.mark.parametrize("how", ["lz4", "lz4, old"])
def test_a_whole_file_of_lz4_is_one_of_the_archives(how: str) -> None:
    scan = scanned(PACKED[how](zipped(TEXT)))
    assert [item.place for item in scan.found] == ["it!(lz4)!res/key.pem"]
    assert scan.unread == []


def test_archives_in_what_is_embedded_are_looked_into() -> None:
    scan = scanned(noise(999) + gzip.compress(noise(999) + zipped(lzma.compress(PEM))))
    assert len(scan.found) == 1


def test_a_zip_that_is_cut_off_still_gives_what_it_has() -> None:
    data = zipped(TEXT)
    scan = scanned(data[: data.rindex(b"PK\x01\x02") - 1])
    assert len(scan.found) == 1
    assert len(scan.unread) == 1


def test_a_stream_that_is_cut_off_is_scanned_as_far_as_it_goes_and_said() -> None:
    data = gzip.compress(PEM + noise(300_000))
    scan = scanned(noise(99) + data[:-50_000])
    assert len(scan.found) == 1
    assert scan.unread == ["it!(gz at 99): ends too early"]


def test_an_encrypted_member_is_said() -> None:
    data = bytearray(zipped(PEM))
    data[data.rindex(b"PK\x03\x04") + 6] |= 1
    scan = scanned(noise(99) + bytes(data))
    assert scan.found == []
    assert len(scan.unread) == 1
    assert "encrypted" in scan.unread[0]


@pytest.mark.parametrize("form", ["7z", "rar"])
def test_an_archive_that_is_not_opened_is_said(form: str, tmp_path: Path) -> None:
    data = b"Rar!\x1a\x07\x01\x00" + noise(4) + b"\x0c\x01" + noise(99)
    if form == "7z":
        (tmp_path / "key.pem").write_bytes(PEM)
        subprocess.run(["7z", "a", "-bd", "a.7z", "key.pem"], cwd=tmp_path, check=True, capture_output=True)
        data = (tmp_path / "a.7z").read_bytes()
    assert scanned(data).unread == [f"it!({form} at 0): an archive that is not opened here"]


def test_a_key_that_is_packed_and_lies_there_openly_is_told_once() -> None:
    """A stream may hold its bytes as they are."""
    stored = gzip.compress(PEM, 0)
    assert len(scanned(noise(99) + stored + noise(99)).found) == 1


def test_beginnings_that_are_none_say_nothing() -> None:
    beginnings = [
        b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
        b"\xfd7zXZ\x00\x00\x01",
    ]
    beginnings += [b"BZh91AY&SY", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18\x64", b"\x02\x21\x4c\x18\xff\xff\xff\x7f"]
    data = b"".join(beginning + noise(3_000, seed) for seed, beginning in enumerate(beginnings * 5))
    scan = scanned(b"x" + data)
    assert scan.found == []
    assert scan.unread == []


def test_a_bomb_in_the_middle_of_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "LARGEST", 5_000_000)
    with pytest.raises(MalformedError, match="unpacks to more than"):
        scanned(noise(99) + gzip.compress(bytes(50_000_000)))


def test_containers_that_are_embedded_too_deep_are_refused() -> None:
    data = PEM
    for _ in range(scanning.DEEPEST + 1):
        data = b"x" * 9 + gzip.compress(data)
    with pytest.raises(MalformedError, match="more than 12 deep"):
        scanned(data)


def test_a_large_file_with_something_packed_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "image"
    with path.open("wb") as file:
        file.write(os.urandom(9_000_000))
        file.write(PACKED["lz4, old"](TEXT))
    scan = Scan()
    scan.path(path)
    assert len(scan.found) == 1


def test_a_key_in_the_ramdisk_of_a_boot_image_is_found(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(PEM)
    packed = subprocess.run(
        ["cpio", "-o", "-H", "newc"], input=b"key.pem\n", cwd=tmp_path, capture_output=True, check=True
    )
    (tmp_path / "ramdisk").write_bytes(legacy(packed.stdout))
    (tmp_path / "kernel").write_bytes(gzip.compress(noise(200_000)))
    image = tmp_path / "boot.img"
    arguments = ["--header_version", "2", "--kernel", tmp_path / "kernel", "--ramdisk", tmp_path / "ramdisk"]
    (tmp_path / "dtb").write_bytes(b"dtb")
    arguments += ["--dtb", tmp_path / "dtb", "-o", image]
    subprocess.run(["mkbootimg", *map(str, arguments)], check=True, capture_output=True)
    scan = Scan()
    scan.path(image)
    assert [item.candidate.kind for item in scan.found] == ["PEM PRIVATE KEY"]
    assert "(lz4-legacy at" in scan.found[0].place


def tarred(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("readme")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("behind", [b"", bytes(512)], ids=["at once", "later"])
@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress, lz4.frame.compress, tarred, zipped]
)
def test_what_is_packed_behind_something_packed_is_found(pack: Callable[[bytes], bytes], behind: bytes) -> None:
    """An archive ends, and the file does not: two ramdisks, or what was added to a download."""
    packed = pack(b"nothing here either" * 99)
    assert scanned(packed).found == []
    assert len(scanned(packed + behind + gzip.compress(PEM)).found) == 1


def test_of_two_zips_the_first_is_looked_into_too() -> None:
    """The directory that counts is the last one."""
    assert len(scanned(zipped(TEXT) + zipped(b"nothing here either")).found) == 1
