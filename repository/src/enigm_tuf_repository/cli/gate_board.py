"""How far the gates are, on one line that is written over; only where somebody looks."""

import sys
import threading
from dataclasses import dataclass, field

from enigm_tuf_repository.gates.gate import GateResult


@dataclass
class GateBoard:
    """Implements ``enigm_tuf_repository.gates.running.Watcher`` on standard error."""

    shown: bool = field(default_factory=lambda: sys.stderr.isatty())
    _busy: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def moved(self, rule: str, done: int, total: int) -> None:
        """A gate is at ``done`` of ``total``."""
        with self._lock:
            self._busy[rule] = done * 100 // total if total else 0
            self._write(f"{rule} {self._busy[rule]} %")

    def finished(self, result: GateResult, left: int) -> None:
        """A gate has its verdict; ``left`` are still running."""
        with self._lock:
            self._busy.pop(result.rule, None)
            self._write(f"{result.rule}: {result.verdict}, {left} to go" + ("" if left else "\n"))

    def _write(self, text: str) -> None:
        if self.shown:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
