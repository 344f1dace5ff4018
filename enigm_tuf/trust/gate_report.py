"""The gate report: one verdict with its evidence per independent control, never one merged "ok"."""

from __future__ import annotations

from enigm_tuf.model.lean import StrEnum
from enigm_tuf.model.value import Value, replace

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Any


class Control(StrEnum):
    """The controls of DESIGN section 6, each of which can say no on its own.

    The last four are about the device itself: whether it takes part, and whether now is a good moment.
    """

    TRANSPORT = "transport"
    REQUEST = "request"
    FRESHNESS = "freshness"
    MANIFEST_AUTHENTICITY = "manifest-authenticity"
    RELEASE_AUTHENTICITY = "release-authenticity"
    AGREEMENT = "agreement"
    ELIGIBILITY = "eligibility"
    ROLLOUT = "rollout"
    ROLLBACK = "rollback"
    COMPATIBILITY = "compatibility"
    ARTIFACT_INTEGRITY = "artifact-integrity"
    ENROLMENT = "enrolment"
    BATTERY = "battery"
    SPACE = "space"
    MAINTENANCE_WINDOW = "maintenance-window"


class Verdict(StrEnum):
    """``not-checked`` is the truth about a control that did not run; it is never a pass."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    REFUSE = "refuse"
    NOT_CHECKED = "not-checked"


class Finding(Value):
    """What one control said. ``rule`` is the ID that decided, or empty."""

    control: Control
    verdict: Verdict
    evidence: str
    rule: str = ""


class GateReport(Value):
    """One finding for every control, in the order of ``Control``."""

    findings: tuple[Finding, ...]

    @classmethod
    def blank(cls) -> GateReport:
        """Nothing has been checked yet."""
        return cls(tuple(Finding(control, Verdict.NOT_CHECKED, "did not run") for control in Control))

    def with_finding(self, *new: Finding) -> GateReport:
        """A report in which ``new`` findings stand in place of those of the same control."""
        by_control = {finding.control: finding for finding in new}
        return replace(self, findings=tuple(by_control.get(old.control, old) for old in self.findings))

    def refusals(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.verdict is Verdict.REFUSE)

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {"control": str(f.control), "verdict": str(f.verdict), "evidence": f.evidence, "rule": f.rule}
            for f in self.findings
        ]


def not_checked(control: Control, evidence: str) -> Finding:
    return Finding(control, Verdict.NOT_CHECKED, evidence)


def passed(control: Control, evidence: str, rule: str = "") -> Finding:
    return Finding(control, Verdict.PASS, evidence, rule)


def refused(control: Control, evidence: str, rule: str = "") -> Finding:
    return Finding(control, Verdict.REFUSE, evidence, rule)
