"""One authority's answer, judged. A response is believed for nothing that is not proved again here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from enigm_tuf.audit.including import require_logged
from enigm_tuf.audit.pins import pinned_log
from enigm_tuf.errors import refuse
from enigm_tuf.model.request import RuleOutcome, SigningRequest, SigningResponse, unpack_response
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.custodians import signed_with
from enigm_tuf.policy.engine import Decision, evaluate
from enigm_tuf.policy.question import CastApproval, CastWaiver, Question
from enigm_tuf.policy.reading import ask
from enigm_tuf.policy.rules.moment import CeremonyDemandRule, RateRule
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.threshold import signers
from enigm_tuf_repository.asked import Asked, AskedRequest
from enigm_tuf_repository.findings import refusal_of
from enigm_tuf_repository.lineage import READINGS
from enigm_tuf_repository.rules import RepositoryRule

_ASKED_THERE = frozenset({str(RateRule.RATE_DAY), str(CeremonyDemandRule.CEREMONY_OPEN)})


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of which everything was proved again."""

    data: bytes
    response: SigningResponse
    envelopes: Mapping[str, bytes]
    counted: tuple[CastApproval, ...]
    waivers: tuple[CastWaiver, ...]
    outcomes: tuple[RuleOutcome, ...]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A response whose signatures are right and logged; ``keys`` are the SPKI digests of those that made them."""

    data: bytes
    source: str
    item: AskedRequest
    response: SigningResponse
    envelopes: Mapping[str, bytes]
    keys: frozenset[str]


def judge_answers(asked: Asked, responses: Mapping[bytes, str]) -> list[Answer]:
    """All responses of the record with their sources, judged together.

    Who signed a request in one of them approved and waived it in none. Where an authority signed a root last, the
    others show what it waited for. RefusedError RESPONSE-REQUEST, RESPONSE-DECISION, RESPONSE-SIGNATURE,
    LOG-INCLUSION, LOG-DECISION, or what policy rule fails.
    """
    claims = [_proved(asked, data, source) for data, source in responses.items()]
    return [_judged(asked, claim, claims) for claim in claims]


def _proved(asked: Asked, data: bytes, source: str) -> _Claim:
    response, envelopes, proofs = unpack_response(data, source)
    item = _request_of(asked, response, source)
    _require_passed(response, source)
    _require_signatures(asked, item.request, response, source)
    _require_logged(asked, item, response, proofs, source)
    keys = {key for made in response.signatures for key in asked.public_keys(made.role, made.keyid)}
    return _Claim(data, source, item, response, envelopes, frozenset(keys))


def _judged(asked: Asked, claim: _Claim, claims: Sequence[_Claim]) -> Answer:
    """The policy says yes again, whichever of the keys is asked about."""
    question = _question(asked, claim, [other.data for other in claims])
    digest = claim.response.request_sha256
    others = {key for other in claims if other.response.request_sha256 == digest for key in other.keys}
    counted: tuple[CastApproval, ...] = ()
    waivers: tuple[CastWaiver, ...] = ()
    outcomes: tuple[RuleOutcome, ...] = ()
    for key in sorted(claim.keys):
        decision = evaluate(signed_with(question, key, others))
        for outcome in decision.outcomes:
            if not outcome.allowed:
                raise refusal_of(outcome, claim.source, "to pass again at the repository")
        _require_same(claim.response, decision, claim.source)
        counted, waivers, outcomes = decision.counted, decision.waivers, decision.outcomes
    return Answer(claim.data, claim.response, claim.envelopes, counted, waivers, outcomes)


def _request_of(asked: Asked, response: SigningResponse, source: str) -> AskedRequest:
    item = asked.find(response.authority, response.request_sha256)
    if item is None:
        expected = ", ".join(item.request.digest for item in asked.requests)
        refuse(
            RepositoryRule.RESPONSE_REQUEST,
            source,
            f"an answer to a request of this record ({expected})",
            response.request_sha256,
        )
    index = item.request.index
    expected_facts = (index.request_id, index.environment, index.policy)
    facts = (response.request_id, response.environment, response.policy)
    if facts != expected_facts:
        refuse(RepositoryRule.RESPONSE_REQUEST, source, f"{expected_facts}", f"{facts}")
    return item


def _require_passed(response: SigningResponse, source: str) -> None:
    failed = [f"{item.rule}: {item.evidence}" for item in response.rules if not item.allowed]
    if response.decision != "PASSED" or failed:
        got = "; ".join([f"decision {response.decision}", *failed])
        refuse(RepositoryRule.RESPONSE_DECISION, source, "decision PASSED by every rule", got)


def _require_same(response: SigningResponse, decision: Decision, source: str) -> None:
    """The authority asked the whole catalogue, and what it says is waived is so here, and nothing else is.

    How many signatures it made and which ceremonies were open it alone knows: for those rules waivers must count.
    """
    own = {item.rule: item.waived for item in decision.outcomes}
    rules = [item.rule for item in response.rules]
    if rules != list(own):
        unlike = next((ours for ours, theirs in zip_longest(own, rules) if ours != theirs), None) or "no more rules"
        refuse(RepositoryRule.RESPONSE_DECISION, source, f"every rule of the catalogue, {unlike} in its place", "other")
    shown = {item.waiver.rule for item in decision.waivers}
    for item in response.rules:
        if item.waived and item.rule not in shown:
            refuse(RepositoryRule.RESPONSE_DECISION, source, f"the waivers of {item.rule}", "none")
        if item.waived != own[item.rule] and item.rule not in _ASKED_THERE:
            asked = "waived" if own[item.rule] else "not waived"
            refuse(RepositoryRule.RESPONSE_DECISION, source, f"{item.rule} {asked}, as it is here", item.verdict)


def _require_signatures(asked: Asked, request: SigningRequest, response: SigningResponse, source: str) -> None:
    """Payloads of the request are signed, nothing else is, and each signature is one of the authority's keys.

    A response tells one decision; what was signed under another stands in a response of its own. That every role has
    all its signatures is asked of all responses together.
    """
    payloads = request.below("payloads")
    signed = {f"{item.role}.{item.version}.json" for item in response.signatures}
    if not signed or not signed <= set(payloads):
        refuse(RepositoryRule.RESPONSE_SIGNATURE, source, f"signatures of {sorted(payloads)}", f"{sorted(signed)}")
    for item in response.signatures:
        data = payloads[f"{item.role}.{item.version}.json"]
        own = [quorum.keys for quorum in asked.quorums(item.role) if quorum.authority == response.authority]
        if not any(signers(keys.keys, keys.keyids, {item.keyid: item.signature}, data) for keys in own):
            expected = f"a valid signature by a key of the role, named {item.keyid}"
            refuse(RepositoryRule.RESPONSE_SIGNATURE, f"{source}, {item.role}", expected, "none")


def _require_logged(
    asked: Asked, item: AskedRequest, response: SigningResponse, proofs: Mapping[str, bytes], source: str
) -> None:
    """Every signature stands in the log that the trusted root pins, or the one that this record proposes."""
    roots = [item.root.value] if item.root else []
    if item.request.index.action in {"root", "recovery"}:
        roots = asked.roots()
    payloads = {name.rsplit(".", 2)[0]: sha256(data) for name, data in item.request.below("payloads").items()}
    pins = [
        pinned
        for root in roots
        if (pinned := pinned_log(view_root(root).extension, response.authority, f"root version {root.version}"))
    ]
    require_logged(response, proofs, payloads, pins, source)


def _question(asked: Asked, claim: _Claim, consents: Sequence[bytes]) -> Question:
    """What the authority's policy was asked, as of the time of its decision; nobody signs yet."""
    item = claim.item
    return ask(
        item.request,
        policy_data=item.policy,
        operators_data=item.operators,
        root=item.root,
        ledger=asked.ledgers[item.request.index.authority],
        envelopes=tuple(claim.envelopes.values()),
        consents=consents,
        custodian=None,
        now=claim.response.decided,
        readings=READINGS,
    )
