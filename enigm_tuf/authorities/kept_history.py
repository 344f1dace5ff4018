"""What an authority remembers, kept beside its log: a signature costs the same after ten requests and ten million.

The file ``history.json`` is trusted for nothing: the log says which bytes it has, in an entry ``history.kept`` just
after the last entry that the file is about. That entry and all after it are read, and lead together with the tiles
before them to the root of the checkpoint. Where anything does not fit, the whole log is read instead. Who has the
log's key can log a lie, here as in any entry: it stays there, and ``audit verify`` derives every kept history anew.
"""

from collections import deque
from pathlib import Path
from typing import Any

from enigm_tuf.audit.log import BODIES, HISTORY_FORM, PAYLOAD, AuditEntry, EntryType, entry_shape
from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.authorities.doubt import SigningState
from enigm_tuf.authorities.history import Memory
from enigm_tuf.authorities.signed_requests import Payload, Quorum, SignedRequest, signature_in
from enigm_tuf.durable import read_input, replace_file
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.ceremony import CEREMONY_TYPES
from enigm_tuf.model.keys import HEX
from enigm_tuf.model.request import ROLE, Previous, RoleSignature
from enigm_tuf.model.shapes import LINE, NAME, POSITIVE, SHA256, Choice, Integer, Optional, Record, Sequence, Time
from enigm_tuf.model.strict_json import JsonObject, encode, parse, sha256
from enigm_tuf.policy.question import Backer, OpenCeremony

EVERY = 1_000  # entries: so many are read again for a signature, at most some tenth of a second
_BYTES = LIMITS.inventory_bytes
_VERSION: dict[str, Any] = {"role": ROLE, "version": POSITIVE, "sha256": SHA256}
_SIGNATURE: dict[str, Any] = {"role": ROLE, "version": POSITIVE, "keyid": SHA256, "signature": HEX}
_BACKER = Record(Backer, operator=NAME, device=LINE, time=Time())
HISTORY: Record[JsonObject] = Record(
    dict,
    HISTORY_FORM,
    entries=POSITIVE,
    last_time=Time(),
    last_sequence=Integer(),
    intent=Optional(entry_shape(EntryType.SIGN_INTENT)),
    session=Optional(BODIES[EntryType.SESSION_OPEN]),
    requests=Sequence(
        Record(
            dict,
            digest=SHA256,
            sequence=POSITIVE,
            payloads=Sequence(PAYLOAD, minimum=1),
            signatures=Sequence(Record(dict, **_SIGNATURE, key=SHA256)),
            backers=Sequence(_BACKER),
            lost=Sequence(SHA256),
        )
    ),
    counted=Sequence(Record(dict, request=SHA256, backer=_BACKER)),
    heads=Sequence(Record(dict, **_VERSION, sequence=POSITIVE)),
    operators=Optional(BODIES[EntryType.OPERATORS_CHANGED]),
    inventory=Optional(BODIES[EntryType.INVENTORY_CHANGED]),
    signatures=Sequence(Time()),
    ceremonies=Sequence(Record(OpenCeremony, id=HEX, type=Choice(CEREMONY_TYPES), opened=Time())),
    policies=Sequence(SHA256),
    restores=Sequence(Record(dict, key=SHA256, time=Time())),
)


def remember(home: Path, log: MerkleLog) -> Memory:
    """All that the log in ``home`` says, from the kept history and the entries after it, or from the first entry.

    RefusedError LOG-CONSISTENT if a history was kept of more entries than there are, or if the log does not begin with
    what a witness cosigned: it was cut or put back. LOG-TREE, LOG-FORM, LOG-TIME where an entry that is read is not as
    it was logged.
    """
    log.require_cosigned()
    kept = _kept(home, log)
    if kept is not None:
        return kept
    memory = Memory()
    for entry in log.entries_after(0):
        memory.see(entry)
    return memory


def keep(home: Path, log: MerkleLog, memory: Memory) -> None:
    """Keep what is remembered of the whole log as it is, if so much of it came since the last time.

    The file is durable first; a crash before its entry leaves one that fits nothing, and the log is read whole again.
    """
    if memory.entries - memory.kept < EVERY:
        return
    data = write_memory(memory)
    try:
        read_memory(data, "history")
    except MalformedError:  # more of something than a document may list: then there is none
        return
    replace_file(home / "history.json", data)
    log.append(EntryType.HISTORY_KEPT, anchor_of(memory))


def anchor_of(memory: Memory) -> JsonObject:
    """The body of ``history.kept``."""
    return _anchor(memory.entries, write_memory(memory))


def _anchor(entries: int, data: bytes) -> JsonObject:
    return {"form": HISTORY_FORM, "entries": entries, "sha256": sha256(data)}


def require_kept(memory: Memory, entry: AuditEntry) -> None:
    """RefusedError LOG-HISTORY unless ``entry`` keeps what all entries before it, which are in ``memory``, say."""
    expected = anchor_of(memory)
    if entry.body != expected:
        raise RefusedError(
            AuditRule.LOG_HISTORY,
            f"audit log, entry {entry.sequence}",
            expected=f"the history of {expected['entries']} entries, {expected['sha256']}",
            got=f"of {entry.body['entries']}, {entry.body['sha256']}",
            hint="somebody who has the log's key made this authority remember something else: stop, keep everything",
        )


def _kept(home: Path, log: MerkleLog) -> Memory | None:
    """None unless the file is the one that its entry in the log names."""
    path = home / "history.json"
    if not path.is_file():
        return None
    data = read_input(path, _BYTES)
    try:
        memory = read_memory(data, str(path))
    except MalformedError:
        return None
    size = log.head().entries
    if memory.entries == size:  # a crash before its entry
        return None
    if memory.entries > size:
        raise RefusedError(
            AuditRule.LOG_CONSISTENT,
            str(path),
            expected=f"a log of at least {memory.entries} entries",
            got=f"{size} entries",
            hint="the log was cut or put back: keep both as evidence; enigm-sign audit verify --since",
        )
    after = log.entries_after(memory.entries)
    anchor = next(after)
    if (anchor.type, anchor.body) != (EntryType.HISTORY_KEPT, _anchor(memory.entries, data)):
        return None
    memory.see(anchor)
    for entry in after:
        memory.see(entry)
    return memory


def write_memory(memory: Memory) -> bytes:
    """The one encoding of what is remembered after ``memory.entries`` entries."""
    heads = [{**_named(head), "sequence": sequence} for _, (sequence, head) in sorted(memory.heads.items())]
    requests = [_request(item) for _, item in sorted(memory.requests.items())]
    value = {
        "entries": memory.entries,
        "last_time": memory.last_time,
        "last_sequence": memory.last_sequence,
        "intent": memory.state.intent,
        "session": memory.state.session,
        "requests": requests,
        "counted": [{"request": digest, "backer": backer} for digest, backer in memory.counted],
        "heads": heads,
        "operators": memory.operators,
        "inventory": memory.inventory,
        "signatures": tuple(memory.signatures),
        "ceremonies": tuple(memory.ceremonies.values()),
        "policies": sorted(memory.policies),
        "restores": [{"key": key, "time": time} for key, time in sorted(memory.restores.items())],
    }
    return encode(HISTORY.write(value))


def read_memory(data: bytes, source: str) -> Memory:
    """MalformedError unless the file is whole; whether it is true, the log says."""
    value = HISTORY.read(parse(data, source=source, max_bytes=_BYTES), source)
    return Memory(
        entries=value["entries"],
        state=SigningState(value["session"], value["intent"]),
        requests={item["digest"]: _read_request(item) for item in value["requests"]},
        counted=[(item["request"], item["backer"]) for item in value["counted"]],
        heads={item["role"]: (item["sequence"], _previous(item)) for item in value["heads"]},
        last_sequence=value["last_sequence"],
        last_time=value["last_time"],
        operators=value["operators"],
        inventory=value["inventory"],
        signatures=deque(value["signatures"]),
        ceremonies={item.id: item for item in value["ceremonies"]},
        policies=set(value["policies"]),
        restores={item["key"]: item["time"] for item in value["restores"]},
    )


def _request(item: SignedRequest) -> JsonObject:
    payloads = [
        {**_named(payload), "quorums": [{"threshold": it.threshold, "keys": it.keys} for it in payload.quorums]}
        for payload in item.payloads
    ]
    made = [
        {"key": key, **{name: getattr(one, name) for name in RoleSignature.__slots__}}
        for (_, key), one in sorted(item.signatures.items())
    ]
    about = {"digest": item.digest, "sequence": item.sequence, "payloads": payloads}
    return {**about, "signatures": made, "backers": item.backed_by, "lost": sorted(item.lost)}


def _read_request(item: JsonObject) -> SignedRequest:
    payloads = tuple(
        Payload(*_place(one), tuple(Quorum(it["threshold"], it["keys"]) for it in one["quorums"]))
        for one in item["payloads"]
    )
    made = {(one["role"], one["key"]): signature_in(one) for one in item["signatures"]}
    backers = {(one.operator, one.device): one.time for one in item["backers"]}
    return SignedRequest(item["digest"], item["sequence"], payloads, made, backers, set(item["lost"]))


def _named(item: Payload | Previous) -> dict[str, Any]:
    return {"role": item.role, "version": item.version, "sha256": item.sha256}


def _place(item: JsonObject) -> tuple[str, int, str]:
    return item["role"], item["version"], item["sha256"]


def _previous(item: JsonObject) -> Previous:
    return Previous(*_place(item))
