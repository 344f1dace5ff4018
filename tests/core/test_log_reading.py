"""A whole log is read twice: compared, then parsed; and every entry has one encoding, whatever its type."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.audit_logs import entries_of, forge
from enigm_testkit.samples import sample_entry
from enigm_tuf.audit import parsing
from enigm_tuf.audit.files import LogFiles
from enigm_tuf.audit.log import AuditEntry, EntryType, entry_shape, read_entry
from enigm_tuf.audit.merkle import create_log, open_log, read_log, read_whole
from enigm_tuf.audit.tiles import Tile, all_tiles, pack_bundle
from enigm_tuf.errors import MalformedError, RefusedError, StateError
from enigm_tuf.model.strict_json import encode


class Standing:
    def now(self) -> datetime:
        return datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 66,000 entries has tiles of three levels."""
    path = tmp_path_factory.mktemp("log") / "audit.log"
    create_log(path, "staging/release")
    with open_log(path, Standing()) as log:
        log.extend((EntryType.ROOT_TRUSTED, {"version": number, "sha256": "a" * 64}) for number in range(1, 66_001))
    return path


def test_every_tile_is_compared(written: Path) -> None:
    """One bit in any hash of any level, whether the root needs that tile or not."""
    levels = {tile.level: tile for tile in all_tiles(66_000)}
    assert set(levels) == {-1, 0, 1, 2}
    for tile in (*levels.values(), Tile(0, 7), Tile(1, 0)):
        place = written / tile.path
        data = place.read_bytes()
        place.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(RefusedError, match="LOG-TREE"):
            read_whole(written, lambda entries: sum(1 for _ in entries))
        place.write_bytes(data)
    assert read_whole(written, lambda entries: sum(1 for _ in entries))[1] == 66_000


def test_a_bundle_that_is_exchanged_after_it_was_compared_is_refused(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries of the right form and number, in the right order of time: only the hash tells."""
    tile_of, seen = LogFiles.tile, set[Tile]()
    lines = [line.replace(b"a" * 64, b"b" * 64) for line in entries_of(written)[:256]]

    def exchanged(self: LogFiles, tile: Tile) -> bytes:
        again, first = tile in seen, tile == Tile(-1, 0)
        seen.add(tile)
        return pack_bundle(lines) if first and again else tile_of(self, tile)

    monkeypatch.setattr(LogFiles, "tile", exchanged)
    with pytest.raises(RefusedError, match="LOG-TREE"):
        read_log(written)


def listed(entries: Iterator[AuditEntry]) -> list[AuditEntry]:
    return list(entries)


NEVER = frozenset({EntryType.SESSION_CLOSE})


def test_several_processes_read_what_one_reads(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    alone = read_log(written)
    assert read_whole(written, listed, NEVER)[1] == alone
    bare = read_whole(written, listed, {EntryType.ROOT_TRUSTED})[1]
    assert [replace(entry, body={}) for entry in alone] == bare


@pytest.mark.parametrize(
    ("number", "old", "new", "rule"),
    [
        (40_000, b'"type":"root.trusted"', b'"type":"root.trustee"', "LOG-FORM"),
        (16_385, b"2026-11-26T12:00:00Z", b"2026-11-26T11:59:59Z", "LOG-TIME"),
        (65_999, b'"schema":1', b'"schema":2', "LOG-FORM"),
    ],
)
def test_what_one_process_refuses_is_refused_by_its_rule(
    written: Path, number: int, old: bytes, new: bytes, rule: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Written anew with the log's key; the second case is wrong only beside the part of another process."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    log = tmp_path / "audit.log"
    shutil.copytree(written, log)
    shutil.copy(written.with_name("log.key"), tmp_path / "log.key")
    forge(log, lambda lines: [*lines[: number - 1], lines[number - 1].replace(old, new), *lines[number:]])
    with pytest.raises(RefusedError, match=f"{rule}.*entry {number}"):
        read_whole(log, listed, NEVER)


def test_a_process_that_dies_is_told(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(parsing, "_checked", _dies)
    with pytest.raises(StateError, match="a process that read it was ended"):
        read_whole(written, listed, NEVER)


def _dies(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("value", [sample_entry(kind) for kind in EntryType], ids=lambda value: value["type"])
def test_an_entry_has_one_encoding(value: dict[str, Any]) -> None:
    """What is read is written as the very same value: that two texts could stand for one entry, a shape would have to
    take null for a field that is absent, or a number or a time in two forms.
    """
    entry = read_entry(encode(value), 1, "log") if value["sequence"] == 1 else None
    assert entry is not None
    assert type(entry.type) is EntryType
    assert entry_shape(entry.type).write(entry) == value
    spaced = json.dumps(value, sort_keys=True).encode()
    backwards = json.dumps(dict(reversed(value.items())), separators=(",", ":")).encode()
    twice = encode(value)[:-1] + b',"type":"' + value["type"].encode() + b'"}'
    again = encode(value).replace(b'"schema":1', b'"schema":1,"schema":1')
    fraction = encode(value).replace(b'"sequence":1', b'"sequence":1.0')
    for other in (spaced, backwards, twice, again, fraction, encode(value) + b"\n"):
        with pytest.raises(RefusedError, match="LOG-FORM"):
            read_entry(other, 1, "log")
    for name in (*value["body"], "twice"):
        with pytest.raises(RefusedError, match="LOG-FORM"):
            read_entry(encode(value | {"body": value["body"] | {name: None}}), 1, "log")


def test_an_entry_of_no_known_type_is_refused() -> None:
    for kind in ("root.forgotten", None, ["root.trusted"], 1):
        with pytest.raises(MalformedError, match=r"must be one of authority\.created"):
            entry_shape(kind)


def test_the_proof_of_one_entry_reads_only_its_own_tiles(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bundle, one tile of each level on its path, and the partial ones at the right edge."""
    with open_log(written, Standing()) as log:
        tile_of, read = LogFiles.tile, list[Tile]()

        def counted(self: LogFiles, tile: Tile) -> bytes:
            read.append(tile)
            return tile_of(self, tile)

        monkeypatch.setattr(LogFiles, "tile", counted)
        log.proof(20_000, log.signed)
    own = {Tile(-1, 78), Tile(0, 78), Tile(1, 0)}
    assert own <= set(read)
    assert set(read) - own <= {tile for tile in all_tiles(66_000) if tile.width < 256}
    assert len(read) == len(set(read))
