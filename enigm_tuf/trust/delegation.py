"""The search for a target through delegations (specification 5.6.7): preorder, depth first, bounded."""

from collections.abc import Generator

from tuf.api.metadata import TargetFile, Targets

from enigm_tuf.errors import RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.trust.metadata import Verified
from enigm_tuf.trust.tuf_rules import TufRule

Search = Generator[tuple[str, str], Verified[Targets], TargetFile]
"""Asks for (delegator, role), is sent that role's verified metadata, returns the target."""


def search(path: str) -> Search:
    """Find ``path``; RefusedError TARGET-MISSING, or DELEGATION-LIMIT when too many roles would be visited.

    A role is visited once (5.6.7.1, cycles); a terminating delegation that matches ends the search after its
    own subtree (5.6.7.2.1). Path patterns, hash prefixes and succinct hash bins (TAP 15) are tuf.api's.
    """
    to_visit, visited = [("root", "targets")], set[str]()
    while to_visit:
        delegator, role = to_visit.pop()
        if role in visited:
            continue
        if len(visited) > LIMITS.delegations:
            raise RefusedError(
                TufRule.DELEGATION_LIMIT, path, expected=f"at most {LIMITS.delegations} roles", got="more to visit"
            )
        metadata = (yield delegator, role).value
        if path in metadata.targets:
            return metadata.targets[path]
        visited.add(role)
        children, terminated = _children(metadata, path)
        to_visit = [] if terminated else to_visit
        to_visit.extend((role, child) for child in reversed(children))
    raise RefusedError(TufRule.TARGET_MISSING, path, expected="to be listed in targets metadata", got="not listed")


def _children(metadata: Targets, path: str) -> tuple[list[str], bool]:
    """Delegated roles for ``path`` in order, and whether the last of them ends the search."""
    children: list[str] = []
    if metadata.delegations is not None:
        for name, terminating in metadata.delegations.get_roles_for_target(path):
            children.append(name)
            if terminating:
                return children, True
    return children, False
