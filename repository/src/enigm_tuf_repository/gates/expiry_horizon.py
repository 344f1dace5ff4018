"""EXPIRY-HORIZON: every role that will be published has at least a tenth of its configured life left."""

from datetime import datetime, timedelta

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.shapes import Time
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.rules import RepositoryRule

_TIME = Time()
SHARE = 10  # a tenth: time enough to sign again before devices stop


def is_due(expires: datetime, life: timedelta, now: datetime) -> bool:
    """Whether it is time to sign it anew: two tenths of its life before it expires, while a gate still lets it pass."""
    return expires - now < 2 * life / SHARE


class ExpiryHorizon:
    """Looks at every role as it will be published."""

    rule = RepositoryRule.EXPIRY_HORIZON
    proves = "Every role that will be published, new or not, has at least a tenth of its configured life left now."
    does_not_prove = "That somebody will renew it in time."

    def applies(self, context: GateContext) -> str:
        """Always."""
        del context
        return ""

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError EXPIRY-HORIZON names the role that expires too soon."""
        del progress
        days = context.workspace.configuration().expiry_days
        after = context.after
        expires = {role: after.expires(role) for role in sorted(after.in_force())}
        earliest_of = {
            kind: context.now + days.of(kind) / SHARE for kind in {role.rpartition(".")[2] for role in expires}
        }
        for role, moment in expires.items():
            earliest = earliest_of[role.rpartition(".")[2]]
            if moment < earliest:
                expected = f"an expiry at {earliest:%F %T} or later"
                raise RefusedError(self.rule, role, expected=expected, got=f"{moment:%F %T}")
        soonest = min(expires, key=lambda role: expires[role])
        return Evidence(
            f"{len(expires)} roles; first to expire is {soonest} at {expires[soonest]:%F %T} UTC",
            {"roles": len(expires), "first": {soonest: _TIME.write(expires[soonest])}},
        )


GATE = ExpiryHorizon()
