"""The seam between the TUF workflow and the rules of the authorities."""

from __future__ import annotations

from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.model.value import Protocol

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from enigm_tuf.trust.verified import Verified


class Admission(Protocol):
    """Called inside the admitting functions, after TUF's own checks: what it refuses never becomes trusted state.

    Both methods return nothing and raise RefusedError or MalformedError.
    """

    @property
    def identity(self) -> str:
        """Names these rules with their version and settings: what others admitted is looked at again."""

    def root(self, previous: Verified[Root] | None, new: Verified[Root]) -> None:
        """``previous`` is the trusted root before it; None for the one that the device shipped with."""

    def targets(
        self,
        root: Verified[Root],
        delegator: Verified[Root] | Verified[Targets],
        role: str,
        new: Verified[Targets],
    ) -> None:
        """``role`` is ``targets`` or a delegated role's name."""
