"""How an authority's policy changes: proposed in its log, approved by its policy-approvers, adopted, pinned by root.

1. ``propose`` logs the new policy, and whether it asks for less; 2. policy-approvers vote for its bytes; 3. ``adopt``
counts the votes, waits out the delay, and keeps the file; 4. a root that pins it is signed, still under the old policy
(POLICY-APPROVED); 5. from the moment that root is trusted, it is the policy.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.operators.keeping import electorate_of
from enigm_tuf.authorities.rules import PolicyChangeRule
from enigm_tuf.authorities.voting import Voted, require_votes
from enigm_tuf.durable import read_input, write_new
from enigm_tuf.errors import refuse
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.operators import require_able
from enigm_tuf.model.policy import Policy, read_policy
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.votes import POLICY_MATTER
from enigm_tuf.policy.comparing import PolicyChange, compare, needed_quorum
from enigm_tuf.policy.rules.moment import in_ceremony
from enigm_tuf.ports import Clock


@dataclass(frozen=True, slots=True)
class Proposed:
    """A new policy beside the one in force."""

    old: Policy
    new: Policy
    data: bytes
    source: str

    @property
    def changes(self) -> tuple[PolicyChange, ...]:
        return compare(self.old, self.new)

    @property
    def relaxes(self) -> bool:
        return any(change.direction == "relax" for change in self.changes)

    @property
    def voted(self) -> Voted:
        """What policy-approvers vote for."""
        new = self.new
        return Voted(POLICY_MATTER, self.data, self.source, new.version, new.authority, new.environment)


def proposed(old_data: bytes, old_source: str, data: bytes, source: str) -> Proposed:
    """Both, read and compared; RefusedError POLICY-NEXT if the version is not the next or nothing changes.

    MisuseError if it is no later policy of the same authority.
    """
    both = Proposed(read_policy(old_data, old_source), read_policy(data, source), data, source)
    if both.new.version != both.old.version + 1:
        refuse(PolicyChangeRule.POLICY_NEXT, source, f"version {both.old.version + 1}", f"version {both.new.version}")
    if not both.changes:
        refuse(PolicyChangeRule.POLICY_NEXT, source, "a change", "none")
    return both


def propose(home: Home, log: MerkleLog, data: bytes, source: str) -> Proposed:
    """Log it, once; the delay runs from here. MalformedError if the operators could not meet its quorums."""
    both = proposed(home.policy_data, str(home.path), data, source)
    require_able(both.new, electorate_of(home, log).operators, source)
    if _proposal(log, home, sha256(data)) is None:
        body = {"version": both.new.version, "sha256": sha256(data), "after": home.policy_pin.sha256}
        log.append(EntryType.POLICY_PROPOSED, body | {"relaxes": both.relaxes})
    return both


def adopt(home: Home, log: MerkleLog, data: bytes, source: str, votes: tuple[bytes, ...], clock: Clock) -> Proposed:
    """Log it, then keep it; run again after a crash it goes on. It is in force when a trusted root pins it.

    RefusedError POLICY-NEXT, POLICY-DELAY, POLICY-QUORUM, CEREMONY-OPEN.
    """
    both = proposed(home.policy_data, str(home.path), data, source)
    now, digest = clock.now(), sha256(data)
    entry = _proposal(log, home, digest)
    if entry is None:
        expected = "a policy that was proposed after the one in force"
        refuse(PolicyChangeRule.POLICY_NEXT, source, expected, digest, hint="enigm-sign policy propose")
    ripe = entry.time + timedelta(hours=both.old.time.relax_delay_hours)
    if both.relaxes and now < ripe:
        refuse(PolicyChangeRule.POLICY_DELAY, source, f"not before {ripe.isoformat()}", now.isoformat())
    people = require_votes(both.voted, electorate_of(home, log), votes, now, needed_quorum(both.old, both.changes))
    if not any(item.body["sha256"] == digest for item in log.entries() if item.type == EntryType.POLICY_ADOPTED):
        in_ceremony(both.old, POLICY_MATTER.action, history_of(log.entries()).ceremonies, now)
        body = {"version": both.new.version, "sha256": digest, "operators": people}
        log.append(EntryType.POLICY_ADOPTED, body)
    _keep(home.path / "policies", both, votes)
    return both


def _keep(folder: Path, both: Proposed, votes: tuple[bytes, ...]) -> None:
    """Named by its digest: root says which is in force."""
    folder.mkdir(exist_ok=True)
    names = {f"{both.new.version}.{sha256(vote)[:16]}.dsse.json": vote for vote in votes}
    for name, data in (names | {f"{sha256(both.data)}.toml": both.data}).items():
        path = folder / name
        if not path.is_file() or read_input(path, LIMITS.document_bytes) != data:
            path.unlink(missing_ok=True)  # what a crash left; the log says which bytes are right
            write_new(path, data)


def _proposal(log: MerkleLog, home: Home, digest: str) -> AuditEntry | None:
    """The oldest entry that proposed it after the policy in force."""
    for entry in log.entries():
        about = entry.type == EntryType.POLICY_PROPOSED and entry.body["sha256"] == digest
        if about and entry.body["after"] == home.policy_pin.sha256:
            return entry
    return None
