"""FREEZE-WINDOW: no release goes out while repository.toml says that none does."""

from enigm_tuf_repository.freezes import HELD_BACK, require_no_freeze
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.rules import RepositoryRule


class FreezeWindow:
    """Looks at the clock, and at ``freezes`` and ``weekly_freezes``."""

    rule = RepositoryRule.FREEZE_WINDOW
    proves = "No freeze of repository.toml was in force when the gates ran; publication asks again."
    does_not_prove = "That devices install at once: when each of them is offered it is the rollout's to say."

    def applies(self, context: GateContext) -> str:
        """To releases and products: a root, a recovery, a renewal or an emergency is never held back."""
        action = context.record.asked_as
        return "" if action in HELD_BACK else f"not held back: {action}"

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError FREEZE-WINDOW names the window."""
        del progress
        freezes, now = context.workspace.configuration().windows, context.now
        require_no_freeze(freezes, context.record.asked_as, context.record.id, now)
        ahead = sorted(start for freeze in freezes if (start := freeze.next_start(now)))
        told = f"; the next one starts at {ahead[0]:%F %T} UTC" if ahead else ""
        return Evidence(f"no freeze at {now:%F %T} UTC, of {len(freezes)}{told}", {"freezes": len(freezes)})


GATE = FreezeWindow()
