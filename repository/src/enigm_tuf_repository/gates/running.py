"""Running gates side by side. Whatever one of them does, the others run, and there is a verdict for each."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Protocol

from enigm_tuf.errors import EnigmTufError, RefusedError
from enigm_tuf.model.strict_json import encode, parse
from enigm_tuf.model.waiver import Waiver
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, GateResult, Verdict
from enigm_tuf_repository.gates.pinned import DISTRIBUTION
from enigm_tuf_repository.gates.plugins import Plugin, PluginSet, installed_gates
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.waivers import in_time, waived_gates

LONGEST_SUMMARY = 2_000  # characters; a record's line holds 4,096


class Watcher(Protocol):
    """Who is told how far the gates are. Called from several threads."""

    def moved(self, rule: str, done: int, total: int) -> None: ...
    def finished(self, result: GateResult, left: int) -> None: ...


class Silent:
    """Nobody watches."""

    def moved(self, rule: str, done: int, total: int) -> None:
        """Nothing."""

    def finished(self, result: GateResult, left: int) -> None:
        """Nothing."""


def run_gates(
    context: GateContext, found: PluginSet | None = None, watcher: Watcher | None = None
) -> tuple[GateResult, ...]:
    """GATE-SET first, then every gate, in the order of the pins. ``found`` is by default what is installed."""
    waived = waived_gates(context.workspace, context.record, context.root)
    found = found or installed_gates(context.workspace.configuration().required_gates)
    watcher = watcher or Silent()
    waiting = {str(plugin.gate.rule) for plugin in found.plugins}

    def run(plugin: Plugin) -> GateResult:
        result = _run(plugin, context, watcher.moved, waived.get(str(plugin.gate.rule), ()))
        waiting.discard(result.rule)
        watcher.finished(result, len(waiting))
        return result

    with ThreadPoolExecutor(max(1, len(found.plugins))) as pool:
        return (_gate_set(found), *pool.map(run, found.plugins))


def _gate_set(found: PluginSet) -> GateResult:
    """GATE-SET: every pinned gate is there, and no plug-in claims to be another one."""
    foreign = sum(plugin.distribution != DISTRIBUTION for plugin in found.plugins)
    summary = f"{len(found.plugins) - foreign} gates of {DISTRIBUTION}, {foreign} of others"
    return GateResult(
        rule=RepositoryRule.GATE_SET,
        verdict=Verdict.FAIL if found.trouble else Verdict.PASS,
        summary=one_line("; ".join(found.trouble)) if found.trouble else summary,
        facts={"gates": {str(plugin.gate.rule): plugin.distribution for plugin in found.plugins}},
        subjects=(),
        seconds=0.0,
        distribution=DISTRIBUTION,
        version=version(DISTRIBUTION),
    )


def _run(
    plugin: Plugin, context: GateContext, moved: Callable[[str, int, int], None], waivers: tuple[Waiver, ...]
) -> GateResult:
    rule, began = str(plugin.gate.rule), time.monotonic()
    try:
        verdict, evidence = _judge(plugin, context, moved)
    except EnigmTufError as error:
        verdict, evidence = _refused(rule, error, waivers, context)
    except BaseException as error:  # in a thread of its own: also SystemExit is the failure of this gate alone
        said = one_line(f"the gate itself failed, {type(error).__name__}: {error}")
        verdict, evidence = Verdict.FAIL, Evidence(said, {"crash": type(error).__name__})
    took = time.monotonic() - began
    origin = (plugin.distribution, plugin.version)
    return GateResult(rule, verdict, evidence.summary, evidence.facts, evidence.subjects, took, *origin)


def _judge(plugin: Plugin, context: GateContext, moved: Callable[[str, int, int], None]) -> tuple[Verdict, Evidence]:
    """What the gate says, in a form that can be kept."""
    rule = str(plugin.gate.rule)
    if why_not := plugin.gate.applies(context):
        return Verdict.NOT_APPLICABLE, Evidence(one_line(why_not))
    said = plugin.gate.run(context, lambda done, total: moved(rule, done, total))
    facts = parse(encode(dict(said.facts)), source=f"facts of {rule}")
    if strangers := set(said.subjects) - context.digests.keys():
        raise RefusedError(rule, "subjects", expected="files of the record", got=str(min(strangers)))
    return Verdict.PASS, Evidence(one_line(said.summary), facts, tuple(said.subjects))


def _refused(
    rule: str, error: EnigmTufError, waivers: tuple[Waiver, ...], context: GateContext
) -> tuple[Verdict, Evidence]:
    """Waived only where the gate's own demand is not met; what else goes wrong in it, nobody has waived."""
    own = isinstance(error, RefusedError) and error.rule == rule
    if not own or not in_time(waivers, context.now):
        return Verdict.FAIL, Evidence(one_line(str(error)), _refusal(error))
    who = ", ".join(f"{item.approver.operator} ({item.reason})" for item in waivers)
    said = f"{waivers[0].rule} of request {waivers[0].request_id}, by {who}: {error}"
    return Verdict.WAIVED, Evidence(one_line(said), _refusal(error))


def _refusal(error: EnigmTufError) -> dict[str, str]:
    if not isinstance(error, RefusedError):
        return {"error": type(error).__name__}
    return {"subject": error.subject, "expected": error.expected, "got": error.got}


def one_line(text: str) -> str:
    """Without control characters, and short enough for a record."""
    return "".join(char if char.isprintable() else " " for char in text)[:LONGEST_SUMMARY]
