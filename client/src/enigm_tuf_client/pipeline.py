"""One pass over a payload: a thread that receives, and beside it one for each hash and one that writes.

hashlib and the system calls free the interpreter lock, so that they run side by side. A ring of buffers keeps memory
flat: a buffer is filled again when all threads are done with it.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from threading import Lock, Thread

from enigm_tuf.errors import RefusedError, TransportError
from enigm_tuf.ports import Source
from enigm_tuf.trust.tuf_rules import TufRule

Taker = Callable[[memoryview, int, int], None]
"""Called with a page-aligned buffer, the number of bytes in it, and their offset in the payload."""
BUFFER_BYTES = 1 << 19
_BUFFERS = 5


class _Buffer:
    """Page-aligned memory with ``count`` bytes of the payload from ``offset`` on."""

    def __init__(self) -> None:
        self.memory = memoryview(mmap.mmap(-1, BUFFER_BYTES))
        self.offset = 0
        self.count = 0
        self.users = 0


class WholeHash:
    """The hash of the whole payload."""

    def __init__(self, algorithm: str) -> None:
        self._hasher = hashlib.new(algorithm)

    def take(self, memory: memoryview, count: int, offset: int) -> None:
        del offset
        self._hasher.update(memory[:count])

    def hexdigest(self) -> str:
        return self._hasher.hexdigest()


class ChunkHashes:
    """Compares every chunk with its leaf; RefusedError CHUNK-HASH within the chunk that is wrong."""

    def __init__(self, leaves: list[bytes], size: int, length: int, subject: str, start: int = 0) -> None:
        """``start`` is the offset of the first byte that will come: that of a chunk."""
        self._leaves = leaves
        self._size = size
        self._length = length
        self._subject = subject
        self._hasher = hashlib.sha256(b"\x00")
        self.verified = start
        self._at = start

    def take(self, memory: memoryview, count: int, offset: int) -> None:
        del offset
        view = memory[:count]
        while len(view):
            end = min(self.verified + self._size, self._length)
            piece = view[: end - self._at]
            self._hasher.update(piece)
            self._at += len(piece)
            view = view[len(piece) :]
            if self._at == end:
                self._compare()

    def _compare(self) -> None:
        index = self.verified // self._size
        got, expected = self._hasher.digest(), self._leaves[index]
        if got != expected:
            subject = f"{self._subject}, chunk {index} at byte {self.verified:,}"
            raise RefusedError(TufRule.CHUNK_HASH, subject, expected=expected.hex(), got=got.hex())
        self.verified = self._at
        self._hasher = hashlib.sha256(b"\x00")


class Pipeline:
    """Feeds every piece of a source to several takers, each in a thread of its own, in order."""

    def __init__(self, takers: Iterable[Taker]) -> None:
        self._takers = list(takers)
        self._free: SimpleQueue[_Buffer] = SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(_Buffer())
        self._lock = Lock()
        self._failures: list[BaseException] = []
        self._cut: TransportError | None = None

    def run(self, source: Source, offset: int, length: int, progress: Callable[[int], None]) -> int:
        """Up to the end of the source, or ``length``; the offset that was reached. Raises what a taker raised.

        All threads have ended when this returns or raises.
        """
        queues: list[SimpleQueue[_Buffer | None]] = [SimpleQueue() for _ in self._takers]
        threads = [Thread(target=self._work, args=pair, daemon=True) for pair in zip(self._takers, queues, strict=True)]
        for thread in threads:
            thread.start()
        try:
            while offset < length and not self._failures and (buffer := self._filled(source, offset, length)):
                offset += buffer.count
                for queue in queues:
                    queue.put(buffer)
                progress(offset)
        finally:
            for queue in queues:
                queue.put(None)
            for thread in threads:
                thread.join()
        if self._failures:
            raise self._failures[0]
        if self._cut:
            raise self._cut
        return offset

    def _filled(self, source: Source, offset: int, length: int) -> _Buffer | None:
        """A buffer, full unless the end or a cut came; None where there was nothing left."""
        if self._cut:
            return None
        buffer = self._free.get()
        wanted, count = min(BUFFER_BYTES, length - offset), 0
        try:
            while count < wanted and (got := source.readinto(buffer.memory[count:wanted])):
                count += got
        except TransportError as error:
            self._cut = error  # what came before it is written, and taken up again later
        if not count:
            return None
        buffer.offset, buffer.count, buffer.users = offset, count, len(self._takers)
        return buffer

    def _work(self, take: Taker, queue: SimpleQueue[_Buffer | None]) -> None:
        failed = False
        while (buffer := queue.get()) is not None:
            try:
                if not failed:
                    take(buffer.memory, buffer.count, buffer.offset)
            except BaseException as error:
                failed = True
                self._failures.append(error)
            finally:
                self._release(buffer)

    def _release(self, buffer: _Buffer) -> None:
        with self._lock:
            buffer.users -= 1
            if not buffer.users:
                self._free.put(buffer)
