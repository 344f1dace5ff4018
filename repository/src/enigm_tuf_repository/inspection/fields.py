"""Fixed binary layouts, read field by field."""

import struct
from typing import Any

from enigm_tuf.errors import MalformedError


class Layout:
    """A C structure: ``struct`` codes with field names, in one byte order without padding of the compiler's."""

    def __init__(self, order: str, **fields: str) -> None:
        self._struct = struct.Struct(order + "".join(fields.values()))
        self._names = tuple(fields)
        self.size = self._struct.size

    def read(self, data: bytes, source: str, field: str = "") -> dict[str, Any]:
        """The fields at the start of ``data``; MalformedError where it is too short."""
        if len(data) < self.size:
            raise MalformedError(source, field, f"needs {self.size} bytes, has {len(data)}")
        return dict(zip(self._names, self._struct.unpack_from(data), strict=True))


def text(raw: bytes, source: str, field: str) -> str:
    """A text that NULs fill up to its place; MalformedError unless it is printable ASCII."""
    value = raw.rstrip(b"\0")
    if not all(0x20 <= byte < 0x7F for byte in value):
        raise MalformedError(source, field, "must be printable ASCII")
    return value.decode("ascii")
