"""The descriptors of a vbmeta image (``avb_descriptor.h``), all five kinds. Any other kind is refused."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.avb.keys import AvbKey, read_avb_key
from enigm_tuf_repository.inspection.fields import Layout, text
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS

_HEAD = Layout(">", tag="Q", following="Q")
_PROPERTY = Layout(">", key="Q", value="Q")
_HASHTREE = Layout(
    ">",
    version="I",
    image_size="Q",
    tree_offset="Q",
    tree_size="Q",
    data_block="I",
    hash_block="I",
    fec_roots="I",
    fec_offset="Q",
    fec_size="Q",
    algorithm="32s",
    name="I",
    salt="I",
    digest="I",
    flags="I",
    reserved="60s",
)
_HASH = Layout(">", image_size="Q", algorithm="32s", name="I", salt="I", digest="I", flags="I", reserved="60s")
_COMMAND_LINE = Layout(">", flags="I", text="I")
_CHAIN = Layout(">", location="I", name="I", key="I", flags="I", reserved="60s")
_LARGEST_SALT = 1024  # bytes


@dataclass(frozen=True, slots=True)
class PropertyDescriptor:
    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class HashDescriptor:
    """``digest`` is over salt and the first ``image_size`` bytes of the partition."""

    partition: str
    image_size: int
    algorithm: str
    salt: bytes
    digest: bytes
    flags: int


@dataclass(frozen=True, slots=True)
class HashtreeDescriptor:
    """``digest`` is the root digest of a dm-verity tree over the first ``image_size`` bytes; blocks in bytes."""

    partition: str
    image_size: int
    tree_offset: int
    tree_size: int
    data_block: int
    hash_block: int
    algorithm: str
    salt: bytes
    digest: bytes
    flags: int


@dataclass(frozen=True, slots=True)
class CommandLineDescriptor:
    flags: int
    text: str


@dataclass(frozen=True, slots=True)
class ChainDescriptor:
    """The partition has a vbmeta of its own, signed by ``key``, with a rollback index at ``location``."""

    partition: str
    location: int
    key: AvbKey
    flags: int


Descriptor: TypeAlias = (
    PropertyDescriptor | HashDescriptor | HashtreeDescriptor | CommandLineDescriptor | ChainDescriptor
)


def read_descriptors(data: bytes, source: str) -> tuple[Descriptor, ...]:
    """All of them, in order; MalformedError names the one that is wrong."""
    found: list[Descriptor] = []
    while data:
        field = f"descriptors[{len(found)}]"
        head = _HEAD.read(data, source, field)
        end = _HEAD.size + head["following"]
        if head["following"] % 8 or end > len(data):
            raise MalformedError(source, field, "is cut off, or not padded to eight bytes")
        if len(found) >= INSPECTION_LIMITS.descriptors:
            raise MalformedError(source, field, f"at most {INSPECTION_LIMITS.descriptors}")
        found.append(_descriptor(head["tag"], data[_HEAD.size : end], source, field))
        data = data[end:]
    return tuple(found)


def _descriptor(tag: int, body: bytes, source: str, field: str) -> Descriptor:
    readers = (_property, _hashtree, _hash, _command_line, _chain)
    if tag >= len(readers):
        raise MalformedError(source, field, f"no such kind of descriptor: {tag}")
    return readers[tag](body, source, field)


def _property(body: bytes, source: str, field: str) -> PropertyDescriptor:
    head = _PROPERTY.read(body, source, field)
    key, nul, value, end = _split(body[_PROPERTY.size :], (head["key"], 1, head["value"], 1), source, field)
    if nul != b"\0" or end != b"\0":
        raise MalformedError(source, field, "key and value must end with a NUL")
    return PropertyDescriptor(text(key, source, f"{field}.key"), value)


def _hashtree(body: bytes, source: str, field: str) -> HashtreeDescriptor:
    head = _HASHTREE.read(body, source, field)
    name, salt, digest = _named(head, body[_HASHTREE.size :], source, field)
    if head["version"] != 1:
        raise MalformedError(source, f"{field}.dm_verity_version", f"must be 1, is {head['version']}")
    return HashtreeDescriptor(
        partition=name,
        image_size=head["image_size"],
        tree_offset=head["tree_offset"],
        tree_size=head["tree_size"],
        data_block=head["data_block"],
        hash_block=head["hash_block"],
        algorithm=text(head["algorithm"], source, f"{field}.hash_algorithm"),
        salt=salt,
        digest=digest,
        flags=head["flags"],
    )


def _hash(body: bytes, source: str, field: str) -> HashDescriptor:
    head = _HASH.read(body, source, field)
    name, salt, digest = _named(head, body[_HASH.size :], source, field)
    algorithm = text(head["algorithm"], source, f"{field}.hash_algorithm")
    return HashDescriptor(name, head["image_size"], algorithm, salt, digest, head["flags"])


def _named(head: dict[str, Any], rest: bytes, source: str, field: str) -> tuple[str, bytes, bytes]:
    """What both hash descriptors end with: the partition's name, salt, digest."""
    if head["salt"] > _LARGEST_SALT:
        raise MalformedError(source, f"{field}.salt", f"at most {_LARGEST_SALT} bytes")
    name, salt, digest = _split(rest, (head["name"], head["salt"], head["digest"]), source, field)
    return _partition(name, source, field), salt, digest


def _command_line(body: bytes, source: str, field: str) -> CommandLineDescriptor:
    head = _COMMAND_LINE.read(body, source, field)
    (line,) = _split(body[_COMMAND_LINE.size :], (head["text"],), source, field)
    return CommandLineDescriptor(head["flags"], text(line, source, f"{field}.kernel_cmdline"))


def _chain(body: bytes, source: str, field: str) -> ChainDescriptor:
    head = _CHAIN.read(body, source, field)
    name, key = _split(body[_CHAIN.size :], (head["name"], head["key"]), source, field)
    if head["location"] == 0:
        raise MalformedError(source, f"{field}.rollback_index_location", "must not be that of the image it stands in")
    partition = _partition(name, source, field)
    return ChainDescriptor(partition, head["location"], read_avb_key(key, f"{source}: {field}"), head["flags"])


def _split(data: bytes, lengths: tuple[int, ...], source: str, field: str) -> list[bytes]:
    """Pieces of these lengths; only zeros, fewer than eight, may be left."""
    pieces = []
    for length in lengths:
        if length > len(data):
            raise MalformedError(source, field, "its parts are longer than the descriptor")
        pieces.append(data[:length])
        data = data[length:]
    if len(data) >= 8 or any(data):
        raise MalformedError(source, field, "bytes behind its parts")
    return pieces


def _partition(name: bytes, source: str, field: str) -> str:
    value = text(name, source, f"{field}.partition_name")
    if not value or b"\0" in name or len(value) > 64 or not value.replace("_", "").replace("-", "").isalnum():
        raise MalformedError(source, f"{field}.partition_name", f"no name of a partition: {value[:60]!r}")
    return value
