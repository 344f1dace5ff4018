"""enigm-repo release gate: the release gates, side by side."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.errors import RefusedError
from enigm_tuf_repository.cli.gate_board import GateBoard
from enigm_tuf_repository.cli.options import add_record_argument, changing, record_data
from enigm_tuf_repository.findings import outcome_table, refusal_of
from enigm_tuf_repository.gates.gate import GateResult
from enigm_tuf_repository.gating import gate, outcome_of
from enigm_tuf_repository.records import ReleaseRecord, Step

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        record, results = gate(workspace, arguments.record, edges.now(), GateBoard())
    data = record_data(workspace, record) | {"gates": [_facts(result) for result in results]}
    return Outcome(data, _lines(record, results), _refusal(record, results))


def _lines(record: ReleaseRecord, results: Iterable[GateResult]) -> list[str]:
    if published := record.evidence(Step.PUBLISHED):
        gated = record.evidence(Step.GATED)
        said = f"{record.id} was published at {published.done:%F %T} UTC, after these gates; they did not run again"
        return [said, *outcome_table(gated.findings if gated else ())]
    rows = [(item.rule, item.verdict, f"{item.seconds:.1f} s", _summary(item)) for item in results]
    return table(("GATE", "VERDICT", "TOOK", "EVIDENCE"), rows)


def _summary(result: GateResult) -> str:
    """The evidence without the gate's own name in front, which stands beside it anyway."""
    return result.summary.removeprefix(f"{result.rule}: ")


def _facts(result: GateResult) -> dict[str, Any]:
    return {
        "gate": result.rule,
        "verdict": result.verdict,
        "milliseconds": round(result.seconds * 1000),
        "summary": result.summary,
        "facts": result.facts,
        "plugin": {"distribution": result.distribution, "version": result.version},
    }


def _refusal(record: ReleaseRecord, results: Iterable[GateResult]) -> RefusedError | None:
    failed = next((result for result in results if not result.passed), None)
    return refusal_of(outcome_of(failed), record.id, "the release gate to pass") if failed else None


COMMAND: "Command[Edges]" = Command(
    name="release gate",
    summary="Run every release gate on the verified tree. Each stands alone, and none can be switched off.",
    details="Each leaves an in-toto statement in the record's gates/. The gates: docs/reference/gates.md.",
    examples="enigm-repo release gate phone-2026.11.1",
    configure=add_record_argument,
    run=run,
)
