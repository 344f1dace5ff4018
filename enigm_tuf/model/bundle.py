"""The one file that crosses the air gap: a deterministic uncompressed tar, read whole in memory.

``.enigmreq`` and ``.enigmresp`` share it. Same members in, same bytes out: names sorted, times, owners and
groups zero, mode 0644, regular files only. ``index.json`` lists every other member with size and SHA-256.
"""

import io
import tarfile
from dataclasses import dataclass

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.shapes import PATH, SHA256, WORD, Integer, Record
from enigm_tuf.model.strict_json import sha256

INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the index lists it."""

    path: str
    sha256: str
    size: int
    media_type: str


ENTRY = Record(Entry, path=PATH, sha256=SHA256, size=Integer(0, LIMITS.request_bytes), media_type=WORD)


def entry(path: str, data: bytes) -> Entry:
    """The index line of a member."""
    return Entry(path, sha256(data), len(data), "application/json")


def pack(members: dict[str, bytes]) -> bytes:
    """The tar of ``members`` by path; MalformedError for a path that has no room in a tar's header."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(members):
            header = tarfile.TarInfo(name)
            header.size = len(members[name])
            try:
                tar.addfile(header, io.BytesIO(members[name]))
            except ValueError as error:
                raise MalformedError("bundle", name[:60], f"not a path for a tar: {error}") from error
    return buffer.getvalue()


def unpack(data: bytes, source: str) -> dict[str, bytes]:
    """The members by path; MalformedError unless ``data`` is exactly what pack() makes of them."""
    if len(data) > LIMITS.request_bytes:
        raise MalformedError(source, "", f"at most {LIMITS.request_bytes:,} bytes, this has {len(data):,}")
    members: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for header in tar:
                _add(members, tar, header, source)
    except tarfile.TarError as error:
        raise MalformedError(source, "", f"not a tar ({error}); is the file cut off?") from error
    if pack(members) != data:
        raise MalformedError(
            source, "", "not in the one allowed form (sorted, no owners, no times, nothing after it); is it cut off?"
        )
    return members


def require_listed(members: dict[str, bytes], entries: tuple[Entry, ...], source: str) -> None:
    """The index lists exactly the members beside itself, each with its size and digest."""
    listed = {item.path: item for item in entries}
    if len(listed) != len(entries):
        raise MalformedError(source, "entries", "no path may stand twice")
    for path in sorted(set(listed) ^ (set(members) - {INDEX})):
        rule = "listed in the index but not in the file" if path in listed else "in the file but not listed"
        raise MalformedError(source, path, rule)
    for path, item in listed.items():
        if (len(members[path]), sha256(members[path])) != (item.size, item.sha256):
            raise MalformedError(source, path, "size and SHA-256 must be those in the index")


def _add(members: dict[str, bytes], tar: tarfile.TarFile, header: tarfile.TarInfo, source: str) -> None:
    name = PATH.read(header.name, source, f"member {header.name[:60]!r}")
    if header.type != tarfile.REGTYPE or header.linkname or header.pax_headers or header.issparse():
        raise MalformedError(source, f"member {name}", "plain files only: no links, devices, folders or extensions")
    if name in members:
        raise MalformedError(source, f"member {name}", "the same path twice")
    if len(members) >= LIMITS.request_entries:
        raise MalformedError(source, "", f"at most {LIMITS.request_entries} members")
    file = tar.extractfile(header)
    members[name] = file.read() if file else b""
