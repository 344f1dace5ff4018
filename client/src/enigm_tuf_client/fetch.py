"""Fetchers: HTTP through urllib3, and a local directory. Nothing that they return is trusted."""

from collections.abc import Iterator
from pathlib import Path

import urllib3

from enigm_tuf.errors import NotFoundError, TransportError

_CHUNK = 1 << 20


class HttpFetcher:
    """Files below ``base_url``. No redirects, no content decoding; ``seconds`` bounds connect and each read."""

    def __init__(self, base_url: str, *, seconds: float = 30.0) -> None:
        self._base = base_url.rstrip("/")
        timeout = urllib3.Timeout(connect=seconds, read=seconds)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, headers={"User-Agent": "enigm-tuf-client"})

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file, at most ``max_bytes``."""
        return b"".join(self._pieces(path, max_bytes))

    def stream(self, path: str, length: int) -> Iterator[bytes]:
        """The file in pieces of at most 1 MiB, ``length`` bytes in all at the most."""
        return self._pieces(path, length)

    def _pieces(self, path: str, max_bytes: int) -> Iterator[bytes]:
        url, done = f"{self._base}/{path}", 0
        try:
            response = self._pool.request("GET", url, preload_content=False, redirect=False)
            try:
                _require_ok(response.status, url)
                for piece in response.stream(_CHUNK, decode_content=False):
                    done += len(piece)
                    _require_within(done, max_bytes, url)
                    yield piece
            finally:
                response.close()
        except urllib3.exceptions.HTTPError as error:
            raise TransportError(f"{url}: {error}") from error


class FileFetcher:
    """Files below a local directory: a staged tree, removable media."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file, at most ``max_bytes``."""
        return b"".join(self.stream(path, max_bytes))

    def stream(self, path: str, length: int) -> Iterator[bytes]:
        """The file in pieces of at most 1 MiB, ``length`` bytes in all at the most."""
        file, done = self._root / path, 0
        try:
            with file.open("rb") as opened:
                while piece := opened.read(_CHUNK):
                    done += len(piece)
                    _require_within(done, length, str(file))
                    yield piece
        except FileNotFoundError as error:
            raise NotFoundError(f"{file}: no such file") from error
        except OSError as error:
            raise TransportError(f"{file}: {error.strerror}") from error


def _require_ok(status: int, url: str) -> None:
    if status in {403, 404}:  # object stores answer 403 for what is not there
        raise NotFoundError(f"{url}: status {status}")
    if status != 200:
        raise TransportError(f"{url}: status {status}")


def _require_within(done: int, max_bytes: int, name: str) -> None:
    if done > max_bytes:
        raise TransportError(f"{name}: longer than the {max_bytes:,} bytes that are allowed")
