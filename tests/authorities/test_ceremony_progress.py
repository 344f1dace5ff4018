"""A transcript is read against its script: whatever somebody wrote into it is followed or refused, never crashes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from enigm_tuf.authorities.ceremony.progress import Progress, follow
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.ceremony import read_script
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.transcript import START, TranscriptEntry, TranscriptType, read_entry, write_entry

SCRIPT = """
schema = 1
type = "rehearsal"
title = "Two steps"
authority = "release"
environment = "staging"
policy = {version = 1, sha256 = "POLICY"}
roles.custodian = {minimum = 1, excludes = ["witness"]}
roles.witness = {minimum = 1, excludes = []}
[tokens.root-a]
uri = "piv:serial=1"
serial = "1"
[[steps]]
id = "audit"
actor = "custodian"
witness = "witness"
action = "key audit"
arguments = ["--home", "{home}", "--token", "{tokens.root-a}"]
say = "I look"
expect = "nothing new"
on_failure = "retry 1"
[[steps]]
id = "end"
actor = "custodian"
witness = "witness"
action = "do"
arguments = []
say = "I leave"
expect = "gone"
on_failure = "abort"
""".replace("POLICY", "2" * 64)
OPENED = {
    "ceremony": "0a",
    "type": "rehearsal",
    "script_sha256": "1" * 64,
    "authority": "release",
    "environment": "staging",
    "policy": PolicyPin(1, "2" * 64),
    "rehearsal": False,
    "people": {"custodian": ("alice",), "witness": ("bob",)},
}


def opened(**changes: Any) -> tuple[str, dict[str, Any]]:
    return ("opened", OPENED | changes)


def begun(step: str = "audit", attempt: int = 1, **changes: Any) -> tuple[str, dict[str, Any]]:
    tokens = {"root-a": "1"} if step == "audit" else {}
    usual = {"actor": "alice", "witnesses": ("bob",), "tokens": tokens, "audit_entries": 3}
    return ("step.begun", {"step": step, "attempt": attempt, **usual, **changes})


def done(step: str = "audit", attempt: int = 1) -> tuple[str, dict[str, Any]]:
    said = {"how": "performed", "said": (), "said_sha256": "3" * 64, "out_sha256": None}
    return ("step.done", {"step": step, "attempt": attempt, **said})


def failed(step: str = "audit", attempt: int = 1, **changes: Any) -> tuple[str, dict[str, Any]]:
    return (
        "step.failed",
        {"step": step, "attempt": attempt, "performed": False, "error": "x", "next": "retry", **changes},
    )


def aborted(step: str = "audit", *, in_doubt: bool = False) -> tuple[str, dict[str, Any]]:
    return ("aborted", {"step": step, "in_doubt": in_doubt, "reason": "the token fell"})


def closed(outcome: str = "completed") -> tuple[str, dict[str, Any]]:
    return ("closed", {"outcome": outcome})


def played(*lines: tuple[str, dict[str, Any]]) -> Progress:
    """Each line as a file would give it; the chain between them is the file's matter."""
    entries = [
        read_entry(
            write_entry(TranscriptEntry(number, START, datetime(2026, 11, 26, tzinfo=UTC), TranscriptType(kind), body)),
            "t",
        )
        for number, (kind, body) in enumerate(lines, 1)
    ]
    return follow(read_script(SCRIPT.encode(), "script"), entries)


@pytest.mark.parametrize(
    "lines",
    [
        (opened(), begun(), done(), begun("end"), done("end"), closed()),
        (opened(), begun(), failed(), begun(attempt=2), done(attempt=2), begun("end"), done("end"), closed()),
        (opened(), begun(), failed(), begun(attempt=2), failed(attempt=2, next="abort"), closed("aborted")),
        (opened(), begun(), failed(next="resume"), begun(attempt=2), done(attempt=2)),
        (opened(), begun(), begun(attempt=2), done(attempt=2)),
        (opened(), failed(), begun(attempt=2), done(attempt=2)),
        (opened(), aborted(), closed("aborted")),
        (opened(), begun(), done(), aborted("end"), ("resumed", {"torn_bytes": 0}), closed("aborted")),
        (opened(), begun(), aborted(in_doubt=True), closed("aborted")),
        (opened(), begun(), failed(next="resume"), aborted(), closed("aborted")),
    ],
)
def test_what_the_script_allows_is_followed(lines: tuple[tuple[str, dict[str, Any]], ...]) -> None:
    assert played(*lines).opened is not None


@pytest.mark.parametrize(
    "lines",
    [
        (begun(),),
        (opened(), opened()),
        (opened(people={"custodian": ("alice",)}), begun()),
        (opened(), begun("end")),
        (opened(), begun(attempt=2)),
        (opened(), begun(actor="bob")),
        (opened(), begun(witnesses=("alice",))),
        (opened(), begun(tokens={"root-b": "1"})),
        (opened(), begun(tokens={"root-a": "2"})),
        (opened(), done()),
        (opened(), begun(), done(attempt=2)),
        (opened(), begun(), done("end")),
        (opened(), begun(), failed(next="abort")),
        (opened(), begun(), failed(), begun(attempt=2), failed(attempt=2, next="retry")),
        (opened(), begun(), done(), begun("end"), failed("end", next="resume")),
        (opened(), begun(), done(), begun("end"), failed("end", next="abort"), begun("end", attempt=2)),
        (opened(), begun(), done(), closed()),
        (aborted(),),
        (opened(), aborted("end")),
        (opened(), begun(), aborted()),
        (opened(), aborted(in_doubt=True)),
        (opened(), aborted(), aborted()),
        (opened(), aborted(), begun()),
        (opened(), aborted(), closed()),
        (opened(), begun(), aborted(in_doubt=True), done()),
        (opened(), begun(), aborted(in_doubt=True), failed(next="resume")),
        (opened(), begun(), failed(), begun(attempt=2), failed(attempt=2, next="abort"), aborted()),
        (opened(), begun(), done(), begun("end"), done("end"), aborted("end")),
        (opened(), begun(), done(), begun("end"), done("end"), closed(), aborted("end")),
        (opened(), closed("aborted")),
        (opened(), begun(), done(), begun("end"), done("end"), closed("aborted")),
        (opened(), begun(), done(), begun("end"), done("end"), closed(), begun("end")),
        (opened(), ("signed", {"operator": "alice", "envelope": "YQ=="})),
        (
            opened(),
            begun(),
            done(),
            begun("end"),
            done("end"),
            closed(),
            ("signed", {"operator": "rob", "envelope": "YQ=="}),
        ),
    ],
)
def test_what_it_does_not_is_refused(lines: tuple[tuple[str, dict[str, Any]], ...]) -> None:
    with pytest.raises(RefusedError, match="TRANSCRIPT-ORDER"):
        played(*lines)
