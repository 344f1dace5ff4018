"""Files are read out of images as the makers' own tools read them."""

import gzip
import hashlib
import os
import random
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from enigm_testkit.android.build import cpio
from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.android.ramdisk import read_boot_image
from enigm_tuf_repository.inspection.android.sparse import unsparse
from enigm_tuf_repository.inspection.filesystems import walking
from enigm_tuf_repository.inspection.filesystems.erofs import read_erofs
from enigm_tuf_repository.inspection.filesystems.ext4 import read_ext4
from enigm_tuf_repository.inspection.filesystems.squashfs import read_squashfs
from enigm_tuf_repository.inspection.filesystems.squashfs_files import SquashfsFiles
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.plugins import inspect_file
from enigm_tuf_repository.inspection.source import Source, bytes_source, file_source

VECTORS = Path(__file__).parents[1] / "vectors" / "erofs"
PATH = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}


def run(*command: object, **options: object) -> bytes:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, env=PATH, **options).stdout  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small, large, sparse and many files, deep and long names."""
    folder, dice = tmp_path_factory.mktemp("tree"), random.Random(1)
    files = {
        CERTIFICATES: dice.randbytes(1500),
        "empty": b"",
        "one": b"1",
        "a/b/c/d/e/f/deep": b"deep",
        "n" * 200: b"long name",
        "large": dice.randbytes(3_000_000),
        "text": b"the same line again\n" * 20_000,
        **{f"many/{number}": str(number).encode() for number in range(1_500)},
    }
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with (folder / "holes").open("wb") as file:
        file.seek(900_000)
        file.write(b"end")
    (folder / "link").symlink_to("one")
    return folder


CERTIFICATES = "system/etc/security/otacerts.zip"
NAMES = [CERTIFICATES, "empty", "one", "a/b/c/d/e/f/deep", "n" * 200, "large", "holes", "many/1499"]
MAKERS: dict[str, tuple[str, ...]] = {
    "4 KiB blocks": ("-b", "4096"),
    "1 KiB blocks": ("-b", "1024"),
    "32 bit": ("-O", "^64bit"),
    "inline data": ("-O", "inline_data", "-I", "256"),
    "no checksums": ("-O", "^metadata_csum"),
}


@pytest.mark.parametrize("options", MAKERS.values(), ids=list(MAKERS))
def test_ext4_is_read_as_debugfs_reads_it(tree: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    image = tmp_path / "image"
    run("mke2fs", "-q", "-t", "ext4", *options, "-d", tree, image, "48M")
    ours = read_ext4(file_source(image))

    for name in NAMES:
        assert ours.read(name, 10**7) == (tree / name).read_bytes(), name
    assert ours.read(CERTIFICATES) == run("debugfs", "-R", f"cat /{CERTIFICATES}", image)
    assert ours.read("nothing") is None
    assert ours.read("one/nothing") is None
    with pytest.raises(MalformedError, match="must be a regular file"):
        ours.read("link")
    with pytest.raises(MalformedError, match="at most 1,000,000 bytes"):
        ours.read("large")
    assert inspect_file(image).kind == "ext4"


def test_ext4_whose_superblock_asks_for_a_feature_that_is_not_read_is_refused(tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    run("mke2fs", "-q", "-t", "ext4", "-O", "bigalloc", "-d", tree / "a", image, "48M")

    with pytest.raises(MalformedError, match="features that are not read"):
        read_ext4(file_source(image))


EROFS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "extended": ("-Eforce-inode-extended",),
    "chunks": ("--chunksize=65536",),
    "lz4": ("-zlz4",),
    "lz4hc": ("-zlz4hc",),
    "large clusters": ("-zlz4hc", "-C65536"),
    "for old kernels": ("-zlz4hc", "-Elegacy-compress"),
    "ends in the inode": ("-zlz4hc", "-Eztailpacking"),
    "ends together": ("-zlz4hc", "-Efragments", "-C65536"),
}


@pytest.mark.parametrize("options", EROFS.values(), ids=list(EROFS))
def test_erofs_is_read_as_it_was_made(tree: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    image = tmp_path / "image"
    run("mkfs.erofs", *options, image, tree)
    ours = read_erofs(file_source(image))

    for name in [*NAMES, "text"]:
        assert ours.read(name, 10**7) == (tree / name).read_bytes(), name
    assert ours.read("nothing") is None
    with pytest.raises(MalformedError, match="must be a regular file"):
        ours.read("link")
    with pytest.raises(MalformedError, match="at most 1,000,000 bytes"):
        ours.read("large")
    assert inspect_file(image).kind == "erofs"
    found = {path: b"".join(pieces) for path, pieces in read_erofs(bytes_source(image.read_bytes(), "image")).files()}
    assert found == {f"/{path.relative_to(tree)}": path.read_bytes() for path in _regular(tree)}


def _regular(tree: Path) -> list[Path]:
    return [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]


def _lines(name: str, count: int) -> bytes:
    digests = [hashlib.sha256(b"%d" % number).hexdigest()[:2].encode() for number in range(count)]
    return b"".join(b"%s %d: %s\n" % (name.encode(), number, digest) for number, digest in enumerate(digests))


def _vector(name: str) -> Source:
    return bytes_source(gzip.decompress((VECTORS / f"{name}.img.gz").read_bytes()), name)


@pytest.mark.parametrize("name", ["deflate", "lzma", "zstd", "lz4-16k"])
def test_erofs_of_newer_makers_is_read(name: str) -> None:
    files = {f"/{name}": _lines(name, count) for name, count in (("large", 2500), ("middle", 250), ("small", 3))}
    files["/copy"] = files["/large"][15_000:40_001]
    assert {path: b"".join(pieces) for path, pieces in read_erofs(_vector(name)).files()} == files


def test_erofs_with_what_is_not_read_is_refused() -> None:
    with pytest.raises(MalformedError, match="features that are not read: 0x80"):
        read_erofs(_vector("48bit"))


def test_an_erofs_that_is_cut_off_is_refused() -> None:
    data = _vector("deflate").read(0, _vector("deflate").length)
    with pytest.raises(MalformedError, match="cut off"):
        read_erofs(bytes_source(data[:-1], "image"))


@pytest.mark.parametrize("name", ["deflate", "lzma", "zstd", "lz4-16k"])
def test_a_cluster_of_erofs_with_a_changed_byte_gives_other_bytes_or_is_refused(name: str) -> None:
    data, refused = bytearray(_vector(name).read(0, _vector(name).length)), 0
    for at in range(len(data) // 2, len(data), 997):
        data[at] ^= 0x55
        try:
            for _, pieces in read_erofs(bytes_source(bytes(data), name)).files():
                assert sum(map(len, pieces)) < 200_000
        except MalformedError:
            refused += 1
        data[at] ^= 0x55
    assert refused


SQUASHFS: dict[str, tuple[str, ...]] = {
    "gzip": (),
    "small blocks": ("-b", "4096"),
    "xz": ("-comp", "xz", "-Xbcj", "x86,arm"),
    "lz4": ("-comp", "lz4", "-Xhc"),
    "zstd": ("-comp", "zstd", "-b", "1M"),
    "lzma": ("-comp", "lzma"),
    "as it is": ("-noI", "-noD", "-noF"),
    "no fragments": ("-no-fragments",),
    "fragments": ("-always-use-fragments",),
}


@pytest.mark.parametrize("options", SQUASHFS.values(), ids=list(SQUASHFS))
def test_squashfs_is_read_as_it_was_made(tree: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    image = tmp_path / "image"
    run("mksquashfs", tree, image, "-quiet", "-no-progress", *options)
    source = bytes_source(image.read_bytes(), "image")
    found = {path: b"".join(pieces) for path, pieces in SquashfsFiles(source, read_squashfs(source)).files()}
    assert found == {f"/{path.relative_to(tree)}": path.read_bytes() for path in _regular(tree)}


@pytest.mark.parametrize("kind", ["erofs", "squashfs", "ext4"])
def test_a_tree_of_too_many_files_is_refused(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """1,500 files and their folders."""
    image = tmp_path / "image"
    makers = {"erofs": ("mkfs.erofs", image, tree), "squashfs": ("mksquashfs", tree, image, "-quiet", "-no-progress")}
    run(*makers.get(kind, ("mke2fs", "-q", "-t", "ext4", "-d", tree, image, "48M")))
    monkeypatch.setattr(walking, "INSPECTION_LIMITS", replace(INSPECTION_LIMITS, files=1_600))
    _walk(image, kind)
    monkeypatch.setattr(walking, "INSPECTION_LIMITS", replace(INSPECTION_LIMITS, files=1_400))
    with pytest.raises(MalformedError, match="too many files"):
        _walk(image, kind)


@pytest.mark.parametrize(("kind", "options"), [("erofs", ("-zlz4hc",)), ("squashfs", ("-comp", "xz"))])
def test_an_image_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, options: tuple[str, ...]
) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "text").write_bytes(b"the same line again\n" * 100_000)
    image = tmp_path / "image"
    made = (*options, image, tmp_path / "tree") if kind == "erofs" else (tmp_path / "tree", image, *options, "-quiet")
    run("mkfs.erofs" if kind == "erofs" else "mksquashfs", *made)
    _walk(image, kind)
    monkeypatch.setattr(walking, "INSPECTION_LIMITS", replace(INSPECTION_LIMITS, unpacked=1_000_000))
    with pytest.raises(MalformedError, match="unpacks more than 1,000,000 bytes"):
        _walk(image, kind)


def _walk(image: Path, kind: str) -> None:
    source = bytes_source(image.read_bytes(), "image")
    readers = {
        "erofs": lambda: read_erofs(source).files(),
        "squashfs": lambda: SquashfsFiles(source, read_squashfs(source)).files(),
        "ext4": lambda: read_ext4(source).scattered_files(),
    }
    for _, pieces in readers[kind]():
        for _ in pieces:
            pass


def test_a_squashfs_is_told_by_its_superblock(tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    run("mksquashfs", tree / "a", image, "-quiet", "-no-progress", "-comp", "xz")

    found = inspect_file(image)
    assert (found.kind, found.facts["compression"]) == ("squashfs", "xz")
    image.write_bytes(image.read_bytes()[:100])
    with pytest.raises(MalformedError, match="cut off"):
        inspect_file(image)


def test_a_sparse_image_becomes_what_it_was_made_of(tree: Path, tmp_path: Path) -> None:
    image, sparse = tmp_path / "image", tmp_path / "sparse"
    run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-d", tree, image, "48M")
    run("img2simg", image, sparse)
    assert sparse.stat().st_size < image.stat().st_size

    whole = unsparse(file_source(sparse), tmp_path / "whole")

    assert (tmp_path / "whole").read_bytes() == image.read_bytes()
    assert whole.length == image.stat().st_size
    assert inspect_file(sparse).kind == "android-sparse"


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: run("gzip", "-9", input=data),
    "lz4": lambda data: run("lz4", "-l", "-9", "-c", input=data),
    "none": lambda data: data,
}


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_a_file_is_read_out_of_a_ramdisk(tmp_path: Path, packer: str, version: int) -> None:
    path = CERTIFICATES
    certificates, rest = os.urandom(5_000), b"a line of text\n" * 200_000
    archive = cpio(tmp_path, {"init": rest, path: certificates})
    (tmp_path / "ramdisk").write_bytes(PACKERS[packer](archive))
    (tmp_path / "kernel").write_bytes(os.urandom(10_000))
    parts = ["--kernel", tmp_path / "kernel", "--ramdisk", tmp_path / "ramdisk"]
    parts += ["--dtb", tmp_path / "kernel"] if version == 2 else []
    run("mkbootimg", "--header_version", version, *parts, "--os_patch_level", "2026-11", "-o", tmp_path / "boot.img")

    image = read_boot_image(file_source(tmp_path / "boot.img"))

    assert image.read(path) == {path: certificates}
    assert image.read("nothing") == {}
    with pytest.raises(MalformedError, match="at most 1,000,000 bytes, has 3,000,000"):
        image.read("init")
    assert inspect_file(tmp_path / "boot.img").kind == "boot-image"


def test_a_vendor_boot_image_is_read_too(tmp_path: Path) -> None:
    archive = cpio(tmp_path, {"first": b"1"})
    (tmp_path / "ramdisk").write_bytes(archive)
    (tmp_path / "dtb").write_bytes(b"dtb")
    parts = ["--vendor_ramdisk", tmp_path / "ramdisk", "--dtb", tmp_path / "dtb"]
    run("mkbootimg", "--header_version", 3, *parts, "--vendor_boot", tmp_path / "vendor_boot.img")

    assert read_boot_image(file_source(tmp_path / "vendor_boot.img")).read("first") == {"first": b"1"}


@pytest.mark.parametrize("cut", [1, 100, 5_000])
def test_a_boot_image_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "ramdisk").write_bytes(PACKERS["lz4"](cpio(tmp_path, {"first": os.urandom(20_000)})))
    (tmp_path / "kernel").write_bytes(b"kernel")
    parts = ["--kernel", tmp_path / "kernel", "--ramdisk", tmp_path / "ramdisk"]
    run("mkbootimg", "--header_version", 3, *parts, "-o", tmp_path / "boot.img")
    data = (tmp_path / "boot.img").read_bytes()
    (tmp_path / "boot.img").write_bytes(data.rstrip(b"\0")[:-cut])

    with pytest.raises(MalformedError):
        read_boot_image(file_source(tmp_path / "boot.img")).read("first")
