"""INVENTORY-FRESH: every token was compared with the signed inventory of its authority, and not long ago."""

from datetime import datetime, timedelta

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.shapes import Time
from enigm_tuf_repository.gates.answers import answers, of_request
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.rules import RepositoryRule

CEREMONIES = ("root", "recovery")
"""What people and tokens travelled for may be published when they are home again."""


class InventoryFresh:
    """Reads in each answer which inventory the session began with, and when it was."""

    rule = RepositoryRule.INVENTORY_FRESH
    proves = (
        "Each session that signed began by comparing everything on its token with a key inventory, all custodians who "
        "answered one request with the same, and at most `request_hours` before the gates ran (a root's at any time)."
    )
    does_not_prove = "What the inventory says: it stays with its authority, whose operators signed it."

    def applies(self, context: GateContext) -> str:
        """Always."""
        del context
        return ""

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError INVENTORY-FRESH names the answer."""
        del progress
        found = answers(context)
        inventories: dict[str, str] = {}
        for entry in context.record.requests:
            mine = of_request(found, entry)
            for path, answer in mine.items():
                if answer.inventory is None:
                    self._refuse(path, "a token that was compared with an inventory", "no inventory")
                self._require_young(context, path, answer.decided)
            names = {answer.inventory or "" for answer in mine.values()}
            if len(names) > 1:
                self._refuse(entry.path, "the same inventory for all custodians", ", ".join(sorted(names)))
            inventories |= {entry.path: min(names, default="")}
        oldest = min((answer.decided for answer in found.values()), default=context.now)
        facts = {"inventories": inventories, "oldest": Time().write(oldest)}
        return Evidence(f"{len(found)} sessions compared their token, the first at {oldest:%F %T} UTC", facts)

    def _require_young(self, context: GateContext, path: str, decided: datetime) -> None:
        earliest = context.now - timedelta(hours=context.workspace.configuration().request_hours)
        if context.record.action not in CEREMONIES and decided < earliest:
            self._refuse(path, f"a session after {earliest:%F %T}", f"{decided:%F %T}")

    def _refuse(self, subject: str, expected: str, got: str) -> None:
        raise RefusedError(self.rule, subject, expected=expected, got=got)


GATE = InventoryFresh()
