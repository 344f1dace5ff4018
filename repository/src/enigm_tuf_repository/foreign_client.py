"""The second implementation: python-tuf's ngclient, unmodified, on the staged tree from root version 1 on."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.api.metadata import Metadata, Root, TargetFile
from tuf.ngclient import FetcherInterface, Updater

from enigm_tuf.errors import NotFoundError, RefusedError
from enigm_tuf_repository.overlay import OverlayFetcher
from enigm_tuf_repository.rules import RepositoryRule

_BASE = "overlay://staged/"
_PIECE = 1 << 20


class _Fetcher(FetcherInterface):
    """Serves the overlay under a made-up URL: nothing here touches a network."""

    def __init__(self, overlay: OverlayFetcher) -> None:
        self._overlay = overlay

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = url.removeprefix(_BASE)
        try:
            with self._overlay.open(path, 0, self._overlay.size(path)) as source:
                buffer = memoryview(bytearray(_PIECE))
                while count := source.readinto(buffer):
                    yield bytes(buffer[:count])
        except NotFoundError as error:
            raise DownloadHTTPError(str(error), 404) from error


def verify_with_ngclient(
    overlay: OverlayFetcher, root: bytes, targets: Sequence[str], folder: Path, found: Sequence[str] = ()
) -> str:
    """Refresh from ``root``, and download every one of ``targets`` into ``folder``; the evidence in words.

    Those of ``found`` must be listed, and are not downloaded.
    """
    for name in ("metadata", "targets"):
        (folder / name).mkdir()
    try:
        updater = Updater(
            str(folder / "metadata"),
            f"{_BASE}metadata/",
            str(folder / "targets"),
            f"{_BASE}targets/",
            _Fetcher(overlay),
            bootstrap=root,
        )
        updater.refresh()
        for path in targets:
            Path(updater.download_target(_find(updater, path))).unlink()  # a release is large: one at a time
        for path in found:
            _find(updater, path)
    except (RepositoryError, DownloadError, ValueError) as error:
        raise RefusedError(
            RepositoryRule.VERIFY_NGCLIENT, "the staged tree", expected="ngclient to accept it", got=str(error)
        ) from error
    return f"ngclient refreshed from root version 1 and downloaded {len(targets)} targets"


def _find(updater: Updater, path: str) -> TargetFile:
    info = updater.get_targetinfo(path)
    if info is None:
        raise RefusedError(RepositoryRule.VERIFY_NGCLIENT, path, expected="to be found by ngclient", got="not listed")
    return info


def verify_roots_with_tuf(chain: Sequence[bytes]) -> str:
    """For a tree that has only roots: python-tuf's own signature check along the chain."""
    try:
        roots = [Metadata[Root].from_bytes(data) for data in chain]
        for before, after in zip([roots[0], *roots], roots, strict=False):
            before.verify_delegate(Root.type, after)
            after.verify_delegate(Root.type, after)
    except (RepositoryError, ValueError) as error:
        raise RefusedError(
            RepositoryRule.VERIFY_NGCLIENT, "the root chain", expected="python-tuf to accept it", got=str(error)
        ) from error
    return f"python-tuf verified {len(roots)} roots"
