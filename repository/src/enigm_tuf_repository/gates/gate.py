"""What a release gate is: the interface of the entry-point group ``enigm_tuf_repository.gates``.

A plug-in is an object with these members, under an entry point whose name is its ID. Whoever installs one adds a
refusal; nothing that is installed or configured takes one away (``pinned``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from enigm_tuf.trust.rules import Rule
from enigm_tuf_repository.gates.context import GateContext

GROUP = "enigm_tuf_repository.gates"

Progress: TypeAlias = Callable[[int, int], None]
"""How far a gate is: done and total, in whatever it counts. May be called from any thread, as often as it likes."""


class Verdict(StrEnum):
    """The value is the word in tables, statements and ``--json``."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    WAIVED = "waived"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate saw when it passed.

    ``summary`` is one line for people. ``facts`` are for machines: a JSON object without fractions. ``subjects`` are
    the files that were judged, by their path in the record; empty for the whole staged tree.
    """

    summary: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()


class Gate(Protocol):
    """One gate. Gates run side by side in threads, and none of them changes anything."""

    @property
    def rule(self) -> Rule:
        """Its ID, and in one line what it demands."""

    @property
    def proves(self) -> str:
        """What is known of a release that passed. For docs/reference/gates.md."""

    @property
    def does_not_prove(self) -> str:
        """What somebody might think is proved by it, and is not."""

    def applies(self, context: GateContext) -> str:
        """Empty if the gate has something to say of this release; else why it has not, in one line."""

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """Evidence, or an error of ``enigm_tuf.errors``: RefusedError with its own ID where the demand is not met."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate said, and which software said it. ``seconds`` is how long it took."""

    rule: str
    verdict: Verdict
    summary: str
    facts: Mapping[str, Any]
    subjects: tuple[str, ...]
    seconds: float
    distribution: str
    version: str

    @property
    def passed(self) -> bool:
        """Nothing here speaks against the release, or it is waived."""
        return self.verdict is not Verdict.FAIL
