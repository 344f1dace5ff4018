"""The rows of publication to object storage: requests as a proxy before a real SeaweedFS counts them, and seconds."""

import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import obstore

from benchmarks.table import Goal, Row, attempted, compared, number, seconds
from benchmarks.trees import make_published, write_payload
from enigm_testkit.buckets.proxy import Proxy, proxied
from enigm_testkit.buckets.servers import Bucket, seaweedfs
from enigm_testkit.buckets.vendors import Shelf
from enigm_testkit.vendor import Vendor, release_toml
from enigm_tuf_repository.stores.objects import PART, PARTS_AT_ONCE

PROOF = 3  # requests of a release that are for no object of it: the timestamp is read, and two prove the conditions
SMALL = 1 << 16


class StoreRows:
    """``rounds`` releases of ``size`` bytes, ours and the library alone in turn, after ``releases`` small ones."""

    def __init__(self, folder: Path, size: int, rounds: int, releases: int) -> None:
        self._folder, self._size, self._rounds, self._releases = folder / "buckets", size, rounds, releases

    def rows(self) -> list[Row]:
        goal = Goal(1.0)
        return attempted("a release: requests to the object store", goal, lambda: list(self._measured(goal)))

    def _measured(self, goal: Goal) -> Iterator[Row]:
        self._folder.mkdir()
        vendor = make_published(self._folder / "vendor")
        with seaweedfs(self._folder / "weed") as bucket, _credentials(bucket), proxied(bucket.endpoint) as proxy:
            shelf = Shelf(bucket, "bench", proxy)
            with contextlib.redirect_stdout(io.StringIO()):
                shelf.filled_by(vendor)
            for version in range(1, self._releases + 2):
                asked, objects = self._release(vendor, proxy, str(version), SMALL)
                if version in {1, self._releases + 1}:
                    work = f"a release after {version - 1:,}: requests to the object store"
                    yield compared(work, "its objects + 3", [asked], [objects + PROOF], goal, number)
            asked, objects = self._release(vendor, proxy, str(self._releases + 2), self._size)
            work = f"a release of {self._size >> 20:,} MiB: requests, with parts of {PART >> 20} MiB"
            yield compared(work, "its objects + 3", [asked], [objects + PROOF], None, number)
            yield self._seconds(vendor, shelf, bucket)

    def _release(self, vendor: Vendor, proxy: Proxy, version: str, size: int) -> tuple[int, int]:
        """Requests of the publication, and objects that it wrote."""
        record = _gated(vendor, version, size)
        proxy.mend()
        _publish(vendor, record)
        staged = vendor.workspace.staged(record)
        return len(proxy.requests), sum(path.is_file() for path in staged.rglob("*"))

    def _seconds(self, vendor: Vendor, shelf: Shelf, bucket: Bucket) -> Row:
        """Straight to the server; the peer sends the same payload, in the same parts, and asks nothing."""
        direct = Shelf(bucket, "bench")
        direct.taken_by(vendor)
        ours, peer = [], []
        for turn in range(self._rounds):
            record = _gated(vendor, str(1_000 + turn), self._size)
            (payload,) = (vendor.workspace.staged(record) / "targets/payloads").rglob("*.zip")
            ours.append(_timed(lambda: _publish(vendor, record)))  # noqa: B023 - called at once
            peer.append(_timed(lambda: _put(shelf, payload, turn)))  # noqa: B023
        work = f"publishing a release of {self._size >> 20:,} MiB to SeaweedFS"
        return compared(work, "obstore.put of its payload", ours, peer, None, seconds)


def _gated(vendor: Vendor, version: str, size: int) -> str:
    folder = vendor.path / f"build-{version}"
    folder.mkdir()
    write_payload(folder / "ota.zip", size)
    (folder / "slsa.json").write_text('{"builder": "benchmark"}')
    (folder / "release.toml").write_text(release_toml(version))
    with contextlib.redirect_stdout(io.StringIO()):
        vendor.done("release", "prepare", "--config", str(folder / "release.toml"))
        vendor.up_to(f"phone-{version}", "verify", "gate")
    return f"phone-{version}"


def _publish(vendor: Vendor, record: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        vendor.done("release", "publish", record)


def _put(shelf: Shelf, payload: Path, turn: int) -> None:
    backend = shelf.store._backend  # noqa: SLF001 - the same connection settings for both
    obstore.put(backend, f"peer/{turn}", payload, chunk_size=PART, max_concurrency=PARTS_AT_ONCE)


def _timed(act: Callable[[], None]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


@contextlib.contextmanager
def _credentials(bucket: Bucket) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(bucket.environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
