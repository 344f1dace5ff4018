"""Signing a request: the one path by which a key of an authority signs metadata.

1. nothing is in doubt from before; 2. the root chain; 3. the policy, every rule of it; 4. a person confirms the digest;
5. the token is what the inventory says, and its key fits; 6. the policy again, now that the custodian is known; 7. for
each payload: intent, signature, check, result. Each step is in the audit log, durably, before the next begins.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import MerkleLog, open_log
from enigm_tuf.audit.pins import require_pinned
from enigm_tuf.authorities.answering import Answer, failed, passed
from enigm_tuf.authorities.backup.proofs import signing_key
from enigm_tuf.authorities.doubt import require_nothing_in_doubt
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.inventory.comparing import require_same
from enigm_tuf.authorities.inventory.keeping import named_by
from enigm_tuf.authorities.judging import Brought, Case, open_case
from enigm_tuf.authorities.kept_history import keep, remember
from enigm_tuf.authorities.payload_signing import PayloadSigner
from enigm_tuf.authorities.role_keys import key_of_role
from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.authorities.signing_log import (
    log_decision,
    log_request,
    logged_session,
    refusals_logged,
)
from enigm_tuf.authorities.token_fit import find_key, require_fit
from enigm_tuf.authorities.trust_root import keep_news
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.inventory import InventoryKey
from enigm_tuf.model.request import SigningRequest
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root
from enigm_tuf.policy.engine import Decision, admit
from enigm_tuf.policy.question import Question, SigningKey
from enigm_tuf.ports import Clock, PinCallback, Token, TokenKey, TokenSession
from enigm_tuf.trust.root_rules import view_root


@dataclass(frozen=True, slots=True)
class Custodian:
    """Who signs, with what. ``confirm`` shows the question and raises unless the person says the digest's words."""

    token: Token
    label: str
    pin: PinCallback
    confirm: Callable[[Question], None]


@dataclass(frozen=True, slots=True)
class _Ready:
    """All checks passed: what the answer says of them, and what signs."""

    case: Case
    signer: PayloadSigner


def sign(home: Home, request: SigningRequest, brought: Brought, custodian: Custodian, clock: Clock) -> Answer:
    """Sign every payload of the request that this key has not signed yet.

    RefusedError LOG-CONSISTENT, SIGN-INTENT-OPEN, ROOT-CHAIN, CONFIRM-WORDS, KEY-OF-ROLE, SIGN-ONCE, REQUEST-TIME, and
    those of the root chain and the token. Where the policy says no, the answer has a refusal and no signature.
    """
    with open_log(home.log, clock) as log, ExitStack() as stack:
        ready = _prepare(home, request, brought, custodian, clock, log, stack)
        if isinstance(ready, Answer):
            return ready
        with logged_session(log, ready.signer.session.identity, ready.signer.digest, ready.signer.custodian):
            signatures = ready.signer.sign_all()
        return passed(ready.case, ready.signer, signatures)


@contextmanager
def approved_signer(
    home: Home, request: SigningRequest, brought: Brought, custodian: Custodian, clock: Clock
) -> Iterator[PayloadSigner]:
    """The same checks and log entries, for who signs the payloads with another library (``tuf_signer``).

    Raises what ``sign`` raises, and the refusal where the policy says no.
    """
    with open_log(home.log, clock) as log, ExitStack() as stack:
        ready = _prepare(home, request, brought, custodian, clock, log, stack)
        if isinstance(ready, Answer):
            raise ready.refusal or AssertionError("a failed answer has a refusal")
        with logged_session(log, ready.signer.session.identity, ready.signer.digest, ready.signer.custodian):
            yield ready.signer


def _prepare(
    home: Home,
    request: SigningRequest,
    brought: Brought,
    custodian: Custodian,
    clock: Clock,
    log: MerkleLog,
    stack: ExitStack,
) -> "_Ready | Answer":
    """Steps 1 to 6; an Answer where the policy says no. The token's session ends with ``stack``."""
    memory = remember(home.path, log)
    require_nothing_in_doubt(memory.state.intent)
    keep(home.path, log, memory)
    log_request(log, request)
    with refusals_logged(log, request):
        case = open_case(home, request, brought, remember(home.path, log).history(), _now(clock))
        keep_news(home, case.chain, log)
        question, decision = _judge(case, log, clock)
        if not decision.passed:
            return failed(case, question, decision, log)
        _require_log_pinned(home, question, log)
        require_fit(custodian.token.identity(), home.environment)
        custodian.confirm(question)
        session = stack.enter_context(custodian.token.session(custodian.pin))
        key = find_key(session, custodian.label)
        item, inventory = _checked_inventory(case, log, session, key)
        roles = {role: key_of_role(question, role, sha256(key.spki)) for role in question.proposals}
        info = next(iter(roles.values())).info
        signs = signing_key(item, info, case.history.restores)
        question, decision = _judge(case, log, clock, signs)
        if not decision.passed:
            return failed(case, question, decision, log)
        _require_first_time(case, sha256(key.spki))
        signer = PayloadSigner(admit(question), session, key, roles, inventory, case.history, log, clock)
        return _Ready(case, signer)


def _now(clock: Clock) -> datetime:
    return clock.now().replace(microsecond=0)


def _checked_inventory(case: Case, log: MerkleLog, session: TokenSession, key: TokenKey) -> tuple[InventoryKey, str]:
    """The key's entry and the inventory's digest; RefusedError INVENTORY unless the whole token is what it says."""
    inventory, digest = named_by(case.home, case.history.inventory)
    item = require_same(inventory, session, key.label)
    body = {"version": inventory.version, "sha256": digest, "serial": session.identity.serial, "label": key.label}
    log.append(EntryType.INVENTORY_CHECKED, body)
    return item, digest


def _judge(case: Case, log: MerkleLog, clock: Clock, signer: SigningKey | None = None) -> tuple[Question, Decision]:
    question, decision = case.judge(_now(clock), signer)
    log_decision(log, case.request, question.now, decision)
    return question, decision


def _require_log_pinned(home: Home, question: Question, log: MerkleLog) -> None:
    """RefusedError LOG-PINNED: what nobody could find in this authority's log is not signed."""
    proposed = question.proposals.get("root")
    root = proposed.signed if proposed else question.root_to_judge_by()
    if isinstance(root, Root):
        extension = view_root(root).extension
        require_pinned(extension, home.authority, log.signer.log, f"root version {root.version}")


def _require_first_time(case: Case, key: str) -> None:
    made = case.history.signed_by(case.request.digest, key)
    if made.keys() >= {name.rsplit(".", 2)[0] for name in case.request.below("payloads")}:
        raise RefusedError(
            SigningRule.SIGN_ONCE,
            f"request {case.request.index.request_id}",
            expected="a key that has not signed it yet",
            got=f"key {key}, which has signed all of it",
            hint="another custodian signs with another token; if the response was lost: enigm-sign response again",
        )
