"""What rules and gates said, for people."""

from collections.abc import Iterable

from enigm_tuf.commandline import table
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.request import RuleOutcome


def outcome_table(outcomes: Iterable[RuleOutcome]) -> list[str]:
    """One line each: what it is, what it said, and why."""
    rows = [
        (item.rule, "pass" if item.passed else "waived" if item.waived else "REFUSE", _why(item)) for item in outcomes
    ]
    return table(("RULE", "VERDICT", "EVIDENCE"), rows)


def refusal_of(outcome: RuleOutcome, subject: str, expected: str) -> RefusedError:
    """The error for an outcome that did not pass."""
    return RefusedError(outcome.rule, subject, expected=expected, got=_why(outcome))


def _why(outcome: RuleOutcome) -> str:
    """The evidence without the rule's own name in front, which stands beside it anyway."""
    return outcome.evidence.removeprefix(f"{outcome.rule}: ")
