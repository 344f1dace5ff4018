"""What an authority remembers costs no more when its log grows, and nothing but the log is believed about it."""

import json
import random
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.audit_logs import entries_of, forge, log_state, restore
from enigm_testkit.house import House
from enigm_testkit.recovery import leave_intent
from enigm_testkit.samples import sample_entry
from enigm_tuf.audit.files import LogFiles
from enigm_tuf.audit.log import AuditEntry, EntryType, read_entry, write_entry
from enigm_tuf.audit.merkle import MerkleLog, open_log, read_log
from enigm_tuf.audit.tiles import Tile, edge_tiles
from enigm_tuf.authorities import kept_history
from enigm_tuf.authorities.history import History, Memory, history_of
from enigm_tuf.authorities.home import Home, open_home
from enigm_tuf.authorities.kept_history import anchor_of, keep, read_memory, remember, write_memory
from enigm_tuf.authorities.log_facts import UNASKED, facts_of
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.finding import INTENT_FIELDS, OUTCOMES
from enigm_tuf.model.strict_json import sha256

Body = tuple[EntryType, dict[str, Any]]
SESSION = (EntryType.SESSION_CLOSE, {"key": "0" * 64})


def digest_of(number: int) -> str:
    return f"{number:064x}"


def judged(request: dict[str, Any], *people: str) -> list[Body]:
    """A decision under these people's approvals."""
    rules = ({"rule": "R", "passed": True, "evidence": "", "waived": False},)
    vote = {"decision": "APPROVE", "partition": "qa", "key": digest_of(0), "envelope_sha256": digest_of(0)}
    decided = {"decided": datetime(2026, 11, 26, tzinfo=UTC), "passed": True, "rules": rules}
    counted = [(EntryType.APPROVAL_COUNTED, request | vote | {"operator": who, "device": who}) for who in people]
    return [(EntryType.POLICY_EVALUATED, request | decided), *counted]


def signing(number: int, keys: int = 2, result: str = "performed", *, votes: bool = False) -> list[Body]:
    """What request ``number`` leaves that needs two keys, signed with ``keys`` of them; ``votes``: judged before."""
    payload = {"role": "phone.payload", "version": number, "sha256": digest_of(number)}
    needed = [{**payload, "quorums": [{"threshold": 2, "keys": [digest_of(1), digest_of(2)]}]}]
    request = {"request_sha256": digest_of(number), "request_id": f"release-{number}"}
    token = {"home": "hsm", "manufacturer": "M", "model": "M", "serial": "1", "firmware": "1", "label": "l"}
    made: list[Body] = []
    for key in range(1, keys + 1):
        made += judged(request, f"person-{key}", f"person-{number}") if votes else []
        body = {**request, "sequence": number, **payload, "key": digest_of(key)}
        made.append((EntryType.SESSION_OPEN, {**token, "key": digest_of(key), "custodian": "carol"}))
        made.append((EntryType.SIGN_INTENT, {**body, "payloads": needed}))
        if result == "performed":
            signed = {"keyid": digest_of(key), "signature": f"{number:04x}", "decision_sha256": digest_of(0)}
            made.append((EntryType.SIGN_PERFORMED, body | signed))
        elif result == "refused":
            made.append((EntryType.SIGN_REFUSED, {**request, "role": "phone.payload", "rule": "R", "reason": "r"}))
    return made


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep after ten entries, so that logs are small."""
    monkeypatch.setattr(kept_history, "EVERY", 10)


@pytest.fixture
def home(house: House) -> Home:
    """The release authority's, after 25 requests in 150 entries; nothing is kept yet."""
    home = open_home(house.home("release"))
    with open_log(home.log, house.clock) as log:
        log.extend(body for number in range(1, 26) for body in signing(number))
    return home


def kept(house: House, home: Home) -> Path:
    """A history is kept now, and one more request was signed since."""
    with open_log(home.log, house.clock) as log:
        keep(home.path, log, remember(home.path, log))
        log.extend(signing(26))
    return home.path / "history.json"


def remembered(house: House, home: Home) -> History:
    with open_log(home.log, house.clock) as log:
        return remember(home.path, log).history()


@contextmanager
def bundles_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[int]]:
    """The numbers of the bundles that are read."""
    tile_of, seen = LogFiles.tile, set[int]()

    def counted(self: LogFiles, tile: Tile) -> bytes:
        seen.update({tile.index} if tile.level == -1 else set())
        return tile_of(self, tile)

    monkeypatch.setattr(LogFiles, "tile", counted)
    yield seen
    monkeypatch.setattr(LogFiles, "tile", tile_of)


def reads(house: House, home: Home, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Which bundles are read to remember."""
    with open_log(home.log, house.clock) as log, bundles_read(monkeypatch) as seen:
        remember(home.path, log)
    return seen


@pytest.mark.rule("LOG-HISTORY", "accept")
def test_what_is_kept_is_what_the_whole_log_says(house: House, home: Home) -> None:
    kept(house, home)
    assert remembered(house, home) == history_of(read_log(home.log))
    assert remembered(house, home).ledger().last_sequence == 26
    assert house.sign("audit", "verify", "--home", home.path) == 0


def test_the_cost_does_not_grow_with_the_log(house: House, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_log(home.log, house.clock) as log:
        log.extend(SESSION for _ in range(3_000))
        whole = log.head().entries // 256
    assert len(reads(house, home, monkeypatch)) == whole + 1
    kept(house, home)
    assert reads(house, home, monkeypatch) <= {whole, whole + 1}


def test_a_real_signature_keeps_it_and_the_next_one_goes_by_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two custodians sign the first root: the second one's machine reads what the first one's kept, and no more."""
    home = open_home(house.home("release"))
    with open_log(home.log, house.clock) as log:
        log.extend(SESSION for _ in range(3_000))
    request = house.request("root-1")
    votes = house.votes(request)
    with bundles_read(monkeypatch) as first:
        assert house.signs(request, "root-a", votes) == 0
    with bundles_read(monkeypatch) as second:
        assert house.signs(request, "root-b", votes) == 0
    assert (min(first), min(second)) == (0, 11)
    entries = read_log(home.log)
    anchors = [entry for entry in entries if entry.type == EntryType.HISTORY_KEPT]
    assert anchors
    assert sha256((home.path / "history.json").read_bytes()) == anchors[-1].body["sha256"]
    assert remembered(house, home) == history_of(entries)
    assert house.sign("audit", "verify", "--home", home.path) == 0
    house.publish("root-1", house.response(request, "root-a"), house.response(request, "root-b"))
    house.response(request, "root-a").unlink()
    assert house.signs(request, "root-a", votes) == 3, "it is done"


# --- a file that was changed, or is another's, is not believed ---


def edited(path: Path) -> None:
    """As if nothing had ever been signed."""
    value = json.loads(path.read_bytes()) | {"last_sequence": 0, "requests": [], "heads": [], "signatures": []}
    path.write_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def of_fewer_entries(path: Path) -> None:
    """Whole, and from this very log, but no entry names it."""
    value = json.loads(path.read_bytes())
    path.write_bytes(json.dumps(value | {"entries": 40}, sort_keys=True, separators=(",", ":")).encode())


def removed(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [edited, torn, emptied, of_fewer_entries, removed])
def test_a_file_that_the_log_does_not_name_is_not_believed(
    house: House, home: Home, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(kept(house, home))
    assert remembered(house, home) == history_of(read_log(home.log))
    assert reads(house, home, monkeypatch) == {0}


def test_the_history_of_another_log_is_not_believed(house: House, home: Home) -> None:
    """The manifest authority's, kept after as many entries, in which nothing was signed."""
    other = open_home(house.home("manifest"))
    with open_log(home.log, house.clock) as log, open_log(other.log, house.clock) as theirs:
        theirs.extend(SESSION for _ in range(log.head().entries - theirs.head().entries))
        keep(other.path, theirs, remember(other.path, theirs))
    path = kept(house, home)
    path.write_bytes((other.path / "history.json").read_bytes())
    assert remembered(house, home) == history_of(read_log(home.log))


@pytest.mark.parametrize("cut", [2, 7, 60])
def test_a_log_that_was_put_back_behind_it_is_refused(house: House, home: Home, cut: int) -> None:
    """Entry and all are gone, by somebody who has the log's key, so that requests could be signed again."""
    before = log_state(home.log)
    kept(house, home)
    restore(home.log, before)
    forge(home.log, lambda lines: lines[: len(lines) + 1 - cut])
    with pytest.raises(RefusedError, match="LOG-CONSISTENT"):
        remembered(house, home)


@pytest.mark.rule("LOG-CONSISTENT", "reject")
@pytest.mark.parametrize("again", [0, 1, 2])
def test_a_log_that_was_put_back_behind_a_witness_is_refused(house: House, home: Home, again: int) -> None:
    """Also where it grew again, to the same number of entries and beyond."""
    before = log_state(home.log)
    with open_log(home.log, house.clock) as log:
        log.append(*SESSION)
        log.keep_cosigned(log.signed)
    restore(home.log, before)
    with open_log(home.log, house.clock) as log:
        for body in signing(77)[:again]:
            log.append(*body)
    with pytest.raises(RefusedError, match=r"LOG-CONSISTENT: .*cosigned\.checkpoint"):
        remembered(house, home)


@pytest.mark.rule("LOG-CONSISTENT", "accept")
def test_a_log_that_has_grown_since_a_witness_saw_it_is_read(house: House, home: Home) -> None:
    with open_log(home.log, house.clock) as log:
        log.keep_cosigned(log.signed)
        log.append(*SESSION)
    assert remembered(house, home) == history_of(read_log(home.log))


def test_a_log_that_was_put_back_and_grew_again_is_read_whole(house: House, home: Home) -> None:
    before = log_state(home.log)
    kept(house, home)
    restore(home.log, before)
    with open_log(home.log, house.clock) as log:
        log.extend(signing(77))
    assert remembered(house, home) == history_of(read_log(home.log))
    assert remembered(house, home).ledger().last_sequence == 77


def test_home_and_log_put_back_together_know_what_they_knew(house: House, home: Home) -> None:
    """As before there was such a file: only a checkpoint that is kept elsewhere finds it."""
    kept(house, home)
    before, file = log_state(home.log), (home.path / "history.json").read_bytes()
    with open_log(home.log, house.clock) as log:
        log.extend(signing(27))
        keep(home.path, log, remember(home.path, log))
    restore(home.log, before)
    (home.path / "history.json").write_bytes(file)
    assert remembered(house, home) == history_of(read_log(home.log))


@pytest.mark.parametrize("level", [-1, 1])
def test_a_changed_tile_or_bundle_at_the_end_is_refused(house: House, home: Home, level: int) -> None:
    kept(house, home)
    with open_log(home.log, house.clock) as log:
        log.extend(SESSION for _ in range(500))
        keep(home.path, log, remember(home.path, log))
        (tile,) = (tile for tile in edge_tiles(log.head().entries) if tile.level == level)
        place = home.log / tile.path
        data = place.read_bytes()
        place.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
        with pytest.raises(RefusedError, match="LOG-TREE"):
            remember(home.path, log)


@pytest.mark.rule("LOG-HISTORY", "reject")
@pytest.mark.parametrize("lie", ["last_sequence", "intent"])
def test_a_lie_with_the_logs_key_stays_in_the_log_and_is_found(
    house: House, home: Home, lie: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else differs from what is accepted: the file says otherwise, and the entry names that file."""
    if lie == "intent":
        leave_intent(house)
    with open_log(home.log, house.clock) as log:
        memory = remember(home.path, log)
        truth = anchor_of(memory)
        value = json.loads(write_memory(memory))
        if lie == "intent":
            del value["intent"]
        else:
            value["last_sequence"] -= 1
        data = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
        (home.path / "history.json").write_bytes(data)
        log.append(EntryType.HISTORY_KEPT, truth | {"sha256": sha256(data)})
        log.extend(signing(40))
    capsys.readouterr()
    assert house.sign("audit", "verify", "--home", home.path) == 3
    assert "error: LOG-HISTORY" in capsys.readouterr().err


def test_the_next_signature_after_a_crash_before_the_entry_is_not_refused(house: House, home: Home) -> None:
    with open_log(home.log, house.clock) as log:
        (home.path / "history.json").write_bytes(write_memory(remember(home.path, log)))
    assert remembered(house, home) == history_of(read_log(home.log))


def test_an_older_one_that_the_log_names_too_is_only_older(house: House, home: Home) -> None:
    old = kept(house, home).read_bytes()
    with open_log(home.log, house.clock) as log:
        log.extend(signing(27) + signing(28))
        keep(home.path, log, remember(home.path, log))
    (home.path / "history.json").write_bytes(old)
    assert remembered(house, home) == history_of(read_log(home.log))


@pytest.mark.parametrize("died", ["before its entry", "before the file"])
def test_a_crash_while_it_is_kept_costs_one_long_reading(house: House, home: Home, died: str) -> None:
    first = kept(house, home).read_bytes()
    with open_log(home.log, house.clock) as log:
        log.extend(signing(27) + signing(28))
        memory = remember(home.path, log)
        if died == "before its entry":
            (home.path / "history.json").write_bytes(write_memory(memory))
        log.extend(signing(29))
    assert remembered(house, home) == history_of(read_log(home.log))
    assert (first == (home.path / "history.json").read_bytes()) == (died == "before the file")
    with open_log(home.log, house.clock) as log:
        keep(home.path, log, remember(home.path, log))
    assert remembered(house, home) == history_of(read_log(home.log))
    assert house.sign("audit", "verify", "--home", home.path) == 0


# --- it is the same memory ---


def recovered(intent: AuditEntry, outcome: str) -> Body:
    said = {name: intent.body[name] for name in INTENT_FIELDS} | {"intent": intent.sequence, "outcome": outcome}
    found = {"reason": "r", "finding_sha256": digest_of(0), "operators": ("alice",), "votes": (digest_of(0),)}
    return EntryType.SIGN_RECOVERED, said | found


def any_log(seed: int) -> Iterator[AuditEntry]:
    """Requests that get one signature, two, a refusal, none; ceremonies, policies, restores, registries between."""
    dice, now, number = random.Random(seed), datetime(2026, 11, 26, tzinfo=UTC), 0  # no secret
    open_intent: AuditEntry | None = None
    ceremony = {"type": "backup", "script_sha256": "a" * 64, "transcript_sha256": "b" * 64, "rehearsal": False}
    closed = {"outcome": "completed", "entries": 1, "deviations": 0, "people": ("alice",)}
    versioned = {"version": 1, "sha256": "a" * 64, "operators": ("alice", "bob")}
    wrapped = {"blob_sha256": "a" * 64, "wrapping_key": "ab", "serial": "1", "inventory": "c" * 64}
    for step in range(1, 60):
        dice_says = dice.randrange(9)
        bodies: list[Body] = {
            0: signing(step, 1, votes=True),
            1: signing(max(1, step - dice.randrange(3)), 2, votes=True),
            2: signing(step, 1, "refused", votes=True),
            3: signing(step, 1, "lost", votes=True),
            4: [(EntryType.CEREMONY_OPENED, ceremony | {"ceremony": f"{step % 4:02x}"})],
            5: [(EntryType.CEREMONY_CLOSED, ceremony | closed | {"ceremony": f"{step % 4:02x}"})],
            6: [(EntryType.POLICY_ADOPTED, versioned | {"sha256": digest_of(step)})],
            7: [(EntryType.OPERATORS_CHANGED, versioned), (EntryType.INVENTORY_CHANGED, versioned)],
            8: [
                (
                    EntryType.RESTORE_PROVED,
                    wrapped | {"key": digest_of(step % 3), "witness": "w", "nonce": "ab", "signature": "ab"},
                )
            ],
        }[dice_says]
        if open_intent and dice_says < 4:
            bodies.insert(0, recovered(open_intent, dice.choice(OUTCOMES)))
            open_intent = None
        for kind, body in bodies:
            number += 1
            now += timedelta(minutes=dice.randrange(200))
            entry = read_entry(write_entry(AuditEntry(number, now, kind, body)), number, "log")
            open_intent = entry if kind == EntryType.SIGN_INTENT and dice_says == 3 else open_intent
            yield entry


@pytest.mark.parametrize("seed", range(20))
def test_what_was_written_and_read_goes_on_as_if_it_had_not_been(seed: int) -> None:
    whole, resumed = Memory(), Memory()
    for entry in any_log(seed):
        whole.see(entry)
        resumed.see(entry)
        resumed = read_memory(write_memory(resumed), "history")
        assert resumed.history() == whole.history()
        assert write_memory(resumed) == write_memory(whole)


def between(entries: Iterable[AuditEntry], kinds: Collection[EntryType]) -> Iterator[AuditEntry]:
    """After each entry one of each of these types."""
    number = 0
    for entry in entries:
        for item in (entry, *(replace(entry, type=kind, body=sample_entry(kind)["body"]) for kind in kinds)):
            number += 1
            yield replace(item, sequence=number, body=_moved(item.body, len(kinds)))


def _moved(body: dict[str, Any], others: int) -> dict[str, Any]:
    """What names another entry names it by its new number."""
    return body | {"intent": (body["intent"] - 1) * (others + 1) + 1} if "intent" in body else body


@pytest.mark.parametrize("seed", range(5))
def test_verifying_asks_nothing_of_the_bodies_that_it_does_without(seed: int) -> None:
    entries = list(between(any_log(seed), UNASKED))
    assert {entry.type for entry in entries} > UNASKED
    bare = [replace(entry, body={}) if entry.type in UNASKED else entry for entry in entries]
    assert facts_of(bare) == facts_of(entries)


def naive(entries: list[AuditEntry]) -> tuple[int, dict[str, str], set[str]]:
    """Heads, last sequence and digests of what is done, as they were found before anything was forgotten."""
    made: dict[str, set[str]] = {}
    begun: dict[str, dict[str, Any]] = {}
    for entry in entries:
        digest = entry.body.get("request_sha256", "")
        if entry.type == EntryType.SIGN_INTENT:
            begun.setdefault(digest, entry.body)
        if entry.type == EntryType.SIGN_PERFORMED:
            made.setdefault(digest, set()).add(entry.body["key"])
    done = sorted((body["sequence"], digest) for digest, body in begun.items() if len(made.get(digest, ())) == 2)
    heads = {begun[digest]["role"]: begun[digest]["sha256"] for _, digest in done}
    return (done[-1][0] if done else 0), heads, {digest for _, digest in done}


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_forgotten_that_a_rule_asks_for(seed: int) -> None:
    """Every request that is done is refused as a replay: by its digest, or by its number."""
    entries = list(any_log(seed))
    last, heads, done = naive(entries)
    ledger = history_of(entries).ledger()
    assert (ledger.last_sequence, {role: head.sha256 for role, head in ledger.heads.items()}) == (last, heads)
    numbers = {entry.body["request_sha256"]: entry.body["sequence"] for entry in entries if "sequence" in entry.body}
    for digest in done:
        assert digest in ledger.signed or numbers[digest] <= ledger.last_sequence


def test_of_more_than_may_be_listed_nothing_is_kept(house: House, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_log(home.log, house.clock) as log:
        memory = remember(home.path, log)
        monkeypatch.setattr(kept_history, "_BYTES", 100)
        keep(home.path, log, memory)
        assert log.head().entries == memory.entries
    assert not (home.path / "history.json").exists()
    assert isinstance(log, MerkleLog)
    assert len(entries_of(home.log)) == memory.entries
