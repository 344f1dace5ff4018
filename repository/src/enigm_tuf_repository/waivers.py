"""Which gates a record's signed waivers let pass: those that ask what a waived rule of the policy asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.request import Authority, read_response
from enigm_tuf.model.statement import read_envelope
from enigm_tuf.model.tuf import Root
from enigm_tuf.model.waiver import Waiver, is_waiver, read_waiver
from enigm_tuf.policy.rules.moment import TimeRule
from enigm_tuf.policy.rules.source import GateRule, SourceRule
from enigm_tuf.trust.build_evidence import BuildRule
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.rules import Rule
from enigm_tuf_repository.freezes import require_no_freeze
from enigm_tuf_repository.lineage import root_chain
from enigm_tuf_repository.records import ReleaseRecord, Step
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace

WAIVED_WITH: Mapping[Rule, Rule] = {
    BuildRule.PROVENANCE: SourceRule.SOURCE_BUILDER,
    BuildRule.REBUILD: SourceRule.SOURCE_REBUILD,
    BuildRule.TESTS: GateRule.GATE_TESTS,
    RepositoryRule.FREEZE_WINDOW: TimeRule.TIME_FREEZE,
}
"""Each gate that can be waived, and the rule of the policy that a waiver names; no other gate can be."""


def waived_gates(workspace: Workspace, record: ReleaseRecord, root: Root) -> Mapping[str, tuple[Waiver, ...]]:
    """By gate, the waivers in the answers of the authority that signs payloads.

    They were counted when the answers were attached, where every rule of the family WAIVER was asked again. Each is
    of a request of this record; whoever uses one looks at its ``expires``. ``root`` is the one that will be in force.
    """
    owner: Authority = "release" if view_root(root).extension.authority_model == "dual" else "manifest"
    folder, step = workspace.record(record.id), record.evidence(Step.POLICY)
    found: dict[str, dict[str, Waiver]] = {}
    for path in sorted(step.digests if step else {}):
        if not path.startswith("responses/"):
            continue
        response, envelopes = read_response((folder / path).read_bytes(), path)
        for name, data in envelopes.items() if response.authority == owner else ():
            payload = read_envelope(data, name).payload
            if is_waiver(payload, name):
                waiver = read_waiver(payload, name)
                found.setdefault(waiver.rule, {})[waiver.approver.operator] = waiver
    return {
        gate: tuple(found[rule][name] for name in sorted(found[rule]))
        for gate, rule in WAIVED_WITH.items()
        if rule in found
    }


def in_time(waivers: Sequence[Waiver], now: datetime) -> bool:
    """Whether there are any, and none of them has run out."""
    return bool(waivers) and all(item.valid_at(now) for item in waivers)


def is_waived(workspace: Workspace, record: ReleaseRecord, gate: str, now: datetime) -> bool:
    """Whether the waivers of a gate count at this moment, for who publishes what was gated some time ago."""
    roots = root_chain(workspace.staged(record.id), workspace.published)
    root = admit_chain(roots, workspace.configuration().environment, now).root.value
    return in_time(waived_gates(workspace, record, root).get(gate, ()), now)


def require_unfrozen(workspace: Workspace, record: ReleaseRecord, now: datetime) -> None:
    """RefusedError FREEZE-WINDOW in a freeze of repository.toml that nobody has waived for this record."""
    try:
        require_no_freeze(workspace.configuration().windows, record.asked_as, record.id, now)
    except RefusedError:
        if not is_waived(workspace, record, RepositoryRule.FREEZE_WINDOW, now):
            raise
