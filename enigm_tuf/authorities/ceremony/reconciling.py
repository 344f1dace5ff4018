"""Did it happen? What is asked before a step is done again that may have been done: after a crash, after an error.

The audit log answers where the action logs what it did; the file that it writes last, where it writes one; the token,
where it makes a key. Where they do not agree, people answer, and the transcript says who.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.ceremony.performing import Said
from enigm_tuf.authorities.ceremony.progress import Progress
from enigm_tuf.authorities.ceremony.room import Room
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.kept_documents import INVENTORY, OPERATORS
from enigm_tuf.authorities.token_fit import FACTORY
from enigm_tuf.authorities.tokens.uri import key_in
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError, NoTokenError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.ceremony import Step
from enigm_tuf.model.request import read_request
from enigm_tuf.model.strict_json import JsonObject, sha256


class Answer(Enum):
    """What is known of an action that may have been done."""

    HAPPENED = "it happened"
    NOT = "it did not happen"
    DOUBT = "nobody can tell from here"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The answer, and why."""

    answer: Answer
    why: str

    @property
    def said(self) -> Said:
        return Said((self.why,))


LOGGED = {
    "wrapping make": EntryType.WRAPPING_MADE,
    "key backup": EntryType.BACKUP_MADE,
    "key restore": EntryType.KEY_RESTORED,
    "key restore-test": EntryType.RESTORE_PROVED,
}
"""Actions that are in the audit log and write a file afterwards."""


def reconcile(room: Room, step: Step, progress: Progress) -> Reconciled:
    """``progress`` is of that step, which was begun at least once. Reads log, files and tokens, and changes none.

    But for a response that was lost: it is written again from the log. TokenError where a token does not answer.
    """
    if progress.performed and step.action in (*OTHERS, *LOGGED):
        return Reconciled(Answer.HAPPENED, "it was done, and somebody objected")
    since = _since(room, progress)
    crashed = progress.open or progress.crashed
    if step.action in LOGGED:
        return _logged_and_written(room, step, since)
    if step.action in OTHERS:
        return OTHERS[step.action](room, step, since, crashed)
    return Reconciled(Answer.NOT, "looking on again changes nothing")


def _since(room: Room, progress: Progress) -> list[AuditEntry]:
    """What was logged since the step began, but for what another token did meanwhile."""
    serials = {serial for body in progress.begun for serial in body["tokens"].values()}
    entries = read_log(room.home.log)[progress.begun[0]["audit_entries"] :]
    return [entry for entry in entries if not serials or entry.body.get("serial", min(serials)) in serials]


def _logged_and_written(room: Room, step: Step, since: list[AuditEntry]) -> Reconciled:
    logged = any(entry.type == LOGGED[step.action] for entry in since)
    written = _is_written(room, step)
    if logged and written:
        return Reconciled(Answer.HAPPENED, "it is in the audit log, and its file is there")
    if not logged and not written:
        return Reconciled(Answer.NOT, "it is not in the audit log, and its file is not there")
    return Reconciled(Answer.DOUBT, f"in the audit log: {_yes(logged)}; its file is there: {_yes(written)}")


def _is_written(room: Room, step: Step) -> bool:
    out = room.out(step)
    return out is not None and out.exists()


def _written(room: Room, step: Step, since: list[AuditEntry], crashed: bool) -> Reconciled:
    """Nothing but a file comes of it, and it comes whole or not at all."""
    del since, crashed
    there = _is_written(room, step)
    return Reconciled(Answer.HAPPENED if there else Answer.NOT, f"its file is there: {_yes(there)}")


def _proposed(room: Room, step: Step, since: list[AuditEntry], crashed: bool) -> Reconciled:
    del crashed
    logged = _logged(since, EntryType.POLICY_PROPOSED, _digest(room.parsed(step).new)) is not None
    return Reconciled(Answer.HAPPENED if logged else Answer.NOT, f"it is in the audit log: {_yes(logged)}")


def _adopted(room: Room, step: Step, since: list[AuditEntry], crashed: bool) -> Reconciled:
    """Logged before the document is kept. Adopting it again keeps it, and logs nothing twice."""
    del crashed
    kind, name, place = ADOPTED[step.action]
    digest = _digest(getattr(room.parsed(step), name))
    body = _logged(since, kind, digest)
    kept = body is not None and (path := place(room.home, body)).is_file() and _digest(path) == digest
    told = f"it is in the audit log: {_yes(body is not None)}; the home has it: {_yes(kept)}"
    return Reconciled(Answer.HAPPENED if kept else Answer.NOT, told)


def _logged(since: list[AuditEntry], kind: EntryType, digest: str) -> JsonObject | None:
    """The body of the entry that names the document."""
    return next((entry.body for entry in since if entry.type == kind and entry.body["sha256"] == digest), None)


def _digest(file: str | Path) -> str:
    return sha256(read_input(Path(file), LIMITS.inventory_bytes))


def _trusted(room: Room, step: Step, since: list[AuditEntry], crashed: bool) -> Reconciled:
    """Logged before the root is kept: both must be."""
    del step, crashed
    logged = any(entry.type == EntryType.ROOT_TRUSTED for entry in since)
    kept = bool(room.home.roots())
    if logged != kept:
        return Reconciled(Answer.DOUBT, f"the root is in the audit log: {_yes(logged)}; the home has it: {_yes(kept)}")
    return Reconciled(Answer.HAPPENED if kept else Answer.NOT, f"the home trusts a root: {_yes(kept)}")


def _signed(room: Room, step: Step, since: list[AuditEntry], crashed: bool) -> Reconciled:
    """All signatures of this token for this request, and its session closed. A lost response is written again."""
    del crashed
    arguments = room.parsed(step)
    serial = room.open_token(arguments.token).identity().serial
    digest = read_request(read_input(arguments.request, LIMITS.request_bytes), arguments.request).digest
    if not _session_signed(since, serial, digest):
        return Reconciled(Answer.NOT, "the audit log has no whole session in which this token signed this request")
    if not _is_written(room, step):
        approvals = [part for file in arguments.approval for part in ("--approval", file)]
        written = [arguments.request, "--home", arguments.home, *approvals, "--out", arguments.out]
        again = Step(step.id, "", "", "response again", tuple(written), "", "", step.on_failure)
        room.commands["response again"].run(room.parsed(again))
        return Reconciled(Answer.HAPPENED, "it is in the audit log; the response was lost and is written again")
    return Reconciled(Answer.HAPPENED, "it is in the audit log, and the response is there")


def _session_signed(since: list[AuditEntry], serial: str, digest: str) -> bool:
    """Whether a session of the token with that serial signed the request and was closed."""
    key, signed = None, False
    for entry in since:
        match entry.type:
            case EntryType.SESSION_OPEN:
                key, signed = (entry.body["key"] if entry.body["serial"] == serial else None), False
            case EntryType.SIGN_PERFORMED:
                signed |= (entry.body["key"], entry.body["request_sha256"]) == (key, digest)
            case EntryType.SIGN_REFUSED:
                signed = False
            case EntryType.SESSION_CLOSE if signed and entry.body["key"] == key:
                return True
    return False


def _generated(room: Room, step: Step, since: list[AuditEntry], crashed: bool) -> Reconciled:
    del since
    if not crashed:
        return Reconciled(Answer.NOT, "the command itself said that it made no key")
    found = list(_labels(room, step))
    return Reconciled(Answer.HAPPENED if found else Answer.NOT, f"the key is on the token: {_yes(bool(found))}")


def _destroyed(room: Room, step: Step, since: list[AuditEntry], crashed: bool) -> Reconciled:
    """Logged first, then destroyed: what is there still is destroyed again."""
    del crashed
    if list(_labels(room, step)):
        return Reconciled(Answer.NOT, "the key is on the token")
    logged = any(entry.type == EntryType.KEY_DESTROYED for entry in since)
    return Reconciled(Answer.HAPPENED if logged else Answer.DOUBT, "the key is not on the token")


def _unwrapping_destroyed(room: Room, step: Step, since: list[AuditEntry], crashed: bool) -> Reconciled:
    del room, step, crashed
    logged = any(entry.type == EntryType.WRAPPING_DESTROYED for entry in since)
    return Reconciled(Answer.DOUBT if logged else Answer.NOT, f"it is in the audit log: {_yes(logged)}")


def _initialised(room: Room, step: Step, since: list[AuditEntry], crashed: bool) -> Reconciled:
    del since
    if not crashed:
        return Reconciled(Answer.NOT, "the command itself said that the token is not ready")
    try:
        identity = room.open_token(room.parsed(step).token).identity()
    except NoTokenError:
        return Reconciled(Answer.NOT, "there is no such token")
    if FACTORY in identity.model:
        return Reconciled(Answer.NOT, "the card has secrets of the factory still")
    return Reconciled(Answer.DOUBT, f"token {identity.label} is there; whether its PIN was set, it does not say")


def _labels(room: Room, step: Step) -> Iterator[str]:
    """The label of the step's key, if such a key is on the token; asks for the PIN."""
    arguments = room.parsed(step)
    label = arguments.label or key_in(arguments.token)
    if label is None or label.startswith("id="):
        raise MisuseError(f"step {step.id}: name the key by its label, so that it can be looked for")
    with room.open_token(arguments.token).session(room.secret) as session:
        yield from [key.label for key in session.keys() if key.label == label]


def _yes(there: bool) -> str:
    return "yes" if there else "no"


ADOPTED: dict[str, tuple[EntryType, str, Callable[[Home, JsonObject], Path]]] = {
    "inventory adopt": (INVENTORY.entry, "inventory", lambda home, body: INVENTORY.path(home, body["version"])),
    "operator adopt": (OPERATORS.entry, "registry", lambda home, body: OPERATORS.path(home, body["version"])),
    "policy adopt": (EntryType.POLICY_ADOPTED, "new", lambda home, body: home.kept_policy(body["sha256"])),
}
"""Actions that put a document in force: its entry in the log, the argument that names it, where the home keeps it."""
OTHERS: dict[str, Callable[[Room, Step, list[AuditEntry], bool], Reconciled]] = {
    "token init": _initialised,
    "key generate": _generated,
    "key enrol": _written,
    "key destroy": _destroyed,
    "wrapping destroy": _unwrapping_destroyed,
    "authority trust": _trusted,
    "operator propose": _written,
    "operator sign": _written,
    "policy propose": _proposed,
    "policy approve": _written,
    "inventory propose": _written,
    "inventory sign": _written,
    **dict.fromkeys(ADOPTED, _adopted),
    "approve": _written,
    "sign": _signed,
}
