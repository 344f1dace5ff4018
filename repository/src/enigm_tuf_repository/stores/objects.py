"""Object storage through obstore: create-only and compare-and-swap on S3, GCS and Azure (ADR 22).

An error of a conditional write means "lost or unknown", never "not done": under contention servers answer anything,
and an answer can be lost on its way. So what is there is read back, and that decides.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from enigm_tuf.errors import ConflictError, NotFoundError, StateError, TransportError
from enigm_tuf.limits import LIMITS
from enigm_tuf.ports import Channel, Source
from enigm_tuf_client.address import require_inside, require_range
from enigm_tuf_repository.publication import LOST_RACE, Held, Sent
from enigm_tuf_repository.stores.backends import one_line, open_backend
from enigm_tuf_repository.stores.caching import TIMESTAMP_SECONDS, attributes_of
from enigm_tuf_repository.stores.probe import require_conditions
from enigm_tuf_repository.stores.reading import verified_pieces
from enigm_tuf_repository.stores.settings import StoreSettings

PART = 2**23  # bytes of one part; 10,000 of them, S3's bound, are above LIMITS.payload_bytes
_PIECE = 2**20  # as they are read
PARTS_AT_ONCE = 3  # of one file
ATTEMPTS = 4  # to swap, while nobody else is seen to have done so
FAILURES = (BaseError, OSError, ValueError)  # what obstore raises


class ObjectStore:
    """A prefix in a bucket. Memory: PARTS_AT_ONCE parts on their way and one being filled, for each create()."""

    def __init__(self, settings: StoreSettings) -> None:
        self.url = settings.url
        self._backend = open_backend(settings)
        self._bare = settings.tag_quoting == "bare"
        seconds = settings.timestamp_seconds
        self._timestamp_seconds = TIMESTAMP_SECONDS if seconds is None else seconds

    @contextmanager
    def session(self) -> Iterator[None]:
        require_conditions(self)
        yield

    def create(self, path: str, source: Path, sha256: str, sent: Sent) -> None:
        size = source.stat().st_size
        try:
            if size > PART:
                self._create_large(path, source, sha256, sent)
            else:
                self.put(path, b"".join(verified_pieces(source, sha256, PART, sent)), "create")
        except FAILURES as error:
            self._settle(path, sha256, error)

    def _create_large(self, path: str, source: Path, sha256: str, sent: Sent) -> None:
        """In parts, which no cloud creates conditionally on all its servers: so look first.

        Between the look and the last part somebody else may come first, with the same bytes: the name of a file
        that is large enough has its SHA-256 in it, and ``sha256`` is what PAYLOAD-BYTES found.
        """
        if self.sha256_of(path) is not None:
            raise AlreadyExistsError
        obstore.put(
            self._backend,
            path,
            verified_pieces(source, sha256, _PIECE, sent),
            attributes=attributes_of(path, self._timestamp_seconds),
            use_multipart=True,
            chunk_size=PART,
            max_concurrency=PARTS_AT_ONCE,
        )

    def _settle(self, path: str, sha256: str, error: Exception) -> None:
        """Return if what should be there is there, whoever put it there."""
        found = self.sha256_of(path)
        if found is None:
            hint = "nothing that was published before has changed; run the step again"
            raise StateError(f"{self.url}/{path}: {one_line(error)}", hint=hint) from error
        if found != sha256:
            raise ConflictError(f"{path}: published already, with other bytes") from error

    def replace(self, path: str, data: bytes, before: Held | None) -> None:
        mode = "create" if before is None else before.tag
        failure = self._attempt(path, data, mode)
        for attempt in range(ATTEMPTS):
            if failure is None:
                return
            found = self.read(path)
            if found is not None and found.data == data:
                return  # done, and only the answer was lost
            if found != before:
                raise ConflictError(f"{path}: somebody else published first", hint=LOST_RACE) from failure
            time.sleep(0.1 * 2**attempt)
            failure = self._attempt(path, data, mode)
        hint = "run it again; if it stays so, `tag_quoting` in [store] may be wrong for this server"
        raise StateError(f"{self.url}/{path}: {failure and one_line(failure)}", hint=hint) from failure

    def _attempt(self, path: str, data: bytes, mode: str | Mapping[str, str]) -> Exception | None:
        try:
            self.put(path, data, mode)
        except FAILURES as error:
            return error
        return None

    def read(self, path: str) -> Held | None:
        try:
            return self._get(path, LIMITS.document_bytes)
        except NotFoundError:
            return None

    def channel(self) -> Channel:
        """The mirror trusts signatures, not the line."""
        return Channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        return self._get(path, max_bytes).data

    def _get(self, path: str, max_bytes: int) -> Held:
        with self._answer(path) as answer:
            if answer.meta["size"] > max_bytes:
                raise TransportError(f"{self.url}/{path}: longer than {max_bytes:,} bytes")
            tag = {name: str(answer.meta[name]) for name in ("e_tag", "version") if answer.meta.get(name)}
            return Held(bytes(answer.bytes()), tag)

    @contextmanager
    def open(self, path: str, start: int, stop: int) -> Iterator[Source]:
        """Bytes ``start`` to ``stop`` (excluded), never more; NotFoundError, TransportError."""
        require_range(path, start, stop)
        with self._answer(path, **({"range": (start, stop)} if start < stop else {})) as answer:
            yield _Stream(answer, stop - start, f"{self.url}/{path}")

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted. One request for each thousand."""
        try:
            pages = obstore.list(self._backend, folder, chunk_size=1_000)
            found = [item["path"] for page in pages for item in page]
        except FAILURES as error:
            raise TransportError(f"{self.url}/{folder}: {one_line(error)}") from error
        return sorted(path.removeprefix(f"{folder}/") for path in found)

    def sha256_of(self, path: str) -> str | None:
        """Of what is there, read whole; None where there is nothing."""
        try:
            with self._answer(path) as answer:
                digest = hashlib.sha256()
                for piece in answer.stream(min_chunk_size=PART):
                    digest.update(piece)
                return digest.hexdigest()
        except NotFoundError:
            return None

    def put(self, path: str, data: bytes, mode: str | Mapping[str, str]) -> dict[str, str]:
        """One conditional request; its tag, or whatever obstore raises."""
        chosen: Any = mode if isinstance(mode, str) else {name: self._quoted(value) for name, value in mode.items()}
        fields = attributes_of(path, self._timestamp_seconds)
        done = obstore.put(self._backend, path, data, mode=chosen, use_multipart=False, attributes=fields)
        return {name: str(done[name]) for name in ("e_tag", "version") if done.get(name)}

    def _quoted(self, tag: str) -> str:
        return tag.strip('"') if self._bare else tag

    @contextmanager
    def _answer(self, path: str, **options: Any) -> Iterator[Any]:
        require_inside(path)
        chosen: Any = options
        try:
            yield obstore.get(self._backend, path, options=chosen)
        except FileNotFoundError as error:
            raise NotFoundError(f"{self.url}/{path}: no such object") from error
        except FAILURES as error:
            raise TransportError(f"{self.url}/{path}: {one_line(error)}") from error


class _Stream:
    """The ``enigm_tuf.ports.Source`` over an answer."""

    def __init__(self, answer: Any, left: int, name: str) -> None:
        self._pieces = iter(answer.stream(min_chunk_size=2**20)) if left else iter(())
        self._waiting = memoryview(b"")
        self._left = left
        self._name = name

    def readinto(self, buffer: memoryview, /) -> int:
        if not self._waiting:
            try:
                self._waiting = memoryview(bytes(next(self._pieces, b"")))
            except FAILURES as error:
                raise TransportError(f"{self._name}: {one_line(error)}") from error
        count = min(len(buffer), len(self._waiting), self._left)
        buffer[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        self._left -= count
        return count
