"""EXPIRY-HORIZON: every role that will be published has at least a tenth of its configured life left."""

from datetime import datetime, timedelta

from enigm_tuf.errors import RefusedError
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.rules import RepositoryRule

SHARE = 10  # a tenth: time enough to sign again before devices stop


def is_due(expires: datetime, life: timedelta, now: datetime) -> bool:
    """Whether it is time to sign it anew: two tenths of its life before it expires, while a gate still lets it pass."""
    return expires - now < 2 * life / SHARE


def expiry_horizon(context: GateContext) -> str:
    """RefusedError EXPIRY-HORIZON names the role that expires too soon."""
    days = context.workspace.configuration().expiry_days
    for role, file in sorted(context.after.items()):
        earliest = context.now + days.of(role) / SHARE
        if file.value.expires < earliest:
            raise RefusedError(
                RepositoryRule.EXPIRY_HORIZON,
                role,
                expected=f"an expiry at {earliest:%F %T} or later",
                got=f"{file.value.expires:%F %T}",
            )
    soonest = min(context.after.values(), key=lambda file: file.value.expires)
    return f"{len(context.after)} roles; first to expire is {soonest.role} at {soonest.value.expires:%F %T} UTC"
