"""Payloads are read and unpacked as a foreign reader does it, and everything that is off is refused by name."""

import contextlib
import struct
from pathlib import Path

import pytest
from payload_dumper.core import extract_partition_to_stream, parse_payload  # type: ignore[import-untyped]
from payload_dumper.source import FileSource  # type: ignore[import-untyped]
from payload_dumper.update_metadata_pb2 import DeltaArchiveManifest  # type: ignore[import-untyped]

from enigm_testkit.android.keys import SigningKey, make_key
from enigm_testkit.android.payload import PayloadFields, encoded, make_payload
from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.android.payload import Extent, Payload, read_payload
from enigm_tuf_repository.inspection.android.payload_images import extract_image, small_image
from enigm_tuf_repository.inspection.protobuf import Message
from enigm_tuf_repository.inspection.source import bytes_source, file_source

BEYOND = (
    'partitions { partition_name: "a" new_partition_info { size: 4096 hash: "HASH" } '
    "operations { type: 0 dst_extents { start_block: 1 num_blocks: 1 } } }"
)
IMAGES = {"vbmeta": b"AVB0" + b"\1" * 4092, "system": bytes(range(256)) * 160 + b"\0" * 81920, "boot": b"\7" * 12288}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return make_key(tmp_path_factory.mktemp("keys"), "update")


@pytest.fixture(scope="module")
def payload(key: SigningKey) -> bytes:
    return make_payload(PayloadFields(IMAGES, 1_700_000_000, "2026-11-05"), key)


def read(data: bytes) -> Payload:
    return read_payload(bytes_source(data, "payload.bin"))


def test_a_foreign_reader_finds_the_same_partitions_and_makes_the_same_images(payload: bytes, tmp_path: Path) -> None:
    file = tmp_path / "payload.bin"
    file.write_bytes(payload)
    with contextlib.closing(FileSource(str(file))) as source:
        _require_same_images(source, file, tmp_path)


def _require_same_images(source: FileSource, file: Path, tmp_path: Path) -> None:
    theirs, ours = parse_payload(source), read_payload(file_source(file))

    assert [item.partition_name for item in theirs.manifest.partitions] == [item.name for item in ours.partitions]
    for foreign, own in zip(theirs.manifest.partitions, ours.partitions, strict=True):
        with (tmp_path / "theirs").open("wb") as out:
            extract_partition_to_stream(source, theirs.data_offset, foreign, out)
        image = extract_image(ours, own, tmp_path, lambda _: None)
        assert image.whole(10**6) == (tmp_path / "theirs").read_bytes() == IMAGES[own.name]


def test_a_small_partition_is_made_in_memory(payload: bytes) -> None:
    image = small_image(read(payload), "vbmeta")
    assert image
    assert image.whole(10_000) == IMAGES["vbmeta"]
    assert small_image(read(payload), "nothing") is None


def test_both_signatures_verify_with_the_key_and_with_no_other(payload: bytes, key: SigningKey, tmp_path: Path) -> None:
    read(payload).verify(key.public)

    with pytest.raises(MalformedError, match="none of 1 signatures is by this key"):
        read(payload).verify(make_key(tmp_path, "other").public)


@pytest.mark.parametrize("place", [24, 200, -300, -200])
def test_a_byte_that_changed_is_seen_by_a_signature(payload: bytes, key: SigningKey, place: int) -> None:
    data = bytearray(payload)
    data[place] ^= 1
    with pytest.raises(MalformedError):
        read(bytes(data)).verify(key.public)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda data: b"CrAV" + data[4:], "must be CrAU, version 2"),
        (lambda data: data[:4] + struct.pack(">Q", 1) + data[12:], "must be CrAU, version 2"),
        (lambda data: data[:12] + struct.pack(">Q", 2**40) + data[20:], "header.manifest: at most"),
        (lambda data: data[:20] + struct.pack(">I", 2**30) + data[24:], "header.signature: at most"),
        (lambda data: data[:-1], "the signature must be all that follows the blobs"),
        (lambda data: data + b"\0", "the signature must be all that follows the blobs"),
        (lambda data: data[:23], "needs 24 bytes"),
    ],
)
def test_a_payload_that_is_off_is_refused(payload: bytes, change: object, rule: str) -> None:
    with pytest.raises(MalformedError, match=rule):
        read(change(payload))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "partitions: must be 1 to"),
        ('partitions { partition_name: "a" }', "a.new_partition_info: needs a size and a SHA-256"),
        ('partitions { partition_name: "../a" }', "no name of a partition"),
        ("block_size: 512", "block_size: must be one of"),
        (
            BEYOND,
            "an extent reaches beyond the partition",
        ),
    ],
)
def test_a_manifest_that_is_off_is_refused(text: str, rule: str) -> None:
    manifest = encoded("update_metadata.proto", "DeltaArchiveManifest", text.replace("HASH", "h" * 32))
    data = struct.pack(">4sQQI", b"CrAU", 2, len(manifest), 0) + manifest
    with pytest.raises(MalformedError, match=rule):
        read(data)


def test_a_blob_that_unpacks_to_more_than_its_extents_is_refused(tmp_path: Path, key: SigningKey) -> None:
    fields = PayloadFields({"system": b"\5" * 4096 * 12}, 1, "2026-11-05")
    data = make_payload(fields, key)
    whole = read(data)
    (partition,) = whole.partitions
    packed = next(item for item in partition.operations if item.type == 8)
    object.__setattr__(packed, "target", (Extent(8, 1),))

    with pytest.raises(MalformedError, match="does not fill its extents exactly"):
        extract_image(whole, partition, tmp_path, lambda _: None)


def test_the_manifest_is_read_as_googles_runtime_reads_it(payload: bytes) -> None:
    size = int.from_bytes(payload[12:20])
    theirs = DeltaArchiveManifest.FromString(payload[24 : 24 + size])
    ours = read(payload)

    assert (ours.block_size, ours.timestamp) == (theirs.block_size, theirs.max_timestamp)
    for foreign, own in zip(theirs.partitions, ours.partitions, strict=True):
        assert (own.name, own.size) == (foreign.partition_name, foreign.new_partition_info.size)
        assert own.sha256 == foreign.new_partition_info.hash
        for step, operation in zip(foreign.operations, own.operations, strict=True):
            assert (operation.type, operation.offset, operation.length) == (
                step.type,
                step.data_offset,
                step.data_length,
            )


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"\x08", "cut off"),
        (b"\x0a\x05abc", "cut off"),
        (b"\x08\x01\x08\x02", "field 1 stands 2 times"),
        (b"\x0a\x01a", "field 1 has wire type 2, must have 0"),
        (b"\x0b", "no such wire type: 3"),
        (b"\x00\x01", "no field has the number 0"),
        (b"\x08" + b"\xff" * 10 + b"\x01", "above 64 bits"),
        (b"\x08" + b"\xff" * 9 + b"\x02", "above 64 bits"),
    ],
)
def test_a_message_that_another_reader_might_guess_at_is_refused(data: bytes, rule: str) -> None:
    with pytest.raises(MalformedError, match=rule):
        Message(data, "message").integer(1)


def test_the_largest_number_is_a_number() -> None:
    assert Message(b"\x08" + b"\xff" * 9 + b"\x01", "message").integer(1) == 2**64 - 1
    assert Message(b"\x08" + b"\xff" * 9 + b"\x01", "message").signed(1) == -1
