"""Every object of a Git repository, also those that no branch reaches any more."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from enigm_tuf.errors import MisuseError, TransportError
from enigm_tuf_repository.leaks.scanning import Scan

_WITH_CONTENT = {"blob", "commit", "tag"}


class _Object:
    """The bytes of one object in the stream; a file for ``Scan.stream``."""

    def __init__(self, stream: BinaryIO, left: int) -> None:
        self._stream = stream
        self._left = left

    def read(self, count: int = -1) -> bytes:
        data = self._stream.read(self._left if count < 0 else min(count, self._left))
        self._left -= len(data)
        return data


def scan_git(scan: Scan, directory: Path) -> None:
    """Scan all objects; MisuseError where there is no Git or no repository, TransportError where it breaks off."""
    names = _names(directory)
    command = [*_git(directory), "cat-file", "--batch-all-objects", "--unordered", "--batch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()) as process:
        stream = cast("BinaryIO", process.stdout)
        for digest, kind, size in _headers(stream):
            content = _Object(stream, size)
            if kind in _WITH_CONTENT:
                name = f"git {kind} {digest[:12]}"
                scan.stream(cast("BinaryIO", content), f"{name} {names[digest]}" if digest in names else name)
            content.read()
            stream.read(1)  # the line end behind it
    if process.returncode != 0:
        raise TransportError(f"{directory}: git cat-file failed with status {process.returncode}")


def _headers(stream: BinaryIO) -> Iterator[tuple[str, str, int]]:
    while line := stream.readline():
        digest, kind, *size = line.decode().split()
        if size:
            yield digest, kind, int(size[0])


def _names(directory: Path) -> dict[str, str]:
    """A path for each object that has one, the first that is found."""
    names: dict[str, str] = {}
    for line in _output(directory, "rev-list", "--objects", "--all").splitlines():
        digest, _, path = line.partition(b" ")
        if path:
            names.setdefault(digest.decode(), path.decode("utf-8", "replace"))
    return names


def _output(directory: Path, *arguments: str) -> bytes:
    try:
        result = subprocess.run([*_git(directory), *arguments], capture_output=True, check=False, env=_environment())
    except FileNotFoundError as error:
        raise MisuseError("git is not installed here") from error
    if result.returncode != 0:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        raise MisuseError(f"{directory}: {said[-1] if said else 'git failed'}")
    return result.stdout


def _git(directory: Path) -> list[str]:
    """Without what a repository's own configuration could start."""
    return ["git", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never", "-C", str(directory)]


def _environment() -> dict[str, str]:
    """Nothing is fetched from where a partial clone says that its objects are."""
    return {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
