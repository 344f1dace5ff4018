"""Findings as a table."""

from collections.abc import Iterable

from enigm_tuf.commandline import table
from enigm_tuf.model.request import RuleOutcome


def outcome_table(outcomes: Iterable[RuleOutcome]) -> list[str]:
    """One line each: what it is, what it said, and why."""
    rows = [(item.rule, "pass" if item.passed else "REFUSE", item.evidence) for item in outcomes]
    return table(("RULE", "VERDICT", "EVIDENCE"), rows)
