"""The rules of family TRANSITION on everything but root."""

from typing import NoReturn

from enigm_tuf.errors import RefusedError
from enigm_tuf.trust.rules import Rule


class TransitionRule(Rule):
    """Family TRANSITION."""

    TRANSITION_TARGETS = (
        "TRANSITION-TARGETS",
        "targets gains one product's delegations, or gives all of them root's keys",
    )
    TRANSITION_PRODUCT = "TRANSITION-PRODUCT", "a product role starts empty, and then gains payloads or is signed anew"
    TRANSITION_SNAPSHOT = "TRANSITION-SNAPSHOT", "snapshot moves the versions of this request and no other"


def refuse(rule: TransitionRule, subject: str, expected: str, got: str) -> NoReturn:
    """RefusedError of this rule."""
    raise RefusedError(rule, subject, expected=expected, got=got)
