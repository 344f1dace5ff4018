"""One server in memory, and the two clients' ways to it. What it answers is up to the attacker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import unquote

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface

from enigm_tuf.errors import NotFoundError, TransportError
from enigm_tuf.ports import Channel, DeviceState, Source

ENDLESS = "endless"
Body = bytes | str | None
"""The bytes of a file, None for no such file, ``ENDLESS`` for spaces without end."""
Answer = Callable[[str, Body], Body]
"""From the role that is asked for and the honest answer to the one that is given."""
_PATH = re.compile(r"(?:([0-9]+)\.)?(.+)\.json")


class Server:
    """Files by path; ``answer`` stands between them and the clients."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.answer: Answer = lambda _role, body: body

    def get(self, path: str) -> Body:
        match = _PATH.fullmatch(path)
        assert match is not None, path
        return self.answer(unquote(match[2]), self.files.get(path))


class OurFetcher:
    """Implements ``enigm_tuf.ports.Fetcher``."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def channel(self) -> Channel:
        return Channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file; NotFoundError, TransportError when it is longer than ``max_bytes``."""
        body = self._server.get(path)
        if body is None:
            raise NotFoundError(path)
        if isinstance(body, str) or len(body) > max_bytes:
            raise TransportError(f"{path}: longer than {max_bytes}")
        return body

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        """No target file is ever downloaded here."""
        raise NotImplementedError


class TheirFetcher(FetcherInterface):
    """The same for ngclient."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def _fetch(self, url: str) -> Iterator[bytes]:
        body = self._server.get(url.removeprefix("https://example.org/"))
        if body is None:
            raise DownloadHTTPError(url, 404)
        return _spaces() if isinstance(body, str) else iter([body])


def _spaces() -> Iterator[bytes]:
    while True:
        yield b" " * 65_536


class MemoryStore:
    """Implements ``enigm_tuf.ports.Store`` in memory, the memory of verifications included."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state

    def load(self) -> DeviceState:
        return self._state

    def commit(self, state: DeviceState) -> None:
        self._state = state

    def exclusive(self) -> AbstractContextManager[None]:
        """One client at a time, in one thread."""
        return nullcontext()
