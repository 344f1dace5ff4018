"""Plain TUF, without the authorities' rules: for the conformance suite and comparisons with other clients only."""

from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.trust.verified import Verified


class PlainTuf:
    """An Admission that adds nothing. It lives in the tests because no device may ever use it."""

    identity = "plain TUF"

    def root(self, previous: Verified[Root] | None, new: Verified[Root]) -> None:
        """Whatever TUF accepts."""

    def targets(
        self, root: Verified[Root], delegator: Verified[Root] | Verified[Targets], role: str, new: Verified[Targets]
    ) -> None:
        """Whatever TUF accepts."""
