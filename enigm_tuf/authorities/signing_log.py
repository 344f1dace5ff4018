"""What signing writes into the audit log."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from enigm_tuf.audit.log import AuditLog, EntryType
from enigm_tuf.authorities.doubt import IN_DOUBT, proves_nothing_made
from enigm_tuf.authorities.signed_requests import Payload
from enigm_tuf.errors import EnigmTufError, RefusedError, StateError
from enigm_tuf.model.request import RULE_OUTCOME, SigningRequest
from enigm_tuf.model.waiver import Waiver
from enigm_tuf.policy.engine import Decision
from enigm_tuf.policy.question import CastApproval, CastWaiver
from enigm_tuf.ports import TokenIdentity


def log_request(log: AuditLog, request: SigningRequest) -> None:
    """That it came, before anything is decided on it."""
    index = request.index
    log.append(
        EntryType.REQUEST_RECEIVED,
        {
            **_named(request),
            "sequence": index.sequence,
            "authority": index.authority,
            "environment": index.environment,
            "action": index.action,
            "payloads": sorted(request.below("payloads"))[:100],
        },
    )


def log_decision(log: AuditLog, request: SigningRequest, decided: datetime, decision: Decision) -> None:
    """When, and every rule's outcome, as the response has it. Then what counted."""
    rules = [RULE_OUTCOME.write(item) for item in decision.outcomes]
    evaluated = _named(request) | {"decided": decided, "passed": decision.passed, "rules": rules}
    counted = [
        (EntryType.APPROVAL_COUNTED, _named(request) | {"decision": vote.approval.decision} | _signer(vote))
        for vote in decision.counted
    ]
    waived = [
        (EntryType.WAIVER_COUNTED, _named(request) | _terms(item.waiver) | _signer(item)) for item in decision.waivers
    ]
    log.extend([(EntryType.POLICY_EVALUATED, evaluated), *counted, *waived])


def _signer(item: CastApproval | CastWaiver) -> dict[str, object]:
    """Whose envelope it is."""
    return {name: getattr(item, name) for name in ("operator", "partition", "key", "device", "envelope_sha256")}


def _terms(waiver: Waiver) -> dict[str, object]:
    return {"rule": waiver.rule, "reason": waiver.reason, "expires": waiver.expires}


@contextmanager
def refusals_logged(log: AuditLog, request: SigningRequest) -> Iterator[None]:
    """Log why it ended, before any intent. What the log itself raises cannot be logged."""
    try:
        yield
    except StateError:
        raise
    except EnigmTufError as error:
        log_refusal(log, request, error)
        raise


@contextmanager
def intent_closed(log: AuditLog, request: SigningRequest, role: str, close: Callable[[], None]) -> Iterator[None]:
    """While a token signs for the open intent of ``role``: where the error proves that no signature was made, log it as
    the end of the intent, and ``close`` it. Any other is logged without the role; the intent stays open, and the hint
    says so.
    """
    try:
        yield
    except StateError:
        raise
    except EnigmTufError as error:
        if proves_nothing_made(error):
            log_refusal(log, request, error, role)
            close()
        else:
            log_refusal(log, request, error)
            error.hint = IN_DOUBT
        raise


def log_refusal(log: AuditLog, request: SigningRequest, error: EnigmTufError, role: str | None = None) -> None:
    """Why nothing was signed; with ``role``, that its intent came to nothing."""
    rule = error.rule if isinstance(error, RefusedError) else type(error).__name__
    body = _named(request) | {"role": role, "rule": rule, "reason": one_line(str(error), 2_000)}
    log.append(EntryType.SIGN_REFUSED, body)


@contextmanager
def logged_session(log: AuditLog, identity: TokenIdentity, key: str, custodian: str) -> Iterator[None]:
    """Around the signatures of one custodian."""
    token = {name: getattr(identity, name) for name in ("home", "manufacturer", "model", "serial", "firmware", "label")}
    log.append(EntryType.SESSION_OPEN, token | {"key": key, "custodian": custodian})
    yield
    log.append(EntryType.SESSION_CLOSE, {"key": key})


def intent(request: SigningRequest, payload: Payload, payloads: tuple[Payload, ...], key: str) -> dict[str, object]:
    """The body of ``sign.intent``: all payloads of the request, so that the log alone tells when it is done."""
    listed = [
        {
            "role": item.role,
            "version": item.version,
            "sha256": item.sha256,
            "quorums": [{"threshold": quorum.threshold, "keys": quorum.keys} for quorum in item.quorums],
        }
        for item in payloads
    ]
    return {**signed_payload(request, payload, key), "payloads": listed}


def signed_payload(request: SigningRequest, payload: Payload, key: str) -> dict[str, object]:
    """What ``sign.intent`` and ``sign.performed`` share."""
    return {
        **_named(request),
        "sequence": request.index.sequence,
        "role": payload.role,
        "version": payload.version,
        "sha256": payload.sha256,
        "key": key,
    }


def _named(request: SigningRequest) -> dict[str, object]:
    return {"request_sha256": request.digest, "request_id": request.index.request_id}


def one_line(text: str, room: int) -> str:
    """Without line ends and control characters, at most ``room`` characters."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text)[:room]
