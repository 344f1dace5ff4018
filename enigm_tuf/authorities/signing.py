"""Signing a request: the one path by which a key of an authority signs metadata.

1. nothing is in doubt from before; 2. the root chain; 3. the policy, every rule of it; 4. a person confirms the digest;
5. the token is what the inventory says, and its key fits; 6. the policy again, now that the custodian is known; 7. for
each payload: intent, signature, check, result. Each step is in the audit log, durably, before the next begins.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.audit.linked import LinkedLog, open_log
from enigm_tuf.audit.log import EntryType
from enigm_tuf.authorities.answering import Answer, failed, passed
from enigm_tuf.authorities.history import Payload, history_of
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.inventory.comparing import require_same
from enigm_tuf.authorities.inventory.keeping import in_force
from enigm_tuf.authorities.judging import Case, open_case
from enigm_tuf.authorities.role_keys import KeyOfRole, key_of_role, payloads_of
from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.authorities.signing_log import (
    intent,
    log_decision,
    log_request,
    logged_session,
    refusals_logged,
    signed_payload,
)
from enigm_tuf.authorities.token_fit import find_key, require_fit
from enigm_tuf.authorities.trust_root import keep_news
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.request import RoleSignature, SigningRequest
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.engine import ApprovedRequest, Decision, admit, approved_metadata
from enigm_tuf.policy.question import Question
from enigm_tuf.ports import Clock, PinCallback, Token, TokenKey, TokenSession
from enigm_tuf.trust.threshold import signers


@dataclass(frozen=True, slots=True)
class Custodian:
    """Who signs, with what. ``confirm`` shows the question and raises unless the person says the digest's words."""

    token: Token
    label: str
    pin: PinCallback
    confirm: Callable[[Question], None]


@dataclass(frozen=True, slots=True)
class _Ready:
    """All checks passed: what is signed, with which key, listed how by each role."""

    approved: ApprovedRequest
    question: Question
    decision: Decision
    session: TokenSession
    key: TokenKey
    roles: dict[str, KeyOfRole]

    @property
    def digest(self) -> str:
        return sha256(self.key.spki)


def sign(
    home: Home, request: SigningRequest, envelopes: tuple[bytes, ...], custodian: Custodian, clock: Clock
) -> Answer:
    """Sign every payload of the request that this key has not signed yet.

    RefusedError SIGN-INTENT-OPEN, ROOT-CHAIN, CONFIRM-WORDS, KEY-OF-ROLE, SIGN-ONCE, and those of the root chain and
    the token. Where the policy says no, the answer has a refusal and no signature.
    """
    with open_log(home.log, clock) as log, ExitStack() as stack:
        _require_nothing_in_doubt(log)
        log_request(log, request)
        with refusals_logged(log, request):
            case = open_case(home, request, envelopes, log.entries(), _now(clock))
            keep_news(home, case.chain, log)
            question, decision = _judge(case, None, log, clock)
            if not decision.passed:
                return failed(case, question, decision, log)
            require_fit(custodian.token.identity(), home.environment)
            custodian.confirm(question)
            session = stack.enter_context(custodian.token.session(custodian.pin))
            key = find_key(session, custodian.label)
            inventory = _checked_inventory(home, log, session, key)
            roles = {role: key_of_role(question, role, sha256(key.spki)) for role in question.proposals}
            question, decision = _judge(case, next(iter(roles.values())).info.custodian, log, clock)
            if not decision.passed:
                return failed(case, question, decision, log)
            _require_first_time(case, sha256(key.spki))
            ready = _Ready(admit(question), question, decision, session, key, roles)
        signatures = _sign_payloads(case, ready, log)
        return passed(case, question, decision, signatures, inventory, log)


def _now(clock: Clock) -> datetime:
    return clock.now().replace(microsecond=0)


def _checked_inventory(home: Home, log: LinkedLog, session: TokenSession, key: TokenKey) -> str:
    """The digest of the inventory in force; RefusedError INVENTORY unless the whole token is what it says."""
    inventory, digest = in_force(home, log)
    require_same(inventory, session, key.label)
    body = {"version": inventory.version, "sha256": digest, "serial": session.identity.serial, "label": key.label}
    log.append(EntryType.INVENTORY_CHECKED, body)
    return digest


def _judge(case: Case, custodian: str | None, log: LinkedLog, clock: Clock) -> tuple[Question, Decision]:
    question, decision = case.judge(custodian, _now(clock))
    log_decision(log, case.request, decision)
    return question, decision


def _require_nothing_in_doubt(log: LinkedLog) -> None:
    if doubt := history_of(log.entries()).open_intent:
        raise RefusedError(
            SigningRule.SIGN_INTENT_OPEN,
            f"request {doubt['request_id']}, {doubt['role']} version {doubt['version']}",
            expected="a result for every intent in the audit log",
            got=f"none for key {doubt['key']}",
            hint="a crash came between intent and result: stop, keep the log, and find out with the auditor "
            "whether that signature was made; nothing is signed here until then",
        )


def _require_first_time(case: Case, key: str) -> None:
    made = case.history.signed_by(case.request.digest, key)
    if made.keys() >= {name.rsplit(".", 2)[0] for name in case.request.below("payloads")}:
        raise RefusedError(
            SigningRule.SIGN_ONCE,
            f"request {case.request.index.request_id}",
            expected="a key that has not signed it yet",
            got=f"key {key}, which has signed all of it",
            hint="another custodian signs with another token; if the response was lost, ask for a new request",
        )


def _sign_payloads(case: Case, ready: _Ready, log: LinkedLog) -> tuple[RoleSignature, ...]:
    payloads = payloads_of(ready.question)
    made = case.history.signed_by(case.request.digest, ready.digest)
    custodian = next(iter(ready.roles.values())).info.custodian
    with logged_session(log, ready.session.identity, ready.digest, custodian):
        return tuple(
            made.get(payload.role) or _sign_payload(case.request, ready, payload, payloads, log) for payload in payloads
        )


def _sign_payload(
    request: SigningRequest, ready: _Ready, payload: Payload, payloads: tuple[Payload, ...], log: LinkedLog
) -> RoleSignature:
    """Intent first: if the machine dies while the token signs, the log says that a signature may be out there."""
    log.append(EntryType.SIGN_INTENT, intent(request, payload, payloads, ready.digest))
    with refusals_logged(log, request, payload.role):
        message = approved_metadata(ready.approved, payload.role)
        signature = ready.session.sign(ready.key.label, message).hex()
        _require_valid(ready, payload, signature, message.data)
    keyid = ready.roles[payload.role].keyid
    body = signed_payload(request, payload, ready.digest) | {"keyid": keyid, "signature": signature}
    log.append(EntryType.SIGN_PERFORMED, body)
    return RoleSignature(payload.role, payload.version, keyid, signature)


def _require_valid(ready: _Ready, payload: Payload, signature: str, data: bytes) -> None:
    """As a TUF client will look at it: the role's key, the metadata's bytes."""
    keyid = ready.roles[payload.role].keyid
    if sha256(data) != payload.sha256 or not signers(
        {keyid: tuf_key(ready.key.spki)}, [keyid], {keyid: signature}, data
    ):
        raise RefusedError(
            SigningRule.KEY_OF_ROLE,
            f"{payload.role} version {payload.version}",
            expected=f"a signature that verifies with key {keyid}",
            got="one that does not",
        )
