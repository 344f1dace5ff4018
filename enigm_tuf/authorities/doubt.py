"""Whether a signature is in doubt: an intent in the audit log of which nobody knows how it ended."""

from dataclasses import dataclass, replace

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.errors import StateError
from enigm_tuf.model.strict_json import JsonObject


@dataclass(frozen=True, slots=True)
class SigningState:
    """After some entries of a log: ``intent`` is the ``sign.intent`` without a result.

    ``session`` is the body of the last ``session.open``: who held the key of that intent, on which token.
    """

    session: JsonObject | None = None
    intent: AuditEntry | None = None

    def after(self, entry: AuditEntry) -> "SigningState":
        """One entry later; StateError where people recovered from an intent that was not open."""
        match entry.type:
            case EntryType.SESSION_OPEN:
                return replace(self, session=entry.body)
            case EntryType.SIGN_INTENT:
                return replace(self, intent=entry)
            case EntryType.SIGN_PERFORMED:
                return replace(self, intent=None)
            case EntryType.SIGN_REFUSED if entry.body["role"] is not None:
                return replace(self, intent=None)
            case EntryType.SIGN_RECOVERED:
                if self.intent is None or self.intent.sequence != entry.body["intent"]:
                    told = f"recovers from entry {entry.body['intent']}, which was no open intent"
                    raise StateError(f"audit log, entry {entry.sequence}: {told}")
                return replace(self, intent=None)
        return self
