"""A source as a file object, for libraries that want one."""

import io

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import Source


class SourceFile(io.RawIOBase):
    """Readable and seekable; reading at the end gives nothing, as files do."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._place = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Bytes from the start of the source."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """ValueError before the start."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._source.length}[whence]
        if base + offset < 0:
            raise ValueError("before the start of the file")
        self._place = base + offset
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        """At most ``size`` bytes, all that is left for -1."""
        left = max(0, self._source.length - self._place)
        length = left if size is None or size < 0 else min(size, left)
        if length > INSPECTION_LIMITS.zip_directory:  # what zipfile reads in one piece is the directory
            raise MalformedError(
                self._source.name, "", f"a directory of at most {INSPECTION_LIMITS.zip_directory:,} bytes"
            )
        data = self._source.read(self._place, length) if length else b""
        self._place += length
        return data
