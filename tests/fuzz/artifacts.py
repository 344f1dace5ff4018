"""Fuzz targets of the inspectors: artifacts as a build would hand them over, small enough to be changed often."""

import gzip
import io
import os
import random
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path

from enigm_testkit.android.build import AndroidBuild, Keys, cpio, otacerts
from enigm_testkit.android.keys import SigningKey, make_key
from enigm_testkit.android.payload import PayloadFields, make_payload
from enigm_testkit.bundles import make_rauc, make_swu
from enigm_tuf_repository.inspection.android.metadata import read_metadata_protobuf, read_metadata_text
from enigm_tuf_repository.inspection.android.otacerts import read_otacerts, update_certificates
from enigm_tuf_repository.inspection.android.package import read_ota_package
from enigm_tuf_repository.inspection.android.payload import read_payload
from enigm_tuf_repository.inspection.android.payload_images import small_image
from enigm_tuf_repository.inspection.android.sparse import unsparse
from enigm_tuf_repository.inspection.avb.vbmeta import vbmeta_of
from enigm_tuf_repository.inspection.bundles.libconfig import read_libconfig
from enigm_tuf_repository.inspection.bundles.rauc import read_rauc
from enigm_tuf_repository.inspection.bundles.swupdate import read_swupdate
from enigm_tuf_repository.inspection.cms import read_signed_data
from enigm_tuf_repository.inspection.filesystems.erofs import read_erofs
from enigm_tuf_repository.inspection.filesystems.ext4 import read_ext4
from enigm_tuf_repository.inspection.filesystems.squashfs import read_squashfs
from enigm_tuf_repository.inspection.filesystems.squashfs_files import SquashfsFiles
from enigm_tuf_repository.inspection.plugins import inspect
from enigm_tuf_repository.inspection.source import Source, bytes_source
from enigm_tuf_repository.inspection.zip_package import read_zip

SOURCE = "fuzz"
VECTORS = Path(__file__).parents[1] / "repository" / "vectors" / "avb"
EROFS = VECTORS.parent / "erofs"
PATH = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
CERTIFICATES = "system/etc/security/otacerts.zip"
_EDGES = (b"\0", b"\1", b"\x7f", b"\x80", b"\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff" * 8)


@cache
def folder() -> Path:
    """Goes with the process that made it."""
    return Path(tempfile.mkdtemp(prefix="fuzz-artifacts-"))


@cache
def key() -> SigningKey:
    return make_key(folder(), "key")


@cache
def build() -> AndroidBuild:
    place = folder() / "build"
    place.mkdir()
    return AndroidBuild(place, Keys(key(), key(), key()))


def binary_mutator(data: bytes, dice: random.Random) -> bytes:
    """One to four numbers, flags or lengths set to what lies at an edge; sometimes a piece is cut out or doubled."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4))):
        place = dice.randrange(len(changed) + 1)
        match dice.randrange(5):
            case 0:
                edge = dice.choice(_EDGES)
                changed[place : place + len(edge)] = edge
            case 1:
                del changed[place : place + dice.choice((1, 4, 8, 64))]
            case 2:
                changed[place:place] = changed[place : place + dice.choice((1, 4, 8, 64))]
            case 3 if changed:
                changed[place % len(changed)] = dice.randrange(256)
            case _ if changed:
                changed[place % len(changed)] ^= 1 << dice.randrange(8)
    return bytes(changed)


def zip_mutator(data: bytes, dice: random.Random) -> bytes:
    """Change one entry and pack again, so that what is behind the zip is reached; the comment stays."""
    if dice.random() < 0.3:
        return binary_mutator(data, dice)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = {info.filename: archive.read(info) for info in archive.infolist()}
            comment = archive.comment
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, OSError) as error:
        raise ValueError("not a zip") from error
    if not entries:
        raise ValueError("an empty zip")
    name = dice.choice(sorted(entries))
    entries[name] = binary_mutator(entries[name], dice)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = comment
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def on_source(run: Callable[[Source], object]) -> Callable[[bytes], object]:
    """For what wants a source."""
    return lambda data: run(bytes_source(data, SOURCE))


def run_zip(source: Source) -> object:
    package = read_zip(source)
    return [package.read(name) for name in package.entries]


def run_payload(source: Source) -> object:
    payload = read_payload(source)
    return [small_image(payload, item.name) for item in payload.partitions]


def run_vbmeta(source: Source) -> object:
    vbmeta = vbmeta_of(source)
    return vbmeta and vbmeta.properties() and vbmeta.verify()


def run_ext4(source: Source) -> object:
    image = read_ext4(source)
    scattered = [sum(map(len, islice(pieces, 20))) for _, pieces in islice(image.scattered_files(), 100)]
    return [image.read(CERTIFICATES), scattered]


def run_erofs(source: Source) -> object:
    image = read_erofs(source)
    return [image.read(CERTIFICATES), *(sum(map(len, islice(pieces, 20))) for _, pieces in islice(image.files(), 100))]


def run_sparse(source: Source) -> object:
    header = source.read(0, min(28, source.length))
    if int.from_bytes(header[12:16], "little") * int.from_bytes(header[16:20], "little") > 1 << 24:
        return None  # a file with a hole of terabytes is no finding
    return unsparse(source, folder() / "whole")


def run_libconfig(data: bytes) -> object:
    return read_libconfig(data.decode("utf-8", "replace"), SOURCE)


def run_cms(data: bytes) -> None:
    read_signed_data(data, SOURCE).verify([b"data"])


def payload_seeds() -> list[bytes]:
    images = {name: build().images[name] for name in ("vbmeta", "boot")}
    return [make_payload(PayloadFields(images, 1, "2026-11-05"), key())]


def package_seeds() -> list[bytes]:
    return [build().package("fuzz.zip", payload_seeds()[0]).read_bytes()]


def zip_seeds() -> list[bytes]:
    return [otacerts((key().certificate,)), package_seeds()[0]]


def vbmeta_seeds() -> list[bytes]:
    return [gzip.decompress((VECTORS / "vbmeta.img.gz").read_bytes()), build().images["vbmeta"]]


def metadata_seeds(name: str) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(package_seeds()[0])) as archive:
        return [archive.read(f"META-INF/com/android/{name}")]


def cms_seeds() -> list[bytes]:
    """A detached signature, made with signed attributes, over what ``run_cms`` verifies."""
    command = ["openssl", "cms", "-sign", "-signer", str(key().certificate), "-inkey", str(key().private)]
    command += ["-outform", "DER", "-nosmimecap", "-binary"]
    return [subprocess.run(command, input=b"data", check=True, capture_output=True).stdout]


def file_system_seeds(*command: str) -> list[bytes]:
    tree, image = folder() / "tree", folder() / "image"
    if not tree.exists():
        (tree / CERTIFICATES).parent.mkdir(parents=True)
        (tree / CERTIFICATES).write_bytes(b"certificates " * 200)
    image.write_bytes(b"\0" * 65_536)  # what mke2fs fills; mkfs.erofs begins anew
    line = [part.format(tree=tree, image=image) for part in command]
    subprocess.run(line, check=True, capture_output=True, env=PATH)
    return [image.read_bytes()]


def run_squashfs(source: Source) -> object:
    files = SquashfsFiles(source, read_squashfs(source)).files()
    return [sum(map(len, islice(pieces, 20))) for _, pieces in islice(files, 100)]


def squashfs_seeds() -> list[bytes]:
    return [
        file_system_seeds("mksquashfs", "{tree}", "{image}", "-noappend", "-quiet", "-comp", packer)[0]
        for packer in ("gzip", "xz", "zstd")
    ]


def erofs_seeds() -> list[bytes]:
    """As it is, and packed in every way that is read."""
    made = file_system_seeds("mkfs.erofs", "-zlz4hc", "{image}", "{tree}")
    return [*made, *(gzip.decompress((EROFS / f"{name}.img.gz").read_bytes()) for name in ("lzma", "zstd"))]


def boot_seeds() -> list[bytes]:
    seeds = []
    for number, pack in enumerate((["gzip", "-c"], ["lz4", "-l", "-c"], ["cat"])):
        archive = cpio(folder(), {"init": b"#!" * 1000, CERTIFICATES: otacerts((key().certificate,))})
        ramdisk, out = folder() / "ramdisk", folder() / f"boot-{number}.img"
        ramdisk.write_bytes(subprocess.run(pack, input=archive, check=True, capture_output=True).stdout)
        command = ["mkbootimg", "--header_version", "3", "--kernel", str(key().certificate), "--ramdisk", str(ramdisk)]
        subprocess.run([*command, "-o", str(out)], check=True, capture_output=True)
        seeds.append(out.read_bytes())
    return seeds


def sparse_seeds() -> list[bytes]:
    whole = folder() / "to-be-sparse"
    whole.write_bytes(b"\0" * 16384 + os.urandom(8192) + b"\1\2\3\4" * 4096)
    subprocess.run(["img2simg", str(whole), str(folder() / "sparse")], check=True)
    return [(folder() / "sparse").read_bytes()]


def rauc_seeds() -> list[bytes]:
    return [make_rauc(Path(tempfile.mkdtemp(dir=folder())) / "made", key(), size=10_000).read_bytes()]


def swu_seeds() -> list[bytes]:
    place = Path(tempfile.mkdtemp(dir=folder()))
    return [make_swu(place / form, key(), image=b"image", form=form).read_bytes() for form in ("crc", "newc")]


EXT4 = (
    *("mke2fs", "-q", "-t", "ext4", "-b", "1024"),
    *("-O", "^has_journal,^resize_inode", "-N", "24"),
    *("-d", "{tree}", "{image}"),
)
LIBCONFIG = b'software = { version = "1"; images: ({ filename = "a"; }); };'
Parts = tuple[Callable[[bytes], object], Callable[[], list[bytes]], Callable[[bytes, random.Random], bytes]]
ARTIFACTS: dict[str, Parts] = {
    "inspect": (on_source(inspect), lambda: [*package_seeds(), *vbmeta_seeds(), *swu_seeds()], zip_mutator),
    "zip": (on_source(run_zip), zip_seeds, zip_mutator),
    "ota-package": (on_source(read_ota_package), package_seeds, zip_mutator),
    "payload": (on_source(run_payload), payload_seeds, binary_mutator),
    "ota-metadata": (lambda data: read_metadata_text(data, SOURCE), lambda: metadata_seeds("metadata"), binary_mutator),
    "ota-metadata-pb": (
        lambda data: read_metadata_protobuf(data, SOURCE),
        lambda: metadata_seeds("metadata.pb"),
        binary_mutator,
    ),
    "otacerts": (lambda data: read_otacerts(data, SOURCE), lambda: zip_seeds()[:1], zip_mutator),
    "cms": (run_cms, cms_seeds, binary_mutator),
    "vbmeta": (on_source(run_vbmeta), vbmeta_seeds, binary_mutator),
    "boot-image": (on_source(update_certificates), boot_seeds, binary_mutator),
    "ext4": (on_source(run_ext4), lambda: file_system_seeds(*EXT4), binary_mutator),
    "erofs": (on_source(run_erofs), erofs_seeds, binary_mutator),
    "squashfs": (on_source(run_squashfs), squashfs_seeds, binary_mutator),
    "sparse": (on_source(run_sparse), sparse_seeds, binary_mutator),
    "rauc": (on_source(read_rauc), rauc_seeds, binary_mutator),
    "swupdate": (on_source(read_swupdate), swu_seeds, binary_mutator),
    "libconfig": (run_libconfig, lambda: [LIBCONFIG], binary_mutator),
}
