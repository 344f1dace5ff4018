"""Publication to object storage, cut at every request: the old release whole, or the new one; run again, it is done."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from enigm_testkit.buckets.kinds import kinds, running
from enigm_testkit.buckets.proxy import Fate, Proxy, proxied
from enigm_testkit.buckets.servers import Bucket
from enigm_testkit.buckets.vendors import Shelf
from enigm_testkit.vendor import Vendor
from enigm_tuf_repository.stores import backends, objects, probe


@pytest.fixture(scope="module", params=kinds("seaweedfs"))
def bucket(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    name: str = request.param
    with running(name, tmp_path_factory.mktemp(name)) as bucket:
        yield bucket


@pytest.fixture
def proxy(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Before the bucket; nobody waits long for a line that is dead."""
    monkeypatch.setattr(backends, "RETRIES", 0)
    monkeypatch.setattr(objects, "ATTEMPTS", 1)
    monkeypatch.setattr(probe, "ATTEMPTS", 1)
    with proxied(bucket.endpoint) as proxy:
        yield proxy


@pytest.mark.parametrize("fate", [Fate.LOST, Fate.UNANSWERED], ids=lambda fate: fate.name)
def test_a_publication_cut_at_any_request_leaves_the_old_release_and_completes_when_run_again(
    gated: Vendor, bucket: Bucket, proxy: Proxy, tmp_path: Path, fate: Fate
) -> None:
    whole = Shelf(bucket, f"whole-{tmp_path.name}")
    whole.filled_by(gated.copied_to(tmp_path / "whole")).done("release", "publish", "phone-1.0")
    seen, number, cut = set(), 0, True

    while cut:
        shelf = Shelf(bucket, f"{tmp_path.name}-{fate.name}-{number}", proxy)
        vendor = shelf.filled_by(gated.copied_to(tmp_path / f"cut-{number}"))
        proxy.cut_at(number, fate)
        ended = vendor.run("release", "publish", "phone-1.0")
        cut = len(proxy.requests) > number
        assert ended == (2 if cut else 0) or fate is Fate.UNANSWERED, f"cut at request {number}"
        seen.add(vendor.device_sees(fetcher=shelf.store))
        proxy.mend()
        vendor.done("release", "publish", "phone-1.0")
        assert shelf.tree() == whole.tree(), f"cut at request {number}, then run again"
        assert vendor.device_sees(fetcher=shelf.store) == "1.0"
        number += 1

    assert number == 15, "3 requests, 11 objects, and a run that was not cut"
    assert seen == {None, "1.0"}, "the old release, or the new one; nothing in between ever raised"


@pytest.mark.parametrize("bucket", ["seaweedfs"], indirect=True)
def test_a_move_to_a_bucket_cut_at_any_request_completes_when_run_again(
    vendor: Vendor, bucket: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    number, cut = 0, True

    while cut:
        shelf = Shelf(bucket, f"{tmp_path.name}-move-{number}", proxy)
        shelf.taken_by(vendor)
        proxy.cut_at(number, Fate.UNANSWERED)
        vendor.run("store", "push")
        cut = len(proxy.requests) > number
        proxy.mend()
        vendor.done("store", "push")
        files = {path for path in vendor.published.glob("[!.]*/**/*") if path.is_file()}
        assert shelf.tree() == {str(path.relative_to(vendor.published)): path.read_bytes() for path in files}
        number += 1

    assert number > 10


@pytest.mark.slow
@pytest.mark.parametrize("bucket", ["seaweedfs"], indirect=True)
def test_a_publisher_killed_at_any_request_leaves_the_old_release_and_completes_when_run_again(
    gated: Vendor, bucket: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    """SIGKILL, with the request on its way at that moment done or not, by turns."""
    seen, number, killed = set(), 0, True

    while killed:
        shelf = Shelf(bucket, f"{tmp_path.name}-kill-{number}", proxy)
        vendor = shelf.filled_by(gated.copied_to(tmp_path / f"killed-{number}"))
        killed = publish_killed_at(vendor, proxy, number, Fate.UNANSWERED if number % 2 else Fate.LOST)
        seen.add(vendor.device_sees(fetcher=shelf.store))
        proxy.mend()
        vendor.done("release", "publish", "phone-1.0")
        assert vendor.device_sees(fetcher=shelf.store) == "1.0", f"killed at request {number}, then run again"
        vendor.done("store", "check")
        number += 1

    assert number == 15
    assert seen == {None, "1.0"}


def publish_killed_at(vendor: Vendor, proxy: Proxy, number: int, fate: Fate) -> bool:
    """False if it was done before that."""
    command = ["-m", "enigm_tuf_repository", "release", "publish", "phone-1.0"]
    started = threading.Event()
    proxy.requests = []

    def judge(asked: int, request: str) -> Fate:
        del request
        started.wait()
        if asked == number:
            process.kill()
        return Fate.PASS if asked < number else fate

    proxy.fate = judge
    process = subprocess.Popen([sys.executable, *command, "--repository", str(vendor.workspace.path)])
    started.set()
    status = process.wait()
    assert status in {0, -signal.SIGKILL}
    return status != 0
