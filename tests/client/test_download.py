"""Payloads on their way to the disk: resumed after a cut, caught within a chunk, taken from any mirror."""

import hashlib
import subprocess
import sys
import threading
import time
from _thread import interrupt_main
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enigm_tuf.errors import NotFoundError, RefusedError, StateError, TransportError
from enigm_tuf.model.chunks import chunk_tree
from enigm_tuf.model.value import replace
from enigm_tuf.ports import Channel, Source
from enigm_tuf_client.download import Wanted, download
from enigm_tuf_client.pipeline import Pipeline

SIZE = 8192
DATA = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(5 * SIZE // 32)) + b"the last chunk"


class Mirror:
    """Serves ``payload`` and its chunk digests from memory, counts bytes, and may cut or lie."""

    def __init__(self, data: bytes = DATA, *, digests: bytes | None = b"", cut: int | None = None) -> None:
        self.data = data
        self.digests = _digests(DATA) if digests == b"" else digests
        self.cut = cut
        self.served = 0

    def channel(self) -> Channel:
        return Channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        if self.digests is None:
            raise NotFoundError(path)
        assert path == "payload.chunks"
        if len(self.digests) > max_bytes:
            raise TransportError("longer than allowed")
        return self.digests

    @contextmanager
    def open(self, path: str, start: int, stop: int) -> Iterator[Source]:
        assert path == "payload"
        yield _Served(self, start, stop)


class _Served:
    def __init__(self, mirror: Mirror, start: int, stop: int) -> None:
        self.mirror, self.at, self.stop = mirror, start, stop

    def readinto(self, buffer: memoryview, /) -> int:
        if self.mirror.cut is not None and self.mirror.served >= self.mirror.cut:
            raise TransportError("cut")
        piece = self.mirror.data[self.at : min(self.stop, self.at + min(len(buffer), 3000))]
        buffer[: len(piece)] = piece
        self.at += len(piece)
        self.mirror.served += len(piece)
        return len(piece)


def _digests(data: bytes, size: int = SIZE) -> bytes:
    ends = [*range(size, len(data), size), len(data)]
    return b"".join(hashlib.sha256(data[:end]).digest() for end in ends)


def wanted(data: bytes = DATA, size: int = SIZE) -> Wanted:
    chunks = chunk_tree(_digests(data, size), size)
    return Wanted("payload", len(data), {"sha256": hashlib.sha256(data).hexdigest()}, chunks)


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def changed(at: int) -> bytes:
    data = bytearray(DATA)
    data[at] ^= 1
    return bytes(data)


@pytest.mark.rule("CHUNK-HASH", "accept")
def test_the_payload_gets_its_name_and_nothing_is_left(tmp_path: Path) -> None:
    seen: list[int] = []
    digests = download([Mirror()], wanted(), tmp_path / "got", lambda done, _: seen.append(done))
    assert (tmp_path / "got").read_bytes() == DATA
    assert digests.length == len(DATA) == seen[-1]
    assert names(tmp_path) == ["got"]


@pytest.mark.rule("CHUNK-HASH", "reject")
@pytest.mark.parametrize("at", [0, SIZE - 1, SIZE, 3 * SIZE, len(DATA) - 1])
def test_a_wrong_byte_is_named_by_its_chunk(tmp_path: Path, at: int) -> None:
    with pytest.raises(RefusedError, match=f"chunk {at // SIZE} ") as caught:
        download([Mirror(changed(at))], wanted(), tmp_path / "got")
    assert caught.value.rule == "CHUNK-HASH"
    assert not (tmp_path / "got").exists()


def test_without_chunk_digests_the_whole_hash_decides_and_nothing_is_taken_up(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="TARGET-HASH"):
        download([Mirror(changed(5), digests=None)], wanted(), tmp_path / "got")
    assert names(tmp_path) == []
    assert download([Mirror(digests=None)], wanted(), tmp_path / "got").length == len(DATA)


@pytest.mark.parametrize("digests", [b"x" * 32 * 6, b"short", _digests(changed(1))])
def test_forged_chunk_digests_are_not_used(tmp_path: Path, digests: bytes) -> None:
    with pytest.raises(RefusedError, match="TARGET-HASH"):
        download([Mirror(changed(1), digests=digests)], wanted(), tmp_path / "got")
    download([Mirror(digests=digests)], wanted(), tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == DATA


@pytest.mark.rule("CHUNK-HASH", "reject")
def test_signed_digests_that_end_in_another_payload_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    digests = _digests(DATA)[:-1] + b"\0"
    contradiction = replace(wanted(), chunks=chunk_tree(digests, SIZE))
    with pytest.raises(RefusedError, match="last chunk digest") as caught:
        download([Mirror(digests=digests)], contradiction, tmp_path / "got")
    assert caught.value.rule == "CHUNK-HASH"
    assert not names(tmp_path)


def test_after_a_cut_only_what_is_missing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="cut"):
        download([Mirror(cut=2 * SIZE + 100)], wanted(), tmp_path / "got")
    again = Mirror()
    download([again], wanted(), tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == DATA
    assert again.served == len(DATA) - 2 * SIZE


@given(cut=st.integers(0, len(DATA)), damage=st.none() | st.integers(0, len(DATA) - 1))
@settings(max_examples=60, deadline=None)
def test_whatever_lies_on_the_disk_the_result_is_right(
    tmp_path_factory: pytest.TempPathFactory, cut: int, damage: int | None
) -> None:
    """A part of any length, with any byte of it turned, leads to the same payload."""
    folder = tmp_path_factory.mktemp("cut")
    part = bytearray(DATA[:cut])
    if damage is not None and damage < cut:
        part[damage] ^= 1
    (folder / "got.part").write_bytes(part)
    mirror = Mirror()
    download([mirror], wanted(), folder / "got")
    assert (folder / "got").read_bytes() == DATA
    good = cut if damage is None or damage >= cut else damage
    assert mirror.served == len(DATA) - (good if good == len(DATA) else good // SIZE * SIZE)


def test_the_next_mirror_goes_on_where_the_first_was_cut(tmp_path: Path) -> None:
    first, second = Mirror(cut=3 * SIZE), Mirror()
    download([first, second], wanted(), tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == DATA
    assert second.served == len(DATA) - 3 * SIZE


def test_the_next_mirror_goes_on_where_the_first_lied(tmp_path: Path) -> None:
    liar, honest = Mirror(changed(2 * SIZE)), Mirror()
    download([liar, honest], wanted(), tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == DATA
    assert honest.served == len(DATA) - 2 * SIZE


def test_chunks_that_are_no_pages_are_written_too(tmp_path: Path) -> None:
    size = 5000
    mirror = Mirror(digests=_digests(DATA, size), cut=12_000)
    with pytest.raises(TransportError):
        download([mirror], wanted(size=size), tmp_path / "got")
    download([Mirror(digests=mirror.digests)], wanted(size=size), tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == DATA


def test_a_full_disk_is_said_and_takes_no_space(tmp_path: Path) -> None:
    limit = 2**50  # more than any disk of a test machine
    with pytest.raises(StateError):
        download([Mirror(digests=None)], Wanted("payload", limit, {"sha256": "0" * 64}), tmp_path / "got")
    assert names(tmp_path) == []


def test_a_link_in_place_of_the_part_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "got.part").symlink_to(tmp_path / "precious")
    with pytest.raises(StateError):
        download([Mirror()], wanted(), tmp_path / "got")
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_hash_algorithm_that_is_unknown_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="hash algorithm"):
        download([Mirror()], Wanted("payload", len(DATA), {"md5": "0" * 32}), tmp_path / "got")
    assert not names(tmp_path)


def test_no_thread_stays_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    for mirror in (Mirror(), Mirror(cut=SIZE), Mirror(changed(0))):
        with suppress(TransportError, RefusedError):
            download([mirror], wanted(), tmp_path / "got")
    assert threading.active_count() == before


def test_an_interrupt_waits_for_the_threads_that_write() -> None:
    """CPython 3.11: an interrupted join() leaves the thread at work, on a file that is closed under it."""
    started, release, done = threading.Event(), threading.Event(), threading.Event()

    def takes_its_time(*_: object) -> None:
        started.set()
        assert release.wait(10)
        done.set()

    def interrupts() -> None:
        assert started.wait(10)
        for _ in range(3):
            interrupt_main()
            time.sleep(0.02)  # each is one of its own, whatever the main thread is doing
        threading.Timer(0.2, release.set).start()

    threading.Thread(target=interrupts).start()
    pipeline, source = Pipeline([takes_its_time]), _Served(Mirror(), 0, 100)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(source, 0, 100, lambda _: None)
    assert done.is_set()


def test_threads_that_did_start_end_when_the_next_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, real = iter([True, False]), threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if not next(starts):
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="new thread"):
        Pipeline([lambda *_: None] * 2).run(_Served(Mirror(), 0, 100), 0, 100, lambda _: None)
    assert threading.active_count() == before


HOLDS = """
import sys
from pathlib import Path
from enigm_tuf_client.part import PartFile
part = PartFile(Path(sys.argv[1]), 100_000)
part.buffer_from_now_on()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_place_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDS, tmp_path / "got"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout
    assert other.stdout.readline() == b"held\n"
    with pytest.raises(StateError, match="another process is fetching it"):
        download([Mirror()], wanted(), tmp_path / "got")
    assert names(tmp_path) == ["got.part"]
    other.communicate()
    assert download([Mirror()], wanted(), tmp_path / "got").length == len(DATA)
    assert (tmp_path / "got").read_bytes() == DATA
