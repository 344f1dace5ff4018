"""The rows of the audit log: entries a second, a whole log verified, one proof.

The peer is the bare work underneath: SHA-256 of as many leaves and nodes, Ed25519 of as many checkpoints.
"""

import itertools
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.table import Goal, Row, absolute, seconds
from enigm_tuf.audit.log import AuditEntry, EntryType, write_entry
from enigm_tuf.audit.merkle import create_log, open_log, read_whole
from enigm_tuf.authorities.kept_history import EVERY, keep, remember
from enigm_tuf.authorities.log_facts import UNASKED, facts_of

_BATCH = 256
_MILLION = 1_000_000
_ALONE = 500
_CHECKPOINT = b"log.example/staging/release\n1000000\n" + b"A" * 44 + b"\n"
_DIGEST = "a" * 64
_NOW = datetime(2026, 11, 26, tzinfo=UTC)
Body = tuple[EntryType, dict[str, Any]]


class _Hourly:
    """An hour later each time: there is no day in which ten thousand signatures are made."""

    def __init__(self) -> None:
        self._time = _NOW

    def now(self) -> datetime:
        self._time += timedelta(hours=1)
        return self._time


def _signature() -> list[Body]:
    """The thirteen entries that one signature leaves, with sixty rules in each evaluation."""
    request = {"request_sha256": _DIGEST, "request_id": "release-2026.11.1"}
    rules = [
        {
            "rule": f"RULE-NUMBER-{number}",
            "passed": True,
            "waived": False,
            "evidence": "2 needed, from alice, bob, who are two people",
        }
        for number in range(60)
    ]
    payload = {"role": "phone.payload", "version": 7, "sha256": _DIGEST}
    needed = [{**payload, "quorums": [{"threshold": 2, "keys": [_DIGEST, "b" * 64, "c" * 64]}]}]
    came = {"sequence": 7, "authority": "release", "environment": "staging", "action": "release", "payloads": ["7"]}
    vote = {"decision": "APPROVE", "partition": "qa", "key": _DIGEST, "device": "1", "envelope_sha256": _DIGEST}
    token = {"home": "hsm", "manufacturer": "M", "model": "M", "serial": "1", "firmware": "1", "label": "payload-a"}
    judged: list[Body] = [
        (EntryType.POLICY_EVALUATED, {**request, "decided": _NOW, "passed": True, "rules": rules}),
        *((EntryType.APPROVAL_COUNTED, {**request, **vote, "operator": who}) for who in ("alice", "bob")),
    ]
    signed = {**request, "sequence": 7, **payload, "key": _DIGEST}
    return [
        (EntryType.REQUEST_RECEIVED, {**request, **came}),
        *judged,
        (EntryType.INVENTORY_CHECKED, {"version": 3, "sha256": _DIGEST, "serial": "1", "label": "payload-a"}),
        *judged,
        (EntryType.SESSION_OPEN, {**token, "key": _DIGEST, "custodian": "carol"}),
        (EntryType.SIGN_INTENT, {**signed, "payloads": needed}),
        (EntryType.SIGN_PERFORMED, {**signed, "keyid": _DIGEST, "signature": "ab" * 70, "decision_sha256": _DIGEST}),
        (EntryType.SESSION_CLOSE, {"key": _DIGEST}),
    ]


class AuditRows:
    """A log of ``size`` entries, written in batches with fsync after each, in ``folder``."""

    def __init__(self, folder: Path, size: int) -> None:
        self._path, self._size = folder / "bench-audit" / "log", size
        self._key, self._clock = Ed25519PrivateKey.generate(), _Hourly()

    def rows(self) -> list[Row]:
        """Times are for one entry, for a million entries, and for one proof."""
        self._path.parent.mkdir()
        create_log(self._path, "staging/release")
        try:
            batched, alone, proof = self._written()
            verified = _timed(lambda: read_whole(self._path, facts_of, UNASKED)) / self._size
            whole, short = self._remembered()
        finally:
            shutil.rmtree(self._path.parent)
        hashed, signed = self._hashed(), _timed(lambda: self._key.sign(_CHECKPOINT), 1_000)
        once = _timed(lambda: self._key.public_key().verify(self._key.sign(_CHECKPOINT), _CHECKPOINT))
        bare = "SHA-256 and Ed25519 alone"
        alike = [(hashed + once / self._size) * _MILLION]
        return [
            absolute(
                "an audit entry, batches of 256", bare, [batched], [hashed + signed / _BATCH], Goal(0.002), seconds
            ),
            absolute(
                "an audit entry with a checkpoint of its own", bare, [alone], [hashed + signed], Goal(0.05), seconds
            ),
            absolute("a million entries verified", bare, [verified * _MILLION], alike, Goal(60), seconds),
            absolute("one proof of inclusion", bare, [proof], [hashed + once], Goal(0.05), seconds),
            absolute("what a signature asks of the log", "reading all of it", [short], [whole], Goal(1), seconds),
        ]

    def _remembered(self) -> tuple[float, float]:
        """From the whole log, and where as many entries as can be came since what is remembered was kept."""
        home = self._path.parent
        with open_log(self._path, self._clock) as log:
            whole = _timed(lambda: remember(home, log))
            keep(home, log, remember(home, log))
            log.extend(itertools.islice(itertools.cycle(_signature()), EVERY - 1))
            return whole, _timed(lambda: remember(home, log))

    def _hashed(self) -> float:
        """A leaf and a node for each entry, of the lengths that they have."""
        leaves = [write_entry(AuditEntry(1, _NOW, kind, body)) for kind, body in _signature()]
        node = b"\1" + bytes(64)

        def hashes() -> None:
            for leaf in itertools.islice(itertools.cycle(leaves), self._size):
                sha256(b"\0" + leaf).digest()
                sha256(node).digest()

        return _timed(hashes) / self._size

    def _written(self) -> tuple[float, float, float]:
        bodies = itertools.islice(itertools.cycle(_signature()), self._size)
        with open_log(self._path, self._clock) as log:

            def in_batches() -> None:
                while batch := list(itertools.islice(bodies, _BATCH)):
                    log.extend(batch)

            batched = _timed(in_batches) / self._size
            proof = _timed(lambda: log.proof(self._size // 3 + 1, log.signed))
            alone = _timed(lambda: log.append(EntryType.SESSION_CLOSE, {"key": _DIGEST}), _ALONE)
            return batched, alone, proof


def _timed(work: Callable[[], object], times: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times
