"""Whether a signature is in doubt: an intent in the audit log of which nobody knows how it ended.

After a crash there is no result. After an error of the token there is one only if the error proves that the token made
nothing: who ends a module's process once it has signed must not keep a signature that the log calls refused.
"""

from dataclasses import dataclass, replace
from typing import NoReturn

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import (
    EnigmTufError,
    MisuseError,
    NoTokenError,
    PinLockedError,
    RefusedError,
    StateError,
    TouchTimeoutError,
    WrongPinError,
)
from enigm_tuf.model.finding import INTENT_FIELDS
from enigm_tuf.model.strict_json import JsonObject

_BEFORE_IT_SIGNS = (WrongPinError, PinLockedError, TouchTimeoutError, NoTokenError, MisuseError)
_FIND_OUT = "enigm-sign finding propose, finding sign, audit recover"
IN_DOUBT = f"the token may have signed: nothing more is signed until people have said what happened; {_FIND_OUT}"


def proves_nothing_made(error: EnigmTufError) -> bool:
    """Whether a token's ``sign`` raises it only where it has not signed: who is asked for the PIN or a touch first,
    and the key's attributes, read before. A module that died, a token that is gone, a wrong signature prove nothing.
    """
    unfit = isinstance(error, RefusedError) and error.rule == TokenRule.TOKEN_ATTRIBUTES
    return unfit or isinstance(error, _BEFORE_IT_SIGNS)


def require_nothing_in_doubt(intent: AuditEntry | None) -> None:
    """RefusedError SIGN-INTENT-OPEN if an intent is open."""
    if intent is not None:
        doubt = intent.body
        raise RefusedError(
            SigningRule.SIGN_INTENT_OPEN,
            f"request {doubt['request_id']}, {doubt['role']} version {doubt['version']}",
            expected="a result for every intent in the audit log",
            got=f"none for key {doubt['key']}",
            hint="a crash or an error of the token came between intent and result: stop, keep the log, and find out "
            f"with the auditor whether that signature was made; {_FIND_OUT}",
        )


@dataclass(frozen=True, slots=True)
class SigningState:
    """After some entries of a log: ``intent`` is the ``sign.intent`` without a result.

    ``session`` is the body of the last ``session.open``: who held the key of that intent, on which token.
    """

    session: JsonObject | None = None
    intent: AuditEntry | None = None

    def after(self, entry: AuditEntry) -> "SigningState":
        """One entry later; StateError where an intent follows one that is open, or a result none that it is of."""
        match entry.type:
            case EntryType.SESSION_OPEN:
                return replace(self, session=entry.body)
            case EntryType.SIGN_INTENT:
                if self.intent is not None:
                    _cannot_follow(entry, f"an intent, while that in entry {self.intent.sequence} is open")
                return replace(self, intent=entry)
            case EntryType.SIGN_PERFORMED:
                return self._ended(entry, tuple(INTENT_FIELDS))
            case EntryType.SIGN_REFUSED if entry.body["role"] is not None:
                return self._ended(entry, ("request_sha256", "role"))
            case EntryType.SIGN_RECOVERED:
                if self.intent is None or self.intent.sequence != entry.body["intent"]:
                    _cannot_follow(entry, f"recovers from entry {entry.body['intent']}, which was no open intent")
                return replace(self, intent=None)
        return self

    def _ended(self, entry: AuditEntry, names: tuple[str, ...]) -> "SigningState":
        """``entry`` is the result of the open intent, if both have the same ``names``."""
        if self.intent is None or any(self.intent.body[name] != entry.body[name] for name in names):
            _cannot_follow(entry, f"the result of an intent for {entry.body['role']}, which was not open")
        return replace(self, intent=None)


def _cannot_follow(entry: AuditEntry, told: str) -> NoReturn:
    raise StateError(f"audit log, entry {entry.sequence}: {told}")
