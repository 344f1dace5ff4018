"""Behind a CDN that caches: the new release within the timestamp's life, never a mix, and proved after publication."""

import hashlib
import http.client
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from enigm_testkit.buckets.cdn import nginx
from enigm_testkit.buckets.kinds import running
from enigm_testkit.buckets.servers import Bucket
from enigm_testkit.buckets.vendors import Shelf
from enigm_testkit.vendor import Vendor
from enigm_testkit.web import FileServer, serving
from enigm_tuf_client.http import HttpFetcher
from enigm_tuf_repository.public_fetch import fetch_back
from enigm_tuf_repository.rules import RepositoryRule

LIFE = 2  # seconds that the CDN may keep a timestamp


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with running("seaweedfs", tmp_path_factory.mktemp("weed")) as bucket:
        yield bucket


@pytest.fixture
def shelf(bucket: Bucket, tmp_path: Path) -> Shelf:
    return Shelf(bucket, tmp_path.name)


class Device(threading.Thread):
    """New devices through the CDN, one after the other; what they saw, and what went wrong."""

    def __init__(self, vendor: Vendor, url: str) -> None:
        super().__init__()
        self.seen: set[str | None] = set()
        self.wrong: list[Exception] = []
        self._vendor, self._url, self._over = vendor, url, threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self.seen.add(self._vendor.device_sees(fetcher=HttpFetcher(self._url)))
            except Exception as error:
                self.wrong.append(error)

    def stop(self) -> None:
        self._over.set()
        self.join()


def test_devices_behind_a_cdn_see_the_new_release_in_time_and_never_a_mix(
    vendor: Vendor, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.filled_by(vendor, timestamp_seconds=str(LIFE))
    vendor.publish(vendor.prepare_release("1.0"))
    vendor.up_to(vendor.prepare_release("2.0"), "verify", "gate")
    with nginx(tmp_path / "cdn", shelf.public) as url:
        assert vendor.device_sees(fetcher=HttpFetcher(url)) == "1.0"
        for path in sorted(new_names(vendor, "phone-2.0")):  # whoever asks for tomorrow's names must not hide them
            assert ask(url, path)[0] == 404
        device = Device(vendor, url)
        device.start()

        vendor.done("release", "publish", "phone-2.0")
        time.sleep(LIFE + 1)  # caches count in whole seconds
        assert vendor.device_sees(fetcher=HttpFetcher(url)) == "2.0"
        device.stop()

        assert device.wrong == []
        assert device.seen <= {"1.0", "2.0"}
        assert "1.0" in device.seen
        shelf.taken_by(vendor, timestamp_seconds=str(LIFE), public_url=url)
        vendor.done("release", "publish", "phone-2.0")
        public = vendor.record("phone-2.0").steps[-1].findings[-1]
        assert (public.rule, public.passed) == ("PUBLIC-FETCH", True)


def test_publish_returns_when_the_cdn_has_the_new_timestamp(vendor: Vendor, shelf: Shelf, tmp_path: Path) -> None:
    shelf.filled_by(vendor)
    vendor.publish(vendor.prepare_release("1.0"))
    vendor.up_to(vendor.prepare_release("2.0"), "verify", "gate")
    with nginx(tmp_path / "cdn", shelf.public) as url:
        shelf.taken_by(vendor, timestamp_seconds=str(LIFE), public_url=url)
        vendor.done("timestamp")
        for step in ("verify", "gate"):
            vendor.done("release", step, "phone-2.0")
        assert vendor.device_sees(fetcher=HttpFetcher(url)) == "1.0", "and the CDN keeps it for a while"

        vendor.done("release", "publish", "phone-2.0")

        assert vendor.device_sees(fetcher=HttpFetcher(url)) == "2.0"


def new_names(vendor: Vendor, record: str) -> set[str]:
    staged = vendor.workspace.staged(record)
    names = {str(path.relative_to(staged)) for path in staged.rglob("*") if path.is_file()}
    return names - {"metadata/timestamp.json"}


def ask(url: str, path: str) -> tuple[int, http.client.HTTPMessage]:
    line = http.client.HTTPConnection(urlsplit(url).netloc)
    line.request("GET", f"{urlsplit(url).path}/{path}")
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status, answer.headers


def test_what_may_be_kept_is_kept_and_the_timestamp_is_not(vendor: Vendor, shelf: Shelf, tmp_path: Path) -> None:
    shelf.filled_by(vendor, timestamp_seconds=str(LIFE))
    vendor.publish(vendor.prepare_release("1.0"))
    with nginx(tmp_path / "cdn", shelf.public) as url:
        names = sorted(shelf.tree())
        first = {name: ask(url, name)[1] for name in names}
        time.sleep(LIFE + 1)
        again = {name: ask(url, name)[1] for name in names}

    kept = {name for name in names if again[name]["X-Cache"] == "HIT"}
    assert kept == set(names) - {"metadata/timestamp.json"}
    assert again["metadata/timestamp.json"]["X-Cache"] == "EXPIRED"
    assert first["metadata/timestamp.json"]["Cache-Control"] == f"public, max-age={LIFE}"
    assert {first[name]["Cache-Control"] for name in kept} == {"public, max-age=31536000, immutable"}
    kinds = {name: first[name]["Content-Type"] for name in names}
    assert {kinds[name] for name in names if name.endswith(".json")} == {"application/json"}
    others = {kinds[name] for name in names if not name.endswith(".json")}
    assert others <= {"application/octet-stream", "application/zip"}, "SeaweedFS looks at the name where it is told so"


@pytest.mark.rule("PUBLIC-FETCH", "reject")
def test_a_public_place_that_gives_something_else_is_a_finding_and_is_looked_at_again(
    gated: Vendor, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.filled_by(gated, public_url=f"{shelf.public}-elsewhere")

    assert gated.run("release", "publish", "phone-1.0") == 3
    assert "PUBLIC-FETCH: phone-1.0" in capsys.readouterr().err
    assert gated.device_sees(fetcher=shelf.store) == "1.0", "published it is"

    shelf.taken_by(gated, public_url=shelf.public)
    gated.done("release", "publish", "phone-1.0")
    (_, public) = gated.record("phone-1.0").steps[-1].findings
    assert public.passed


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path, data in {"metadata/timestamp.json": b"now", "targets/payloads/phone/1/x": b"y" * 3_000_000}.items():
        (tmp_path / "tree" / path).parent.mkdir(parents=True)
        (tmp_path / "tree" / path).write_bytes(data)
    return tmp_path / "tree"


def digests(tree: Path) -> dict[str, str]:
    files = (path for path in tree.rglob("*") if path.is_file())
    return {str(path.relative_to(tree)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.rule("PUBLIC-FETCH", "accept")
def test_the_same_bytes_pass(tree: Path) -> None:
    with serving(FileServer(tree, "ranges")) as url:
        found = fetch_back(url, tree, digests(tree), 0, pause=lambda _: None)

    assert (found.rule, found.passed) == (RepositoryRule.PUBLIC_FETCH, True)


@pytest.mark.rule("PUBLIC-FETCH", "reject")
@pytest.mark.parametrize(
    "change", [b"y" * 2_999_999 + b"z", b"y" * 2_999_999, b"y" * 3_000_001], ids=["bit", "short", "long"]
)
def test_one_byte_that_differs_is_found(tree: Path, tmp_path: Path, change: bytes) -> None:
    expected = digests(tree)
    other = tmp_path / "other"
    tree.rename(other)
    tree.mkdir()
    for path in expected:
        (tree / path).parent.mkdir(parents=True)
        (tree / path).write_bytes((other / path).read_bytes())
    (other / "targets/payloads/phone/1/x").write_bytes(change)

    with serving(FileServer(other, "ranges")) as url:
        found = fetch_back(url, tree, expected, 0, pause=lambda _: None)

    assert not found.passed
    assert "targets/payloads/phone/1/x" in found.evidence


def test_an_old_timestamp_is_waited_for_as_long_as_a_cache_may_keep_it_and_no_longer(
    tree: Path, tmp_path: Path
) -> None:
    expected, waited = digests(tree), list[float]()
    served = tmp_path / "served"
    tree.rename(served)
    tree.mkdir()
    for path in expected:
        (tree / path).parent.mkdir(parents=True)
        (tree / path).write_bytes((served / path).read_bytes())
    (served / "metadata/timestamp.json").write_bytes(b"old")

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            (served / "metadata/timestamp.json").write_bytes(b"now")

    with serving(FileServer(served, "ranges")) as url:
        assert not fetch_back(url, tree, expected, 2, pause=lambda _: None).passed
        assert fetch_back(url, tree, expected, 5, pause).passed
    assert len(waited) == 3
