"""The search for a target through delegations (specification 5.6.7): preorder, depth first, bounded."""

from __future__ import annotations

from enigm_tuf.errors import RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.lean import Generator
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.trust.metadata import Lineage
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf.trust.verified import Verified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Search: TypeAlias = Generator[Lineage, Verified[Targets], TargetFile]
    """Asks for a role by its lineage, is sent its verified metadata, returns the target."""


def search(path: str) -> Search:
    """Find ``path``; RefusedError TARGET-MISSING, or DELEGATION-LIMIT when too many roles would be visited.

    A role is visited once (5.6.7.1, cycles); a terminating delegation that matches ends the search after its
    own subtree (5.6.7.2.1).
    """
    to_visit: list[Lineage] = [("targets",)]
    visited = set[str]()
    while to_visit:
        lineage = to_visit.pop()
        if lineage[-1] in visited:
            continue
        if len(visited) > LIMITS.delegations:
            raise RefusedError(
                TufRule.DELEGATION_LIMIT, path, expected=f"at most {LIMITS.delegations} roles", got="more to visit"
            )
        metadata = (yield lineage).value
        if path in metadata.targets:
            return metadata.targets[path]
        visited.add(lineage[-1])
        children, terminated = _children(metadata, path)
        to_visit = [] if terminated else to_visit
        to_visit.extend((*lineage, child) for child in reversed(children))
    raise RefusedError(TufRule.TARGET_MISSING, path, expected="to be listed in targets metadata", got="not listed")


def _children(metadata: Targets, path: str) -> tuple[list[str], bool]:
    """Delegated roles for ``path`` in order, and whether the last of them ends the search."""
    children: list[str] = []
    if metadata.delegations is not None:
        for name, terminating in metadata.delegations.roles_for(path):
            children.append(name)
            if terminating:
                return children, True
    return children, False
