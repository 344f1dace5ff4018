"""One contract for every kind of store that a tree is published to."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import obstore
import pytest

from enigm_testkit.buckets.kinds import kinds, running, store_of_kind
from enigm_testkit.buckets.servers import Bucket
from enigm_tuf.errors import ConflictError, EnigmTufError, NotFoundError, StateError, TransportError
from enigm_tuf_repository.durable import file_sha256
from enigm_tuf_repository.publication import PublicationStore, unseen
from enigm_tuf_repository.stores.objects import PART, ObjectStore

NewPublisher = Callable[[], PublicationStore]
RACERS = 8


@pytest.fixture(scope="module", params=["directory", *kinds("moto", "seaweedfs")])
def kind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Bucket | None]]:
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    with nullcontext() if name == "directory" else running(name, folder) as bucket:
        yield name, bucket


@pytest.fixture
def publisher(kind: tuple[str, Bucket | None], tmp_path: Path) -> NewPublisher:
    """Each call is another publisher of one new tree."""
    return store_of_kind(*kind, tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / f"source-{hashlib.sha256(data).hexdigest()[:8]}"
        path.write_bytes(data)
        return path

    return write


def create(store: PublicationStore, name: str, file: Path) -> None:
    store.create(name, file, file_sha256(file), unseen)


def test_a_created_file_never_changes(publisher: NewPublisher, source: Callable[[bytes], Path]) -> None:
    store = publisher()
    with store.session():
        create(store, "targets/file.json", source(b"one"))
        create(store, "targets/file.json", source(b"one"))
        with pytest.raises(ConflictError, match=r"targets/file.json: published already, with other bytes"):
            create(store, "targets/file.json", source(b"two"))

    assert store.fetch("targets/file.json", 3) == b"one"


def test_a_swap_needs_what_was_there(publisher: NewPublisher) -> None:
    store, name = publisher(), "metadata/timestamp.json"
    with store.session():
        store.replace(name, b"one", None)
        one = store.read(name)
        with pytest.raises(ConflictError, match="somebody else published first"):
            store.replace(name, b"two", None)
        store.replace(name, b"two", one)
        with pytest.raises(ConflictError, match="somebody else published first"):
            store.replace(name, b"three", one)
        store.replace(name, b"two", one)  # ours, once more: as after an answer that was lost

    found = store.read(name)
    assert found is not None
    assert found.data == b"two"


def test_a_file_of_many_parts_arrives_whole_and_is_never_overwritten(
    publisher: NewPublisher, source: Callable[[bytes], Path]
) -> None:
    store, data = publisher(), os.urandom(2 * PART + 12_345)
    sent: list[int] = []
    with store.session():
        file = source(data)
        store.create("targets/payloads/big", file, file_sha256(file), sent.append)
        create(store, "targets/payloads/big", file)
        with pytest.raises(ConflictError, match="targets/payloads/big"):
            create(store, "targets/payloads/big", source(data[:-1]))

    assert sum(sent) == len(data)
    buffer = memoryview(bytearray(len(data)))
    with store.open("targets/payloads/big", 5, len(data)) as answer:
        got = 0
        while count := answer.readinto(buffer[got:]):
            got += count
    assert bytes(buffer[:got]) == data[5:]


@pytest.mark.parametrize("size", [1_000, PART + 1])
def test_a_file_that_changed_since_it_was_verified_is_not_published(
    publisher: NewPublisher, source: Callable[[bytes], Path], size: int
) -> None:
    store, file = publisher(), source(b"x" * size)
    digest = file_sha256(file)
    file.write_bytes(b"x" * (size - 1) + b"y")

    with pytest.raises(StateError), store.session():
        store.create("targets/file", file, digest, unseen)

    assert store.read("targets/file") is None


def test_what_is_not_there_and_what_is_too_long_is_said(
    publisher: NewPublisher, source: Callable[[bytes], Path]
) -> None:
    store = publisher()
    with store.session():
        create(store, "targets/file", source(b"12345"))

    assert store.read("targets/none") is None
    with pytest.raises(NotFoundError):
        store.fetch("targets/none", 10)
    with pytest.raises(NotFoundError), store.open("targets/none", 0, 1):
        pass
    with pytest.raises(TransportError):
        store.fetch("targets/file", 4)


def race(publisher: NewPublisher, act: Callable[[PublicationStore, int], None]) -> list[EnigmTufError | None]:
    """RACERS publishers act at once; how each of them ended."""
    gate = threading.Barrier(RACERS)

    def run(number: int) -> EnigmTufError | None:
        store = publisher()
        try:
            gate.wait()
            with store.session():
                act(store, number)
        except EnigmTufError as error:
            return error
        return None

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(run, range(RACERS)))


def test_of_many_publishers_who_swap_at_once_one_wins_and_the_others_are_told(publisher: NewPublisher) -> None:
    name = "metadata/timestamp.json"
    first = publisher()
    with first.session():
        first.replace(name, b"before", None)
    before = first.read(name)

    ended = race(publisher, lambda store, number: store.replace(name, b"%d" % number, before))

    winners = [number for number, error in enumerate(ended) if error is None]
    assert len(winners) == 1, ended
    assert first.fetch(name, 10) == b"%d" % winners[0]
    assert all(isinstance(error, ConflictError) for error in ended if error), ended


def test_of_many_publishers_who_create_other_bytes_at_once_one_wins(
    publisher: NewPublisher, source: Callable[[bytes], Path]
) -> None:
    files = [source(b"%d" % number) for number in range(RACERS)]

    ended = race(publisher, lambda store, number: create(store, "metadata/2.snapshot.json", files[number]))

    winners = [number for number, error in enumerate(ended) if error is None]
    assert len(winners) == 1, ended
    assert publisher().fetch("metadata/2.snapshot.json", 10) == b"%d" % winners[0]
    assert all(isinstance(error, ConflictError) for error in ended if error), ended


@pytest.mark.parametrize("size", [10, PART + 1])
def test_a_cdn_is_told_what_it_may_keep(
    publisher: NewPublisher, source: Callable[[bytes], Path], size: int, kind: tuple[str, Bucket | None]
) -> None:
    store = publisher()
    if not isinstance(store, ObjectStore):
        return  # a web server's configuration says so for a directory
    with store.session():
        create(store, "targets/payloads/file", source(b"x" * size))
        store.replace("metadata/timestamp.json", b"now", None)

    kept, fresh = (
        obstore.get(store._backend, path).attributes for path in ("targets/payloads/file", "metadata/timestamp.json")
    )
    assert kept["Cache-Control"] == "public, max-age=31536000, immutable"
    assert kind[0] == "seaweedfs" or kept["Content-Type"] == "application/octet-stream", "it looks at the bytes itself"
    assert fresh == {"Cache-Control": "public, max-age=60", "Content-Type": "application/json"}
