"""WAIVER: what people may let pass that a rule refuses, for one request, together, for a while."""

from collections.abc import Mapping

from enigm_tuf.errors import RefusedError, refuse
from enigm_tuf.model.policy import WaiverPolicy
from enigm_tuf.model.waiver import WAIVABLE_RULE
from enigm_tuf.policy.question import CastWaiver, Question
from enigm_tuf.policy.rules.moment import CeremonyDemandRule
from enigm_tuf.policy.rules.quorum import distinct
from enigm_tuf.trust.rules import Rule


class WaiverRule(Rule):
    """Family WAIVER. A waiver that is shown and is not right refuses the request: somebody made it."""

    WAIVER_RULE = "WAIVER-RULE", "what is waived is a rule that may be waived, and that the policy lists"
    WAIVER_REQUEST = "WAIVER-REQUEST", "a waiver is of this very request, under the policy in force"
    WAIVER_TIME = "WAIVER-TIME", "a waiver has begun, has not run out, and runs out no later than its request"
    WAIVER_QUORUM = "WAIVER-QUORUM", "as many different policy-approvers waive a rule as the policy says"


def granted(question: Question) -> Mapping[str, tuple[CastWaiver, ...]]:
    """Each rule that is waived, and whose waivers counted; nothing while any rule of this family says no."""
    try:
        for rule in RULES.values():
            rule(question)
    except RefusedError:
        return {}
    return {name: _counted(question, name) for name in _rules_of(question)}


def listed(question: Question) -> str:
    """WAIVER-RULE: A waiver names a rule that ``waiver.rules`` of the policy lists, and only rules of the families
    SOURCE, GATE, TIME, RATE and CEREMONY can be listed. A policy without ``[waiver]`` lets nobody waive anything. An
    emergency is never signed outside of its ceremony: CEREMONY-OPEN is not waived for it, whatever is listed.

    Evidence: the rules that are waived.
    """
    terms = question.policy.waiver
    for item in question.waivers:
        if terms is None or item.waiver.rule not in terms.rules or not WAIVABLE_RULE.accepts(item.waiver.rule):
            got = ", ".join(terms.rules) if terms else "none"
            refuse(WaiverRule.WAIVER_RULE, _named(item), "a rule that waiver.rules has", got)
        if question.request.index.action == "emergency" and item.waiver.rule == CeremonyDemandRule.CEREMONY_OPEN:
            refuse(WaiverRule.WAIVER_RULE, _named(item), "another rule, for an emergency", item.waiver.rule)
    return ", ".join(_rules_of(question)) or "nothing is waived"


def bound(question: Question) -> str:
    """WAIVER-REQUEST: A waiver binds what was displayed, as an approval does: the index and every payload of this
    request by digest, its numbers and names, and the policy. It serves for no other request, however alike.

    Evidence: the number of waivers that were compared.
    """
    for item in question.waivers:
        said = item.waiver
        if not said.is_about(question.request, question.policy_pin):
            got = f"one of request {said.request_id}, policy version {said.policy.version}"
            wanted = f"a waiver of request {question.request.index.request_id}"
            refuse(WaiverRule.WAIVER_REQUEST, _named(item), wanted, got)
    return f"{len(question.waivers)} of this request"


def timely(question: Question) -> str:
    """WAIVER-TIME: A waiver counts from ``created`` to before ``expires``, and ``expires`` lies no later than the
    request's own: an exception that outlives its reason is a rule that nobody has.

    Evidence: when the first of them runs out.
    """
    last = question.request.index.expires
    for item in question.waivers:
        said = item.waiver
        if not said.created <= question.now < said.expires <= last:
            window = f"{said.created.isoformat()} .. {said.expires.isoformat()}"
            expected = f"a time round {question.now.isoformat()}, to {last.isoformat()} at most"
            refuse(WaiverRule.WAIVER_TIME, _named(item), expected, window)
    ends = sorted(item.waiver.expires for item in question.waivers)
    return f"the first runs out at {ends[0].isoformat()}" if ends else "none to run out"


def quorum(question: Question) -> str:
    """WAIVER-QUORUM: Each waived rule is waived by ``waiver.approvals`` active policy-approvers, with as many keys
    and devices, at least one from each of ``waiver.partitions``. The requester and the custodians who sign, or have
    signed, the same request do not count. The policy's own quorum for a change is the least that ``[waiver]`` may
    ask: a waiver is a change for once.

    Evidence: each waived rule and who waived it.
    """
    told = []
    for name in _rules_of(question):
        people, terms = _counted(question, name), question.policy.waiver
        needed = terms or WaiverPolicy(1, (), ())
        who = ", ".join(item.operator for item in people) or "nobody"
        if len(people) < needed.approvals:
            refuse(WaiverRule.WAIVER_QUORUM, name, f"{needed.approvals} waivers that count", f"{len(people)} ({who})")
        if missing := sorted(set(needed.partitions) - {item.partition for item in people}):
            refuse(WaiverRule.WAIVER_QUORUM, name, f"a waiver from {missing[0]}", who)
        told.append(f"{name}: {who}")
    return "; ".join(told) or "nothing is waived"


def _counted(question: Question, rule: str) -> tuple[CastWaiver, ...]:
    """One for each person, key and device, by name."""
    people = distinct(question, "policy-approver", (item for item in question.waivers if item.waiver.rule == rule))
    return tuple(sorted(people, key=lambda item: item.operator))


def _rules_of(question: Question) -> tuple[str, ...]:
    return tuple(sorted({item.waiver.rule for item in question.waivers}))


def _named(item: CastWaiver) -> str:
    return f"waiver of {item.waiver.rule} by {item.operator}"


RULES = {
    WaiverRule.WAIVER_RULE: listed,
    WaiverRule.WAIVER_REQUEST: bound,
    WaiverRule.WAIVER_TIME: timely,
    WaiverRule.WAIVER_QUORUM: quorum,
}
