"""Keys in images are found by the names that they have there; an image that nobody can look into is never clean."""

import gzip
import io
import os
import random
import struct
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from enigm_testkit.android.keys import SigningKey, make_key
from enigm_testkit.android.payload import PayloadFields, encoded, make_payload, raw
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf_repository.inspection.filesystems.walking import files_below
from enigm_tuf_repository.leaks import scanning
from enigm_tuf_repository.leaks.leaks import closed_of, require_no_leak
from enigm_tuf_repository.leaks.scanning import Scan
from enigm_tuf_repository.secret_exceptions import SecretException

NOW = datetime(2026, 11, 26, tzinfo=UTC)
KEYS = tuple(
    ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for _ in range(3)
)
NONE = (b"",) * 3
LINES = b"".join(b"line %d of a file like many\n" % number for number in range(9_000))
PATH = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True, env=PATH)


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("res/key.pem", data)
    return buffer.getvalue()


def tree(folder: Path, keys: tuple[bytes, ...]) -> Path:
    """Keys between lines that are packed, in a small file, and in an archive; or nothing in their place."""
    large, small, packed = keys
    files = {"etc/large": LINES + large + LINES, "etc/small": b"x" * 99 + small, "app/a.apk": zipped(LINES + packed)}
    files |= {"lib/noise": random.Random(1).randbytes(300_000), "empty": b""}
    for name, data in files.items():
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tree" / name).write_bytes(data)
    return folder / "tree"


def squashed(image: Path, files: Path, *options: str) -> None:
    run("mksquashfs", files, image, "-quiet", "-no-progress", *options)


Maker = Callable[[Path, Path], None]
MAKERS: dict[str, Maker] = {
    "erofs": lambda image, files: run("mkfs.erofs", image, files),
    "erofs, lz4hc": lambda image, files: run("mkfs.erofs", "-zlz4hc", image, files),
    "erofs, large clusters": lambda image, files: run("mkfs.erofs", "-zlz4hc", "-C65536", image, files),
    "erofs, ends together": lambda image, files: run("mkfs.erofs", "-zlz4hc", "-Eall-fragments", image, files),
    "erofs, chunks": lambda image, files: run("mkfs.erofs", "--chunksize=4096", image, files),
    "squashfs, gzip": lambda image, files: squashed(image, files, "-comp", "gzip"),
    "squashfs, xz": lambda image, files: squashed(image, files, "-comp", "xz"),
    "squashfs, lz4": lambda image, files: squashed(image, files, "-comp", "lz4", "-Xhc"),
    "squashfs, zstd": lambda image, files: squashed(image, files, "-comp", "zstd", "-b", "1M"),
    "squashfs, lzma": lambda image, files: squashed(image, files, "-comp", "lzma", "-no-fragments"),
    "squashfs, as it is": lambda image, files: squashed(image, files, "-noI", "-noD", "-noF"),
}


def made(folder: Path, kind: str, keys: tuple[bytes, ...]) -> bytes:
    image = folder / "image"
    image.unlink(missing_ok=True)
    MAKERS[kind](image, tree(folder, keys))
    return image.read_bytes()


def scanned(data: bytes, folder: Path | None = None) -> Scan:
    scan = Scan(folder=folder)
    scan.data(data, "it")
    return scan


def places(scan: Scan) -> list[str]:
    return sorted(item.place for item in scan.found)


@pytest.mark.parametrize("kind", MAKERS)
def test_keys_in_an_image_are_found_where_they_lie(tmp_path: Path, kind: str) -> None:
    scan = scanned(made(tmp_path, kind, KEYS))
    assert places(scan) == ["it!app/a.apk!res/key.pem", "it!etc/large", "it!etc/small"]
    assert (scan.closed, scan.unread) == ([], [])


@pytest.mark.rule("SECRET-SCAN", "accept")
@pytest.mark.parametrize("kind", MAKERS)
def test_the_same_image_without_the_key_is_clean(tmp_path: Path, kind: str) -> None:
    scan = scanned(made(tmp_path, kind, NONE))
    assert (scan.found, scan.closed, scan.unread) == ([], [], [])
    require_no_leak((), scan.closed)


@pytest.mark.parametrize("kind", MAKERS)
def test_an_image_may_lie_anywhere_in_another_file(tmp_path: Path, kind: str) -> None:
    image = made(tmp_path, kind, KEYS)
    scan = scanned(bytes(2**20) + image + bytes(5_000) + made(tmp_path, kind, NONE))
    inside = [place.partition("at 1048576)!")[2] for place in places(scan)]
    assert inside == ["app/a.apk!res/key.pem", "etc/large", "etc/small"]
    assert (scan.closed, scan.unread) == ([], [])


@pytest.mark.rule("SECRET-SCAN", "reject")
@pytest.mark.parametrize("kind", MAKERS)
def test_an_image_that_is_cut_off_is_not_clean(tmp_path: Path, kind: str) -> None:
    image = made(tmp_path, kind, NONE)
    for data in (image[: len(image) // 2], b"x" * 512 + image[: len(image) // 2]):
        scan = scanned(data)
        (closed,) = scan.closed
        with pytest.raises(RefusedError, match=r"SECRET-SCAN: it.*expected an image that can be looked into, got"):
            require_no_leak((), scan.closed)
        excuse = SecretException(closed.digest, "a test", NOW + timedelta(seconds=1))
        assert closed_of(scan, [excuse], NOW) == ()
        assert closed_of(scan, [excuse], NOW + timedelta(seconds=1)) == (closed,)


def test_an_image_for_old_kernels_is_read_though_a_cluster_holds_more_than_the_index_says(tmp_path: Path) -> None:
    dice = random.Random(1)
    words = [dice.randbytes(dice.randrange(1, 40)) for _ in range(300)]
    for number in range(20):
        text = b"".join(dice.choice(words) for _ in range(300 * number + 7))
        (tree(tmp_path, KEYS) / f"text-{number}").write_bytes(text + bytes(len(text) // 3) + text)
    run("mkfs.erofs", "-zlz4", "-Elegacy-compress", tmp_path / "image", tmp_path / "tree")
    scan = scanned((tmp_path / "image").read_bytes())
    assert places(scan) == ["it!app/a.apk!res/key.pem", "it!etc/large", "it!etc/small"]
    assert (scan.closed, scan.unread) == ([], [])


def test_a_whole_image_in_one_that_is_cut_off_hides_nothing_behind_it(tmp_path: Path) -> None:
    inner = made(tmp_path, "erofs, lz4hc", NONE)
    (tmp_path / "tree" / "etc" / "inner").write_bytes(inner)
    image = tmp_path / "image"
    run("mkfs.erofs", image, tmp_path / "tree")
    start = image.read_bytes().index(inner[:4096])
    data = image.read_bytes()[: start + len(inner)] + zipped(KEYS[0])
    scan = scanned(data.ljust(image.stat().st_size - 4096, b"x"))
    assert [item.place for item in scan.closed] == ["it"]
    assert len(scan.found) == 1


def test_a_squashfs_of_lzo_is_not_clean(tmp_path: Path) -> None:
    squashed(tmp_path / "image", tree(tmp_path, NONE), "-comp", "lzo")
    (closed,) = scanned((tmp_path / "image").read_bytes()).closed
    assert "lzo is not unpacked here" in closed.reason


@pytest.mark.parametrize("kind", MAKERS)
def test_a_key_in_an_attribute_or_in_the_place_of_a_link_is_found(tmp_path: Path, kind: str) -> None:
    """Both lie in tables that squashfs packs too."""
    folder = tree(tmp_path, NONE)
    os.setxattr(folder / "empty", "user.key", KEYS[0])
    (folder / "link").symlink_to(KEYS[1].decode())
    MAKERS[kind](tmp_path / "image", folder)
    scan = scanned((tmp_path / "image").read_bytes())
    told = ["it!(attributes)", "it!(inodes)"] if kind.startswith("squashfs") else ["it", "it"]
    assert (places(scan), scan.closed) == (told, [])


@pytest.mark.parametrize("bits", [0, 11, 21, 60])
def test_a_squashfs_of_blocks_of_no_such_size_is_not_clean(tmp_path: Path, bits: int) -> None:
    """Of one byte: the list of the blocks of a file would take any memory that there is."""
    image = bytearray(made(tmp_path, "squashfs, gzip", NONE))
    struct.pack_into("<I", image, 12, 1 << bits & 0xFFFFFFFF)
    struct.pack_into("<H", image, 22, bits)
    (closed,) = scanned(bytes(image)).closed
    assert "one block size" in closed.reason


def made_in(size: int, *command: object) -> Maker:
    """By a tool that fills an image which is there."""

    def make(image: Path, files: Path) -> None:
        image.write_bytes(bytes(size))
        run(*(files if part is FILES else part for part in command), image)

    return make


FILES = object()
UNREAD: dict[str, Maker] = {
    "f2fs with compressed files": made_in(2**26, "mkfs.f2fs", "-q", "-O", "extra_attr,compression"),
    "btrfs": made_in(2**27, "mkfs.btrfs", "-q", "--rootdir", FILES),
    "UBIFS": lambda image, files: run(
        "mkfs.ubifs", "-r", files, "-m", "2048", "-e", "126976", "-c", "100", "-o", image
    ),
    "JFFS2": lambda image, files: run("mkfs.jffs2", "-r", files, "-o", image, "-e", "128KiB"),
    "cramfs": lambda image, files: run("mkfs.cramfs", files, image),
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_file_system_that_packs_and_is_not_read_is_not_clean(tmp_path: Path, name: str) -> None:
    UNREAD[name](tmp_path / "image", tree(tmp_path, KEYS))
    image = (tmp_path / "image").read_bytes()
    for data in (image, bytes(4_096) + image):
        (closed,) = scanned(data).closed
        assert f"{name} is not looked into" in closed.reason


def test_ubi_is_told_once_with_all_of_its_blocks(tmp_path: Path) -> None:
    UNREAD["UBIFS"](tmp_path / "ubifs", tree(tmp_path, NONE))
    volume = f"mode=ubi\nimage={tmp_path / 'ubifs'}\nvol_id=0\nvol_type=dynamic\nvol_name=a\nvol_size=10MiB\n"
    (tmp_path / "settings").write_text(f"[a]\n{volume}")
    run("ubinize", "-o", tmp_path / "image", "-m", "2048", "-p", "128KiB", tmp_path / "settings")
    scan = scanned((tmp_path / "image").read_bytes())
    assert len(scan.closed) == 1
    assert len(scan.unread) <= 1


@pytest.mark.parametrize("options", [(), ("-O", "compression,extra_attr")], ids=["plain", "packs"])
def test_f2fs_is_clean_only_if_it_cannot_pack(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "image").write_bytes(bytes(2**26))
    run("mkfs.f2fs", "-q", *options, tmp_path / "image")
    assert len(scanned((tmp_path / "image").read_bytes()).closed) == bool(options)


@pytest.mark.parametrize("keys", [NONE, KEYS], ids=["clean", "keys"])
def test_a_file_in_pieces_is_read_out_of_ext4(tmp_path: Path, keys: tuple[bytes, ...]) -> None:
    """Small groups of blocks, each with its tables: no large file lies in one piece."""
    folder, image = tree(tmp_path, keys), tmp_path / "image"
    packed = gzip.compress(random.Random(2).randbytes(900_000) + keys[0])
    (folder / "etc" / "large").write_bytes(packed)
    run(
        "mke2fs",
        "-q",
        "-t",
        "ext4",
        "-b",
        "1024",
        "-g",
        "512",
        "-O",
        "^flex_bg,^resize_inode,^meta_bg",
        "-d",
        folder,
        image,
        "8M",
    )
    assert packed not in image.read_bytes()
    found = [place for place in places(scanned(image.read_bytes())) if "large" in place]
    assert found == (["it!etc/large!(gz)"] if keys[0] else [])


PIECES = ("-b", "1024", "-g", "512", "-O", "^flex_bg,^resize_inode,^meta_bg")


@pytest.mark.parametrize(
    ("options", "cut", "closed"), [(PIECES, 0, 0), (("-b", "4096"), 0, 0), (("-b", "4096"), 360_000, 1)]
)
def test_an_image_in_ext4_is_whole_if_its_file_is(
    tmp_path: Path, options: tuple[str, ...], cut: int, closed: int
) -> None:
    """In pieces, in one, and cut off in one."""
    inner = made(tmp_path, "erofs, lz4hc", KEYS)
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "a.apex").write_bytes(inner[: len(inner) - cut])
    run("mke2fs", "-q", "-t", "ext4", *options, "-d", tmp_path / "outer", tmp_path / "ext4", "8M")
    image = (tmp_path / "ext4").read_bytes()
    scan = scanned(image)
    assert inner not in image or options != PIECES
    assert len(scan.closed) == closed
    assert any(place.endswith("!etc/large") for place in places(scan)) == (not cut)


def test_a_broken_image_behind_an_ext4_that_is_not_read_is_not_clean(tmp_path: Path) -> None:
    run("mke2fs", "-q", "-t", "ext4", "-O", "bigalloc", "-d", tree(tmp_path, NONE), tmp_path / "ext4", "8M")
    scan = scanned((tmp_path / "ext4").read_bytes() + made(tmp_path, "erofs, lz4hc", NONE)[:-9_000])
    assert len(scan.closed) == 1
    assert "features that are not read" in scan.unread[0]


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return make_key(tmp_path_factory.mktemp("key"), "it")


def sparse(folder: Path, image: bytes) -> bytes:
    (folder / "raw").write_bytes(image)
    run("img2simg", folder / "raw", folder / "sparse")
    return (folder / "sparse").read_bytes()


def test_a_sparse_image_is_made_whole(tmp_path: Path) -> None:
    data = sparse(tmp_path, made(tmp_path, "erofs, lz4hc", KEYS) + bytes(40 * 2**20))
    assert places(scanned(data)) == [
        f"it!(sparse)!{name}" for name in ("app/a.apk!res/key.pem", "etc/large", "etc/small")
    ]
    assert places(scanned(zipped(data)))[1] == "it!res/key.pem!(sparse)!etc/large"
    clean = scanned(sparse(tmp_path, made(tmp_path, "erofs, lz4hc", NONE)))
    assert (clean.found, clean.closed, clean.unread) == ([], [], [])
    assert len(scanned(data[:-9_000]).closed) == 1


def test_partitions_are_made_of_a_payload(tmp_path: Path, signer: SigningKey) -> None:
    image = made(tmp_path, "erofs, lz4hc", KEYS)
    fields = {"vendor": bytes(8192), "system": image}
    data = make_payload(PayloadFields(fields, 1, "2026-11-05"), signer)
    assert places(scanned(data))[1] == "it!system!etc/large"
    clean = make_payload(PayloadFields({"system": made(tmp_path, "erofs, lz4hc", NONE)}, 1, "2026-11-05"), signer)
    assert (scanned(clean).found, scanned(clean).closed, scanned(clean).unread) == ([], [], [])
    assert len(scanned(data[:-5_000]).closed) == 1


def test_a_payload_that_changes_what_devices_have_is_told_and_not_refused(tmp_path: Path, signer: SigningKey) -> None:
    image = made(tmp_path, "erofs, lz4hc", NONE)
    fields = PayloadFields({"system": image}, 1, "2026-11-05", before={"system": image})
    scan = scanned(make_payload(fields, signer))
    assert scan.unread == ["it: only changes to what devices have: system"]
    assert scan.closed == []


def test_a_payload_that_nobody_signed_hides_nothing_behind_it() -> None:
    """Nothing in it says where it ends, but the last bytes that it needs."""
    info = f"new_partition_info {{ size: 4096 hash: {raw(bytes(32))} }}"
    zeros = "operations { type: 6 dst_extents { start_block: 0 num_blocks: 1 } }"
    text = f'block_size: 4096 partitions {{ partition_name: "system" {info} {zeros} }}'
    manifest = encoded("update_metadata.proto", "DeltaArchiveManifest", text)
    data = struct.pack(">4sQQI", b"CrAU", 2, len(manifest), 0) + manifest
    assert places(scanned(data)) == []
    assert places(scanned(data + gzip.compress(KEYS[0]))) == [f"it!(gz at {len(data)})"]


def test_a_bomb_in_an_image_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree").mkdir()
    with (tmp_path / "tree" / "hole").open("wb") as file:
        file.truncate(2**31)
    image = made(tmp_path, "erofs, chunks", NONE)
    assert len(image) < 2**24
    monkeypatch.setattr(scanning, "LARGEST", 2**27)
    with pytest.raises(MalformedError, match="unpacks to more than"):
        scanned(image, tmp_path)


def test_a_bomb_in_a_squashfs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, NONE)
    (tmp_path / "tree" / "zeros").write_bytes(bytes(2**26))
    image = made(tmp_path, "squashfs, gzip", NONE)
    assert len(image) < 2**20
    monkeypatch.setattr(scanning, "LARGEST", 2**25)
    with pytest.raises(MalformedError, match="unpacks to more than"):
        scanned(image, tmp_path)


@pytest.mark.parametrize("kind", ["erofs, lz4hc", "squashfs, xz", "squashfs, zstd"])
def test_a_byte_that_changed_in_what_is_packed_is_not_clean(tmp_path: Path, kind: str) -> None:
    """It may unpack to something, and then that is scanned; many do not."""
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "file").write_bytes(random.Random(1).randbytes(200_000).hex().encode())
    MAKERS[kind](tmp_path / "image", tmp_path / "digits")
    image, closed = bytearray((tmp_path / "image").read_bytes()), 0
    for at in range(len(image) // 4, len(image), len(image) // 40):
        image[at] ^= 0x55
        closed += len(scanned(bytes(image)).closed)
        image[at] ^= 0x55
    assert closed


def test_a_name_that_leads_out_is_a_name_and_nothing_is_written(tmp_path: Path) -> None:
    image = made(tmp_path, "erofs", KEYS).replace(b"small", b"../sm")
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    assert "it!etc/../sm" in places(scanned(image, folder))
    assert list((tmp_path / "a").rglob("*")) == [folder]


def test_a_directory_that_holds_itself_ends(tmp_path: Path) -> None:
    image = bytearray(made(tmp_path, "erofs", KEYS))
    (root,) = struct.unpack_from("<H", image, 1024 + 14)
    entry = image.index(struct.pack("<QH", root, 12 * 6))  # "." of the root, which has six names
    for place in range(entry, entry + 12 * 6, 12):
        struct.pack_into("<Q", image, place, root)
    scan = scanned(bytes(image))
    assert scan.closed == []
    assert len(scan.found) == 2  # what lies openly in the image


def test_directories_that_share_their_names_end() -> None:
    """Each holds all of them: so many names that nobody could go over them."""
    entries = [(b"%d" % number, number) for number in range(1_100)]
    with pytest.raises(MalformedError, match="too many files"):
        list(files_below(0, lambda _: (entries, None), "it"))


def test_names_in_deep_folders_take_no_memory_without_end() -> None:
    def look(number: int) -> tuple[list[tuple[bytes, int]], None]:
        below = {14: range(15, 100_000)}.get(number, range(number + 1, min(number + 2, 15)))
        return [(b"x" * 255, child) for child in below], None

    with pytest.raises(MalformedError, match="too many files"):
        list(files_below(0, look, "it"))
