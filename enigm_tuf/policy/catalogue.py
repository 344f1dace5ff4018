"""What there is to know of each rule beside its verdict: its family, the fields of the policy that it reads, its page.

Held to the rules themselves by tests: the fields are those that a rule is seen to read, the pages are its docstring.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from enigm_tuf.model.policy import POLICY, Policy
from enigm_tuf.policy.engine import CATALOGUE
from enigm_tuf.policy.question import Question
from enigm_tuf.policy.rules.artifact import ArtifactRule
from enigm_tuf.policy.rules.backup import BackupRule
from enigm_tuf.policy.rules.custody import CustodyRule
from enigm_tuf.policy.rules.hardware import HardwareRule
from enigm_tuf.policy.rules.meta import MetaRule, kind_of
from enigm_tuf.policy.rules.moment import CeremonyDemandRule, RateRule, TimeRule
from enigm_tuf.policy.rules.quorum import QuorumRule
from enigm_tuf.policy.rules.request import RequestRule
from enigm_tuf.policy.rules.retirement import RetirementRule
from enigm_tuf.policy.rules.rollout import RolloutRule
from enigm_tuf.policy.rules.root import RootRule
from enigm_tuf.policy.rules.source import GateRule, SourceRule
from enigm_tuf.policy.rules.transition_rule import TransitionRule
from enigm_tuf.policy.rules.waiver import WaiverRule
from enigm_tuf.trust.rules import Rule

FAMILIES: dict[type[Rule], str] = {
    RequestRule: "REQUEST",
    QuorumRule: "QUORUM",
    CustodyRule: "KEY",
    BackupRule: "KEY",
    MetaRule: "META",
    RootRule: "TRANSITION",
    TransitionRule: "TRANSITION",
    ArtifactRule: "ARTIFACT",
    HardwareRule: "KEY",
    TimeRule: "TIME",
    RateRule: "RATE",
    CeremonyDemandRule: "CEREMONY",
    SourceRule: "SOURCE",
    GateRule: "GATE",
    RolloutRule: "TRANSITION",
    RetirementRule: "TRANSITION",
    WaiverRule: "WAIVER",
}
"""The family of the rules of each class; ``family_of`` knows the exceptions."""

FIELDS: dict[Rule, tuple[str, ...]] = {
    RequestRule.REQUEST_SCOPE: ("authority", "environment", "actions.*", "version"),
    RequestRule.REQUEST_TIME: ("request_hours",),
    RequestRule.REQUEST_PREVIOUS: ("authority",),
    QuorumRule.QUORUM_COUNT: ("actions.*.approvals",),
    QuorumRule.QUORUM_PARTITION: ("actions.*.partitions",),
    QuorumRule.OPERATORS_PINNED: ("authority", "environment", "operators_sha256"),
    BackupRule.KEY_RESTORE_PROOF: ("backup.restore_proof_days",),
    MetaRule.META_EXPIRY: ("expiry.*.minimum", "expiry.*.maximum"),
    MetaRule.META_THRESHOLD: ("authority", "thresholds.*"),
    MetaRule.META_AUTHORITY: ("environment",),
    MetaRule.POLICY_PINNED: ("authority",),
    MetaRule.POLICY_APPROVED: ("authority",),
    RootRule.TRANSITION_CONSENT: ("authority",),
    ArtifactRule.ARTIFACT_MANIFEST: ("authority", "environment"),
    ArtifactRule.ARTIFACT_AGREEMENT: ("authority",),
    HardwareRule.KEY_FIRMWARE: ("key.piv_firmware",),
    HardwareRule.KEY_ATTESTED: ("key.attested",),
    TimeRule.TIME_FREEZE: ("time.freezes", "time.weekly_freezes"),
    TimeRule.TIME_COOL_DOWN: ("time.cool_down_hours.*",),
    RateRule.RATE_SESSION: ("rate.signatures_per_session",),
    RateRule.RATE_DAY: ("rate.signatures_per_day",),
    CeremonyDemandRule.CEREMONY_OPEN: ("ceremony.open_hours.*",),
    SourceRule.SOURCE_BUILDER: ("authority", "source.unproved", "source.products"),
    SourceRule.SOURCE_REBUILD: ("authority", "source.unproved", "source.products"),
    GateRule.GATE_TESTS: ("authority", "gate.untested", "gate.products"),
    WaiverRule.WAIVER_RULE: ("waiver.rules",),
    WaiverRule.WAIVER_QUORUM: ("waiver.approvals", "waiver.partitions"),
}
"""Which fields of the policy each rule reads, with ``*`` for an action or a kind of role; nothing for the others."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a person may read of a rule."""

    rule: Rule
    family: str
    paragraph: str
    evidence: str
    fields: tuple[str, ...]


def family_of(rule: Rule) -> str:
    """The family (GOVERNANCE, "Policy") that a rule of the catalogue belongs to."""
    return "TEST" if rule is CustodyRule.APPROVAL_KNOWN else FAMILIES[type(rule)]


def pages() -> tuple[Page, ...]:
    """One page for each rule, in the catalogue's order."""
    return tuple(_page(rule, answer) for rule, answer in CATALOGUE)


def _page(rule: Rule, answer: Callable[[Question], str]) -> Page:
    text = " ".join((answer.__doc__ or "").split())
    head, _, rest = text.partition(": ")
    paragraph, _, evidence = rest.partition(" Evidence: ")
    if head != rule or not evidence:
        raise ValueError(f"the docstring of {rule} must be '{rule}: paragraph' and 'Evidence: what it shows'")
    return Page(rule, family_of(rule), paragraph, evidence, FIELDS.get(rule, ()))


def leaves(policy: Policy) -> dict[str, Any]:
    """Every value of a policy by its dotted path: ``actions.release.approvals`` is 2."""
    return dict(_leaves("", POLICY.write(policy)))


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(f"{path}.{name}" if path else str(name), item)
    else:
        yield path, value


def numbers_of(rule: Rule, policy: Policy, question: Question | None = None) -> tuple[str, ...]:
    """What the policy says for a rule, one ``field = value`` each; for a question only what concerns it."""
    found = []
    for path, value in leaves(policy).items():
        if any(matches(pattern, path) for pattern in FIELDS.get(rule, ())) and _concerns(path, question):
            found.append(f"{path} = {_told(value)}")
    return tuple(found)


def matches(pattern: str, path: str) -> bool:
    """Whether a dotted path is the field, or below it, that a pattern with ``*`` names."""
    wanted, parts = pattern.split("."), path.split(".")
    return len(parts) >= len(wanted) and all(a in ("*", b) for a, b in zip(wanted, parts, strict=False))


def _concerns(path: str, question: Question | None) -> bool:
    table, _, rest = path.partition(".")
    if question is None or not rest:
        return True
    name = rest.partition(".")[0]
    if table == "actions":
        return name == question.request.index.action
    if path.startswith(("time.cool_down_hours.", "ceremony.open_hours.")):
        return path.rpartition(".")[2] == question.request.index.action
    return table != "expiry" or name in {kind_of(role) for role in question.proposals}


def _item(item: object) -> str:
    """A listed product or window in one line."""
    if not isinstance(item, dict):
        return str(item)
    if product := item.get("product"):
        return str(product)
    place = f" of every week in {item['zone']}" if "zone" in item else ""
    return f"{item.get('start')} .. {item.get('end')}{place} for {', '.join(item.get('actions', []))}"


def _told(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_item(item) for item in value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
