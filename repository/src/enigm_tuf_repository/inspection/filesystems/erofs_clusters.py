"""Where the parts of a file lie in an EROFS image, in chunks or compressed, and how each is packed.

The index of a compressed file has one entry for each cluster, which is as long as a block. An entry is the head of an
extent, or belongs to the head before it. Entries are written in full (eight bytes), or in packs of two or sixteen with
one address each.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.fields import Layout
from enigm_tuf_repository.inspection.filesystems.erofs_codecs import LONGEST
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import Source

_HEAD = Layout("<", tail="I", advice="H", algorithms="B", bits="B")
_FULL_ENTRY = Layout("<", kind="H", offset="H", block="I")
_SMALL_PACKS, _BIG_1, _BIG_2, _INLINE, _INTERLACED, _IN_FRAGMENTS = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
_PLAIN, _FIRST, _MEMBER, _SECOND = range(4)
_COUNT = 0x800  # this member tells how many blocks its head has
_PARTIAL = 0x8000
_CHUNK_ENTRY = 0x20  # eight bytes for each chunk, not four
_NOTHING = 0xFFFFFFFF  # the address of a chunk of zeros
_LARGEST = 2**20  # bytes of one packed cluster: Z_EROFS_PCLUSTER_MAX_SIZE
AS_IS, TURNED, FRAGMENT, HOLE = -1, -2, -3, -4
"""Codecs beside the numbers of ``erofs_codecs``. Turned: in one block, by the offset that ``start`` has in one."""


@dataclass(frozen=True, slots=True)
class Extent:
    """``length`` bytes of a file from ``start`` on; ``packed`` bytes of the image from ``place`` on hold them.

    With the codec ``FRAGMENT``, ``place`` is in the image's packed file. ``is_part``: the cluster holds more than that.
    """

    start: int
    length: int
    place: int
    packed: int
    codec: int
    is_part: bool = False


@dataclass(slots=True)
class _Head:
    cluster: int
    kind: int
    offset: int
    block: int
    count: int = 1
    is_part: bool = False


def extents_of(source: Source, block: int, place: int, size: int, is_full: bool) -> list[Extent]:
    """All extents of a file of ``size`` bytes, in order and without gaps; MalformedError.

    ``place`` is where its inode and attributes end.
    """
    place = -(-place // 8) * 8
    head = _HEAD.read(source.read(place, _HEAD.size), source.name, "clusters")
    if head["bits"] & 0x80:  # all of it is a fragment
        start = int.from_bytes(source.read(place, 8), "little") ^ 1 << 63
        return [Extent(0, size, start, size, FRAGMENT)]
    if head["bits"] & 0xF or (is_full and head["advice"] & _SMALL_PACKS):
        raise MalformedError(source.name, "clusters", "an index in a form that is not read")
    clusters = -(-size // block)
    if clusters > INSPECTION_LIMITS.clusters:
        raise MalformedError(source.name, "clusters", f"at most {INSPECTION_LIMITS.clusters:,} in one file")
    if is_full:
        heads, end = _full_heads(source, place + _HEAD.size, clusters, head["advice"])
    else:
        low = max(block.bit_length() - 1, _COUNT.bit_length())
        heads, end = _compact_heads(source, place + _HEAD.size, clusters, head["advice"], low)
    return list(_joined(source, block, size, head, heads, end, is_full))


def chunks_of(source: Source, block: int, place: int, size: int, form: int) -> Iterator[Extent]:
    """The same of a file in chunks of equal length, which other files may share; ``form`` is the inode's own."""
    chunk, width = block << (form & 0x1F), 8 if form & _CHUNK_ENTRY else 4
    place = -(-place // width) * width
    if form & 0xFFC0 or -(-size // chunk) > INSPECTION_LIMITS.clusters:
        raise MalformedError(source.name, "chunks", "too many, or in a form that is not read")
    for start in range(0, size, chunk):
        entry = source.read(place + start // chunk * width, width)
        address, device = int.from_bytes(entry[-4:], "little"), int.from_bytes(entry[2:-4], "little")
        if device:
            raise MalformedError(source.name, "chunks", "on another device")
        length = min(chunk, size - start)
        yield Extent(start, length, address * block, length, HOLE if address == _NOTHING else AS_IS)


def _joined(
    source: Source, block: int, size: int, head: dict[str, int], heads: list[_Head], end: int, is_full: bool
) -> Iterator[Extent]:
    """From each head to the next one; the last may lie behind the index, or in a fragment."""
    starts = [item.cluster * block + item.offset for item in heads]
    heads = [item for item, start in zip(heads, starts, strict=True) if start < size]
    starts = [start for start in starts if start < size] + [size]
    if starts[0] != 0 or any(item.offset >= block for item in heads):
        raise MalformedError(source.name, "clusters", "the index does not begin with the file")
    advice = head["advice"]
    for index, item in enumerate(heads):
        start, length = starts[index], starts[index + 1] - starts[index]
        if not 0 < length <= LONGEST or item.count * block > _LARGEST:
            raise MalformedError(source.name, "clusters", "an extent of no length, or too long")
        codec = head["algorithms"] >> (4 if item.kind == _SECOND else 0) & 0xF
        if item.kind == _PLAIN:
            codec = TURNED if advice & _INTERLACED else AS_IS
        place, packed = item.block * block, item.count * block
        if index == len(heads) - 1 and advice & _IN_FRAGMENTS:
            place = head["tail"] | (item.block << 32 if is_full else 0)
            codec, packed = FRAGMENT, length
        elif index == len(heads) - 1 and advice & _INLINE and head["tail"] >> 16:
            place, packed = end, head["tail"] >> 16
        if codec in {AS_IS, TURNED} and length > packed:
            raise MalformedError(source.name, "clusters", "more bytes than lie there")
        yield Extent(start, length, place, packed, codec, item.is_part)


def _full_heads(source: Source, place: int, clusters: int, advice: int) -> tuple[list[_Head], int]:
    """Heads, and where the index ends. Eight bytes are left free before it."""
    data = source.read(place + 8, clusters * _FULL_ENTRY.size)
    heads = list[_Head]()
    for cluster in range(clusters):
        entry = _FULL_ENTRY.read(data[cluster * 8 : cluster * 8 + 8], source.name, "clusters")
        kind = entry["kind"] & 3
        if kind != _MEMBER:
            heads.append(_Head(cluster, kind, entry["offset"], entry["block"], 1, bool(entry["kind"] & _PARTIAL)))
        elif entry["block"] & _COUNT:
            _counted(source, heads, cluster, entry["block"] & (_COUNT - 1), advice)
    return heads, place + 8 + len(data)


def _compact_heads(source: Source, place: int, clusters: int, advice: int, low_bits: int) -> tuple[list[_Head], int]:
    """Packs of two until 32 bytes are aligned, then as many of sixteen as are full, then of two again.

    The address of a pack is that of its first head; blocks are counted on from there.
    """
    first = (32 - place % 32) // 4 % 8
    small = (clusters - first) // 16 * 16 if advice & _SMALL_PACKS and clusters > first else 0
    heads = list[_Head]()
    cluster = 0
    while cluster < clusters:
        entries, size = (16, 32) if first <= cluster < first + small else (2, 8)
        pack = source.read(place, size)
        bits, address = int.from_bytes(pack[:-4], "little"), int.from_bytes(pack[-4:], "little")
        address += not advice & _BIG_1
        width = (size - 4) * 8 // entries
        for index in range(entries):
            value = bits >> index * width
            kind, low = value >> low_bits & 3, value & ((1 << low_bits) - 1)
            if cluster + index >= clusters:
                break
            if kind != _MEMBER:
                heads.append(_Head(cluster + index, kind, low, address))
                address += 1
            elif low & _COUNT:
                _counted(source, heads, cluster + index, low & ~_COUNT, advice)
                address += heads[-1].count - (1 if index else 0)
        cluster += entries
        place += size
    return heads, place


def _counted(source: Source, heads: list[_Head], cluster: int, count: int, advice: int) -> None:
    """The member behind a head says how many blocks that has."""
    if not heads or heads[-1].cluster != cluster - 1 or not advice & (_BIG_1 | _BIG_2):
        raise MalformedError(source.name, "clusters", "a length that belongs to no head")
    heads[-1].count = count
