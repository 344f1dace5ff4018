"""REQUEST: this request is for this authority, now, for the first time, and follows what it signed last."""

from datetime import timedelta

from enigm_tuf.errors import refuse
from enigm_tuf.model.request import Previous
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.question import Question
from enigm_tuf.trust.rules import Rule


class RequestRule(Rule):
    """Family REQUEST."""

    REQUEST_SCOPE = "REQUEST-SCOPE", "the request names this authority, environment, action and policy"
    REQUEST_TIME = "REQUEST-TIME", "the request is neither expired nor from the future, and the clock runs forward"
    REQUEST_REPLAY = (
        "REQUEST-REPLAY",
        "the request was not signed before, nor what it asks for under another, and its sequence is new",
    )
    REQUEST_PREVIOUS = "REQUEST-PREVIOUS", "the request follows the last state that this authority signed"


def scope(question: Question) -> str:
    """REQUEST-SCOPE: A request is for one authority, one environment, one action and one policy, and all four are
    those of the authority that reads it. A request for staging means nothing in production, one made under the last
    policy is made anew, and an action that the policy does not list is not done at all.

    Evidence: authority, environment, action and version of the policy.
    """
    index, policy = question.request.index, question.policy
    for name, expected, got in (
        ("authority", policy.authority, index.authority),
        ("environment", policy.environment, index.environment),
        ("policy", question.policy_pin, index.policy),
    ):
        if expected != got:
            refuse(RequestRule.REQUEST_SCOPE, name, str(expected), str(got))
    if index.action not in policy.actions:
        refuse(RequestRule.REQUEST_SCOPE, "action", f"one of {', '.join(sorted(policy.actions))}", index.action)
    return f"{index.authority}, {index.environment}, {index.action}, policy version {policy.version}"


def time(question: Question) -> str:
    """REQUEST-TIME: A request has a beginning and an end, at most ``request_hours`` apart, and now lies between
    them. Now is never before the newest entry of the audit log: a clock that was set back would let an expired
    request live again.

    Evidence: the time at which the request ends.
    """
    index, now = question.request.index, question.now
    if not index.created <= now < index.expires:
        window = f"a time in {index.created.isoformat()} .. {index.expires.isoformat()}"
        refuse(RequestRule.REQUEST_TIME, "now", window, now.isoformat())
    longest = timedelta(hours=question.policy.request_hours)
    if index.expires - index.created > longest:
        refuse(RequestRule.REQUEST_TIME, "life", f"at most {longest}", str(index.expires - index.created))
    latest = question.ledger.last_time
    if latest is not None and now < latest:
        refuse(RequestRule.REQUEST_TIME, "clock", f"not before {latest.isoformat()}", now.isoformat())
    return f"valid until {index.expires.isoformat()}"


def replay(question: Question) -> str:
    """REQUEST-REPLAY: A request is signed once for ever: neither its digest nor a sequence number up to the last
    one that was signed comes again. A request that still lacks signatures of other custodians is not signed yet. What
    has a signature under one request gets none under another: who approved, asked and signed is judged of one request,
    and signatures over the same bytes count together.

    Evidence: the request's number and the last number that was signed.
    """
    ledger, index = question.ledger, question.request.index
    if question.request.digest in ledger.signed:
        refuse(RequestRule.REQUEST_REPLAY, index.request_id, "a new request", "one that was signed before")
    if index.sequence <= ledger.last_sequence:
        refuse(RequestRule.REQUEST_REPLAY, "sequence", f"above {ledger.last_sequence}", str(index.sequence))
    for role, proposal in question.proposals.items():
        if others := ledger.begun.get((role, sha256(proposal.data)), frozenset()) - {question.request.digest}:
            got = f"bytes that were signed under request {min(others)}"
            refuse(RequestRule.REQUEST_REPLAY, role, "bytes that nobody signed under another request", got)
    return f"sequence {index.sequence}, last {ledger.last_sequence}"


def previous(question: Question) -> str:
    """REQUEST-PREVIOUS: For every proposed role the index of the request, the metadata that it shows and the ledger
    of the authority name the same last version by digest, and the proposal is the next one. Nobody can leave out a
    version, or have a difference shown to another state than the one that was signed.

    Evidence: for each role, what it follows.
    """
    listed = {item.role: item for item in question.request.index.previous}
    for role, proposal in question.proposals.items():
        head = question.head(role)
        if listed.get(role) != head:
            refuse(RequestRule.REQUEST_PREVIOUS, role, _name(head), _name(listed.get(role)))
        if head and _digest(question, role) != head.sha256:
            refuse(RequestRule.REQUEST_PREVIOUS, f"context/previous/{role}.json", head.sha256, _digest(question, role))
        expected = head.version + 1 if head else 1
        if proposal.version != expected:
            refuse(RequestRule.REQUEST_PREVIOUS, role, f"version {expected}", f"version {proposal.version}")
    if extra := sorted(set(listed) - set(question.proposals)):
        refuse(RequestRule.REQUEST_PREVIOUS, "previous", "only roles that are proposed", ", ".join(extra))
    return "; ".join(f"{role} after {_name(question.head(role))}" for role in sorted(question.proposals))


def _digest(question: Question, role: str) -> str:
    value = question.previous.get(role)
    return sha256(value.canonical()) if value else "nothing"


def _name(head: Previous | None) -> str:
    return f"version {head.version} ({head.sha256[:16]})" if head else "nothing"


RULES = {
    RequestRule.REQUEST_SCOPE: scope,
    RequestRule.REQUEST_TIME: time,
    RequestRule.REQUEST_REPLAY: replay,
    RequestRule.REQUEST_PREVIOUS: previous,
}
