"""How signing goes on after an intent without a result: people find out, vote for what they found, and it is logged.

1. ``propose`` writes the finding about the open intent; 2. auditors and policy-approvers vote for its bytes;
3. ``recover`` counts the votes and logs them by digest; 4. ``require_recoveries`` judges every one in the log again.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from enigm_tuf.audit.checkpoints import Checkpoint, require_consistent
from enigm_tuf.audit.log import AuditEntry, EntryType, write_entry
from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.audit.tree import leaf_hash
from enigm_tuf.authorities.doubt import SigningState
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.kept_documents import OPERATORS
from enigm_tuf.authorities.log_facts import Recovery
from enigm_tuf.authorities.operators.keeping import electorate_of
from enigm_tuf.authorities.rules import RecoveryRule
from enigm_tuf.authorities.trust_root import read_root
from enigm_tuf.authorities.voting import Electorate, Voted, require_votes
from enigm_tuf.durable import read_input, write_new
from enigm_tuf.errors import MisuseError, RefusedError, StateError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.finding import INTENT_FIELDS, Finding, FindingOutcome, LogState, read_finding, write_finding
from enigm_tuf.model.operators import read_operators
from enigm_tuf.model.strict_json import JsonObject, sha256
from enigm_tuf.model.votes import FINDING_MATTER
from enigm_tuf.ports import Clock


def voted_finding(data: bytes, source: str) -> tuple[Finding, Voted]:
    """The document, and what is voted for."""
    finding = read_finding(data, source)
    number = finding.intent["entry"]
    return finding, Voted(FINDING_MATTER, data, source, number, finding.authority, finding.environment)


def propose(home: Home, log: MerkleLog, outcome: FindingOutcome, reason: str) -> bytes:
    """The finding about the intent that is open now; MisuseError if there is none."""
    history = history_of(log.entries())
    state = SigningState(history.session, history.open_intent)
    head = log.head()
    seen = LogState(log.signed.checkpoint.origin, head.entries, head.sha256)
    return write_finding(Finding(home.authority, home.environment, seen, _open_intent(state), outcome, reason))


def recover(home: Home, log: MerkleLog, data: bytes, source: str, votes: tuple[bytes, ...], clock: Clock) -> AuditEntry:
    """Keep finding and votes, then log them: the intent is open no more. No signature is made.

    RefusedError RECOVERY-INTENT, RECOVERY-QUORUM; LOG-CONSISTENT if the log was another when people looked.
    """
    history = history_of(log.entries())
    finding, voted = voted_finding(data, source)
    require_about(finding, SigningState(history.session, history.open_intent), home, source)
    seen, head = _checkpoint(finding), log.signed.checkpoint
    require_consistent(seen, head, log.consistency(seen.size) if seen.size <= head.size else (), source)
    people = require_votes(voted, _without_custodian(electorate_of(home, log), finding), votes, clock.now())
    folder = home.path / "findings"
    folder.mkdir(exist_ok=True)
    for name, content in {_finding_name(data): data, **{_vote_name(vote): vote for vote in votes}}.items():
        _keep(folder / name, content)
    return log.append(EntryType.SIGN_RECOVERED, _body(finding, data, people, votes))


def require_about(finding: Finding, state: SigningState, home: Home, source: str) -> None:
    """RefusedError RECOVERY-INTENT unless it is about the intent that is open in ``state``, in this authority's log."""
    ours = (home.authority, home.environment)
    if (finding.authority, finding.environment) != ours:
        _refuse(source, "/".join(ours), f"a finding of {finding.authority}/{finding.environment}")
    expected = _open_intent(state)
    for name, value in expected.items():
        if finding.intent[name] != value:
            _refuse(source, f"the intent in entry {expected['entry']}, {name} {value}", f"{finding.intent[name]}")
    if finding.log.entries < expected["entry"]:
        _refuse(source, f"a look at the log with entry {expected['entry']}", f"{finding.log.entries} entries")


def require_recoveries(
    home: Home, recoveries: Iterable[Recovery], require_begins_with: Callable[[Checkpoint, str], None]
) -> None:
    """Findings and votes are kept in the home, and are judged again as they were then.

    ``require_begins_with`` refuses a checkpoint with which the log does not begin. RefusedError RECOVERY-INTENT,
    RECOVERY-QUORUM, LOG-CONSISTENT, OPERATORS-HEAD.
    """
    for recovery in recoveries:
        require_begins_with(_require_recovery(home, recovery), f"entry {recovery.entry.sequence}")


def _require_recovery(home: Home, recovery: Recovery) -> Checkpoint:
    """The checkpoint that the finding is bound to; what the entry says must be what finding and votes say."""
    entry, body, folder = recovery.entry, recovery.entry.body, home.path / "findings"
    source = f"audit log, entry {entry.sequence}"
    data = _kept(folder / f"{body['finding_sha256']}.json", body["finding_sha256"])
    votes = tuple(_kept(folder / f"{digest}.dsse.json", digest) for digest in body["votes"])
    finding, voted = voted_finding(data, f"{folder / body['finding_sha256']}.json")
    require_about(finding, recovery.before, home, voted.source)
    electorate = _electorate_then(home, recovery.operators, recovery.root)
    people = require_votes(voted, _without_custodian(electorate, finding), votes, entry.time)
    if body != _body(finding, data, people, votes):
        _refuse(source, "what finding and votes say", "something else")
    if finding.log.entries >= entry.sequence:
        _refuse(source, f"a look at fewer than {entry.sequence} entries", f"{finding.log.entries}")
    return _checkpoint(finding)


def _electorate_then(home: Home, operators: JsonObject | None, root: int) -> Electorate:
    """Who could vote when the log named this registry last, under root version ``root`` (0: before the first)."""
    first = replace(home, policy_data=read_input(home.path / "policy.toml", LIMITS.document_bytes))
    chain = home.roots()
    if root > len(chain):
        raise StateError(f"{home.path}: root version {root} is missing", hint="the audit log says that it is trusted")
    then = first.under(read_root(chain[root - 1]).value if root else None)
    registry = read_operators(OPERATORS.in_force(home, operators), str(home.path / "operators"))
    return Electorate(then.policy, then.policy_pin, registry)


def _without_custodian(electorate: Electorate, finding: Finding) -> Electorate:
    """Whose signature it may be says nothing of it, and nothing is said with the token in question."""
    return replace(electorate, excluded=(finding.intent["custodian"], finding.intent["serial"]))


def _open_intent(state: SigningState) -> JsonObject:
    """As a finding names it; MisuseError if none is open."""
    if state.intent is None or state.session is None:
        raise MisuseError("nothing is in doubt: every intent in the audit log has its result")
    names = {name: state.intent.body[name] for name in INTENT_FIELDS}
    leaf = leaf_hash(write_entry(state.intent)).hex()
    who = {name: state.session[name] for name in ("custodian", "serial")}
    return {"entry": state.intent.sequence, "leaf": leaf, **who, **names}


def _body(finding: Finding, data: bytes, people: tuple[str, ...], votes: tuple[bytes, ...]) -> JsonObject:
    names = {name: finding.intent[name] for name in INTENT_FIELDS}
    said = {"intent": finding.intent["entry"], "outcome": finding.outcome, "reason": finding.reason}
    voted = {"operators": people, "votes": tuple(dict.fromkeys(sha256(vote) for vote in votes))}
    return {**names, **said, "finding_sha256": sha256(data), **voted}


def _checkpoint(finding: Finding) -> Checkpoint:
    return Checkpoint(finding.log.origin, finding.log.entries, bytes.fromhex(finding.log.root))


def _finding_name(data: bytes) -> str:
    return f"{sha256(data)}.json"


def _vote_name(data: bytes) -> str:
    return f"{sha256(data)}.dsse.json"


def _keep(path: Path, data: bytes) -> None:
    """What a crash left under its name is replaced."""
    if not path.is_file() or read_input(path, LIMITS.document_bytes) != data:
        path.unlink(missing_ok=True)
        write_new(path, data)


def _kept(path: Path, digest: str) -> bytes:
    """RefusedError RECOVERY-QUORUM where a finding or a vote that the log names is gone or another."""
    data = read_input(path, LIMITS.document_bytes) if path.is_file() else b""
    if sha256(data) != digest:
        got = sha256(data) if data else "no such file"
        raise RefusedError(RecoveryRule.RECOVERY_QUORUM, str(path), expected=f"SHA-256 {digest}", got=got)
    return data


def _refuse(subject: str, expected: str, got: str) -> NoReturn:
    raise RefusedError(RecoveryRule.RECOVERY_INTENT, subject, expected=expected, got=got)
