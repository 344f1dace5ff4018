"""The log of an authority as root pins it: its key, and who must have witnessed its checkpoints."""

from dataclasses import dataclass

from enigm_tuf.audit.notes import LOG_KEY, WITNESS_KEY, NoteKey, read_key
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.request import Authority
from enigm_tuf.model.root_extension import AuditLogPin, RootExtension


@dataclass(frozen=True, slots=True)
class PinnedLog:
    """``threshold`` of ``witnesses`` must have cosigned a checkpoint of the log with ``key``."""

    key: NoteKey
    witnesses: tuple[NoteKey, ...]
    threshold: int


def log_place(environment: str, authority: str) -> str:
    """How the origin of an authority's log ends: a log of one environment never stands for another's."""
    return f"{environment}/{authority}"


def read_pin(pin: AuditLogPin, source: str) -> PinnedLog:
    """MalformedError unless the keys are keys, the origin is that of the log's key, and the threshold can be met."""
    key = read_key(pin.public_key, LOG_KEY, source, "audit_logs.public_key")
    if key.name != pin.origin:
        raise MalformedError(source, "audit_logs.origin", f"must be the name in the public key, {key.name}")
    witnesses = tuple(read_key(text, WITNESS_KEY, source, "audit_logs.witnesses") for text in pin.witnesses)
    if len({witness.public for witness in witnesses} - {key.public}) != len(witnesses):
        raise MalformedError(source, "audit_logs.witnesses", "distinct keys, and none is the log's own")
    if pin.witness_threshold > len(witnesses):
        raise MalformedError(source, "audit_logs.witness_threshold", f"at most the {len(witnesses)} witnesses")
    return PinnedLog(key, witnesses, pin.witness_threshold)


def pinned_log(extension: RootExtension, authority: Authority, source: str) -> PinnedLog | None:
    """The log of ``authority`` in root's own environment; None if root pins none, MalformedError if more than one."""
    place = log_place(extension.environment, authority)
    pins = [pin for pin in extension.audit_logs if pin.origin.endswith(f"/{place}")]
    if len(pins) > 1:
        raise MalformedError(source, "audit_logs", f"one log of {place}, not {len(pins)}")
    return read_pin(pins[0], source) if pins else None


def require_pinned(extension: RootExtension, authority: Authority, own: NoteKey, source: str) -> None:
    """RefusedError LOG-PINNED unless ``own`` is the log that this root pins for the authority."""
    pinned = pinned_log(extension, authority, source)
    if pinned is None or pinned.key != own:
        raise RefusedError(
            AuditRule.LOG_PINNED,
            source,
            expected=f"audit_logs with {own.text}",
            got=pinned.key.text if pinned else f"no log of the {authority} authority",
            hint="a root request pins it: audit_logs in repository.toml",
        )
