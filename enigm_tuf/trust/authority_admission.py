"""The admission that every device and every gate of ours uses: the ten rules on top of the TUF workflow.

There is no way to leave it out: ``enigm_tuf_client.Updater`` makes it itself, from the device's environment.
"""

from enigm_tuf import VERSION
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.trust import delegation_rules, root_rules
from enigm_tuf.trust.rules import Evidence
from enigm_tuf.trust.verified import Verified


def judge_root_definition(root: Root, environment: Environment) -> tuple[Evidence, ...]:
    """The rules on what a root defines, signed or not yet."""
    view = root_rules.view_root(root)
    return (
        root_rules.environment_match(view, environment),
        root_rules.authority_disjoint(view),
        root_rules.threshold_distinct(view),
        root_rules.authority_roles(view),
        root_rules.no_test_key(view),
        root_rules.key_class(view),
        root_rules.recovery_threshold(view),
    )


def judge_root(previous: Verified[Root] | None, new: Verified[Root], environment: Environment) -> tuple[Evidence, ...]:
    """All rules on a root; ``previous`` is the trusted one before it, None for the device's first."""
    evidence = judge_root_definition(new.value, environment)
    if previous is None:
        return evidence
    before = root_rules.view_root(previous.value)
    ratchet = root_rules.model_ratchet(before, root_rules.view_root(new.value))
    return (*evidence, ratchet, root_rules.root_consent(before, new))


def judge_targets_definition(root: Root, role: str, new: Targets) -> tuple[Evidence, ...]:
    """The rules on what top-level or delegated targets metadata defines, signed or not yet."""
    if role == "targets":
        return delegation_rules.targets_delegations(root_rules.view_root(root), new)
    return (delegation_rules.no_further_delegation(role, new),)


def judge_targets(root: Root, role: str, new: Verified[Targets]) -> tuple[Evidence, ...]:
    """All rules on top-level or delegated targets metadata."""
    evidence = judge_targets_definition(root, role, new.value)
    if role.endswith(".payload"):
        return (*evidence, delegation_rules.payload_pinned(root_rules.view_root(root), role, new))
    return evidence


class AuthorityAdmission:
    """Implements ``trust.admission.Admission`` for one environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @property
    def identity(self) -> str:
        """Changes with the software and with the environment."""
        return f"authorities {VERSION} {self._environment}"

    def root(self, previous: Verified[Root] | None, new: Verified[Root]) -> None:
        """RefusedError or MalformedError if any rule says no."""
        judge_root(previous, new, self._environment)

    def targets(
        self, root: Verified[Root], delegator: Verified[Root] | Verified[Targets], role: str, new: Verified[Targets]
    ) -> None:
        """RefusedError or MalformedError if any rule says no."""
        del delegator  # the rules look at root's pins, never at what a delegator claims
        judge_targets(root.value, role, new)
