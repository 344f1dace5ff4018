"""What ``audit verify`` asks of all entries of a log, gathered in one reading of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.authorities.doubt import SigningState
from enigm_tuf.authorities.history import Memory
from enigm_tuf.authorities.kept_history import require_kept
from enigm_tuf.model.strict_json import JsonObject

UNASKED = frozenset(
    {
        EntryType.REQUEST_RECEIVED,
        EntryType.POLICY_EVALUATED,
        EntryType.INVENTORY_CHECKED,
        EntryType.SESSION_CLOSE,
    }
)
"""Types of entries of which ``facts_of`` asks nothing but that they are there, and when: most of a log's bytes."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """A ``sign.recovered``, and what was so before it: the open intent, the registry that the log named last (the
    body of its entry), the version of the newest trusted root (0: none yet).
    """

    entry: AuditEntry
    before: SigningState
    operators: JsonObject | None
    root: int


@dataclass(slots=True)
class LogFacts:
    """``memory`` is what all of it says; ``signatures`` are key id, signature and SHA-256 of what it is over, of every
    ``sign.performed``.
    """

    memory: Memory = field(default_factory=Memory)
    recoveries: list[Recovery] = field(default_factory=list)
    signatures: set[tuple[str, str, str]] = field(default_factory=set)


def facts_of(entries: Iterable[AuditEntry]) -> LogFacts:
    """Read a verified log. RefusedError LOG-HISTORY; StateError where an entry cannot follow those before it."""
    facts, root = LogFacts(), 0
    for entry in entries:
        match entry.type:
            case EntryType.HISTORY_KEPT:
                require_kept(facts.memory, entry)
            case EntryType.SIGN_RECOVERED:
                facts.recoveries.append(Recovery(entry, facts.memory.state, facts.memory.operators, root))
            case EntryType.SIGN_PERFORMED:
                body = entry.body
                facts.signatures.add((body["keyid"], body["signature"], body["sha256"]))
            case EntryType.ROOT_TRUSTED:
                root = entry.body["version"]
        facts.memory.see(entry)
    return facts
