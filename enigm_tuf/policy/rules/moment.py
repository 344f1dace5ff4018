"""TIME, RATE and CEREMONY: when is signed, how often, and in whose presence."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NoReturn

from enigm_tuf.errors import refuse
from enigm_tuf.model.ceremony import CeremonyType
from enigm_tuf.model.policy import Policy
from enigm_tuf.model.policy_demands import OPERATORS_ACTION, POLICY_ACTION
from enigm_tuf.policy.question import OpenCeremony, Question
from enigm_tuf.trust.rules import Rule


class TimeRule(Rule):
    """Family TIME."""

    TIME_FREEZE = "TIME-FREEZE", "nothing is signed in a window in which the policy freezes its action"
    TIME_COOL_DOWN = "TIME-COOL-DOWN", "a request has been there as long as the policy says before it is signed"


class RateRule(Rule):
    """Family RATE."""

    RATE_SESSION = "RATE-SESSION", "one session makes no more signatures than the policy says"
    RATE_DAY = "RATE-DAY", "in no 24 hours the authority makes more signatures than the policy says"


class CeremonyDemandRule(Rule):
    """Family CEREMONY."""

    CEREMONY_OPEN = (
        "CEREMONY-OPEN",
        "what the policy wants signed or adopted in a ceremony is signed or adopted while one is open",
    )


_DAY = timedelta(hours=24)
OWN_CEREMONY: Mapping[str, CeremonyType] = {
    "emergency": "emergency",
    POLICY_ACTION: "policy-change",
    OPERATORS_ACTION: "operator-change",
}
"""Actions that are done in a ceremony of one type alone."""


def freeze(question: Question) -> str:
    """TIME-FREEZE: The policy lists windows, from ``start`` to before ``end`` in UTC, in which given actions are
    not signed, such as the days when nobody is there to look after a release; and windows of every week, by the clock
    of a zone, such as weekends. An action of its own, with a quorum of its own, is the way through; there is no flag.

    Evidence: the number of windows that were compared.
    """
    action, time, now = question.request.index.action, question.policy.time, question.now
    for window in time.freezes:
        if action in window.actions and window.start <= now < window.end:
            _frozen(question, window.reason, f"{window.start.isoformat()} .. {window.end.isoformat()}")
    for weekly in time.weekly_freezes:
        if action in weekly.actions and weekly.holds(now):
            _frozen(question, weekly.reason, str(weekly))
    return f"{len(time.freezes) + len(time.weekly_freezes)} windows, none of them now"


def _frozen(question: Question, reason: str, span: str) -> NoReturn:
    subject = f"{question.request.index.action}: {reason}"
    refuse(TimeRule.TIME_FREEZE, subject, f"a time outside {span}", question.now.isoformat())


def cool_down(question: Question) -> str:
    """TIME-COOL-DOWN: Between the making of a request and its signature lie at least ``cool_down_hours`` of its
    action, so that whoever objects has had the time to. A request that claims to be older than it is was also
    approved by people who saw that claim, and REQUEST-TIME bounds how old it may be.

    Evidence: since when the request may be signed.
    """
    index = question.request.index
    hours = question.policy.time.cool_down_hours[index.action]
    if hours == 0:
        return "at once"
    ripe = index.created + timedelta(hours=hours)
    if question.now < ripe:
        refuse(TimeRule.TIME_COOL_DOWN, index.action, f"not before {ripe.isoformat()}", question.now.isoformat())
    return f"since {ripe.isoformat()}"


def session(question: Question) -> str:
    """RATE-SESSION: The payloads of a request, each of which a session signs once, are no more than
    ``signatures_per_session``: a request that wants everything signed anew at once is made in parts, which people
    can look at.

    Evidence: the number of payloads, and the most there may be.
    """
    wanted, most = len(question.proposals), question.policy.rate.signatures_per_session
    if wanted > most:
        refuse(RateRule.RATE_SESSION, "payloads", f"at most {most}", str(wanted))
    return f"{wanted} of at most {most}"


def day(question: Question) -> str:
    """RATE-DAY: The signatures of the last 24 hours, as the audit log has them, and those of this request are
    together no more than ``signatures_per_day``: who gets hold of a token and a quorum cannot sign without end
    unnoticed. What the authority signed, the authority alone knows: lint says so.

    Evidence: the number of signatures, and the most there may be.
    """
    made, most = question.ledger.signatures, question.policy.rate.signatures_per_day
    if made is None:
        return f"at most {most} in 24 hours, which the authority counts"
    lately = sum(question.now - _DAY < moment for moment in made)
    if lately + len(question.proposals) > most:
        got = f"{lately} and {len(question.proposals)} now"
        refuse(RateRule.RATE_DAY, "signatures in 24 hours", f"at most {most}", got)
    return f"{lately} and {len(question.proposals)} now, of at most {most}"


def ceremony(question: Question) -> str:
    """CEREMONY-OPEN: An action whose ``ceremony.open_hours`` is not 0 is signed while a ceremony of this authority
    is open in its audit log, opened at most so many hours ago, and no rehearsal. An emergency is signed in a ceremony
    of the type ``emergency``, a policy adopted in a ``policy-change``, a registry of operators in an
    ``operator-change``, whatever else is open; an inventory of keys in any. Before the token is looked at, all that
    is known is what the policy says.

    Evidence: the ceremony, or that none is demanded.
    """
    action = question.request.index.action
    if question.signer is None and (hours := question.policy.ceremony.open_hours[action]):
        return f"when it is signed, in {_ceremony_of(action, hours)}"
    return in_ceremony(question.policy, action, question.ledger.ceremonies, question.now)


def in_ceremony(policy: Policy, action: str, ceremonies: Iterable[OpenCeremony], now: datetime) -> str:
    """CEREMONY-OPEN's verdict, also of what is adopted: the ceremony of these open ones, or that none is demanded."""
    hours = policy.ceremony.open_hours[action]
    if hours == 0:
        return "no ceremony is demanded"
    fitting = (item for item in ceremonies if OWN_CEREMONY.get(action, item.type) == item.type)
    found = max(fitting, key=lambda item: item.opened, default=None)
    if found is None or now - found.opened > timedelta(hours=hours):
        got = f"{found.id}, opened {found.opened.isoformat()}" if found else "none"
        refuse(CeremonyDemandRule.CEREMONY_OPEN, action, _ceremony_of(action, hours), got)
    return f"{found.type} ceremony {found.id}, opened {found.opened.isoformat()}"


def _ceremony_of(action: str, hours: int) -> str:
    kind = OWN_CEREMONY.get(action)
    return f"a ceremony{f' of the type {kind}' if kind else ''} that opened at most {hours} hours ago"


RULES = {
    TimeRule.TIME_FREEZE: freeze,
    TimeRule.TIME_COOL_DOWN: cool_down,
    RateRule.RATE_SESSION: session,
    RateRule.RATE_DAY: day,
    CeremonyDemandRule.CEREMONY_OPEN: ceremony,
}
