"""One pass over a payload: a thread that receives, and beside it one for each hash and one that writes.

hashlib and the system calls free the interpreter lock, so that they run side by side. A ring of buffers keeps memory
flat: a buffer is filled again when all threads are done with it.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from threading import Event, Lock, Thread

from enigm_tuf.errors import RefusedError, TransportError
from enigm_tuf.model.chunks import digest_at
from enigm_tuf.ports import Source
from enigm_tuf.trust.tuf_rules import TufRule

Taker = Callable[[memoryview, int, int], None]
"""Called with a page-aligned buffer, the number of bytes in it, and their offset in the payload."""
BUFFER_BYTES = 768 << 10  # 1 MiB is 3% cheaper, and a process above 30 MiB; with half of it a third more system time
_BUFFERS = 3


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


class ChunkedHash:
    """The SHA-256 of the whole payload; on its way it must have the signed digest at the end of every chunk."""

    def __init__(self, digests: bytes, size: int, length: int, subject: str) -> None:
        """``digests`` are proved, of chunks of ``size`` bytes; ``subject`` is what errors call the payload."""
        self._digests = digests
        self._size = size
        self._length = length
        self._subject = subject
        self._hasher = hashlib.sha256()
        self._at = 0
        self._verified = 0

    def take(self, memory: memoryview, count: int, offset: int) -> None:
        """RefusedError CHUNK-HASH within the chunk that is wrong."""
        del offset
        view = memory[:count]
        while len(view):
            end = min(self._verified + self._size, self._length)
            piece = view[: end - self._at]
            self._hasher.update(piece)
            self._at += len(piece)
            view = view[len(piece) :]
            if self._at == end:
                self._compare()

    def take_up(self, chunk: memoryview) -> bool:
        """Whether ``chunk``, whole, is the next one. If it is not, nothing has changed."""
        ahead = self._hasher.copy()
        ahead.update(chunk)
        if ahead.digest() != self._expected():
            return False
        self._hasher = ahead
        self._at = self._verified = self._at + len(chunk)
        return True

    def hexdigest(self) -> str:
        return self._hasher.hexdigest()

    def _expected(self) -> bytes:
        return digest_at(self._digests, self._verified // self._size)

    def _compare(self) -> None:
        got, expected = self._hasher.digest(), self._expected()
        if got != expected:
            subject = f"{self._subject}, chunk {self._verified // self._size} at byte {self._verified:,}"
            raise RefusedError(TufRule.CHUNK_HASH, subject, expected=expected.hex(), got=got.hex())
        self._verified = self._at


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
        workers: list[_Worker] = []
        try:
            for taker in self._takers:
                workers.append(_Worker(self.work, taker))
                workers[-1].start()
            while offset < length and not self._failures and (buffer := self._filled(source, offset, length)):
                offset += buffer.count
                for worker in workers:
                    worker.queue.put(buffer)
                progress(offset)
        finally:
            _end(workers)
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

    def work(self, take: Taker, queue: SimpleQueue[_Buffer | None]) -> None:
        """What the thread of a taker does."""
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


class _Worker:
    """A thread with its queue. It may not outlive run(): the file that it writes to would be closed under it."""

    def __init__(self, work: Callable[[Taker, SimpleQueue[_Buffer | None]], None], taker: Taker) -> None:
        self.queue: SimpleQueue[_Buffer | None] = SimpleQueue()
        self._work = work
        self._taker = taker
        self._ended = Event()
        self._ended.set()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """RuntimeError if the system has no more threads."""
        self._ended.clear()
        try:
            self._thread.start()
        except RuntimeError:
            self._ended.set()
            raise

    def end(self) -> None:
        """Wait until it is through with what it has. An interrupted join() would say so too early (CPython 3.11)."""
        self.queue.put(None)
        self._ended.wait()

    def _run(self) -> None:
        try:
            self._work(self._taker, self.queue)
        finally:
            self._ended.set()


def _end(workers: list[_Worker]) -> None:
    """End them all, also when signals come meanwhile (Ctrl-C): those are raised when it is done."""
    interrupted: BaseException | None = None
    while workers:
        try:
            workers[-1].end()
            workers.pop()
        except BaseException as signal:
            interrupted = signal
    if interrupted is not None:
        raise interrupted
