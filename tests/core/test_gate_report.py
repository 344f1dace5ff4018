"""The gate report: every control has its own line, and none is a pass that nobody gave."""

from enigm_tuf.trust.gate_report import Control, GateReport, Verdict, passed, refused

CONTROLS = [
    "transport",
    "request",
    "freshness",
    "manifest-authenticity",
    "release-authenticity",
    "agreement",
    "eligibility",
    "rollout",
    "rollback",
    "compatibility",
    "artifact-integrity",
    "enrolment",
    "battery",
    "space",
    "maintenance-window",
]


def test_a_blank_report_has_checked_nothing() -> None:
    blank = {"verdict": "not-checked", "evidence": "did not run", "rule": ""}
    assert GateReport.blank().as_json() == [{"control": control, **blank} for control in CONTROLS]
    assert not GateReport.blank().refusals()
    assert passed(Control.ROLLOUT, "reached").rule == ""


def test_a_finding_takes_the_place_of_its_control_alone() -> None:
    report = GateReport.blank().with_finding(
        passed(Control.FRESHNESS, "fresh", "ROOT-EXPIRED"), refused(Control.ROLLOUT, "halted")
    )
    lines = {line.pop("control"): line for line in report.as_json()}
    assert list(lines) == CONTROLS
    assert lines["freshness"] == {"verdict": "pass", "evidence": "fresh", "rule": "ROOT-EXPIRED"}
    assert lines["rollout"] == {"verdict": "refuse", "evidence": "halted", "rule": ""}
    assert sum(line["verdict"] == "not-checked" for line in lines.values()) == len(CONTROLS) - 2


def test_only_a_refusal_is_a_refusal() -> None:
    report = GateReport.blank().with_finding(
        passed(Control.FRESHNESS, "fresh"), refused(Control.ROLLOUT, "halted", "ROLLOUT")
    )
    (finding,) = report.refusals()
    assert (finding.control, finding.verdict, finding.rule) == (Control.ROLLOUT, Verdict.REFUSE, "ROLLOUT")


def test_the_later_finding_of_a_control_stands() -> None:
    report = (
        GateReport.blank()
        .with_finding(passed(Control.ROLLOUT, "reached"))
        .with_finding(refused(Control.ROLLOUT, "halted"))
    )
    assert [finding.evidence for finding in report.refusals()] == ["halted"]
