"""enigm-sign policy adopt: take the next policy, with the votes that it needs, so that a root may pin it."""

from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.cli.document_voting import Document, adopt_command
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.policy_change import adopt
from enigm_tuf.commandline import Outcome
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import Clock


def _adopt(home: Home, log: MerkleLog, data: bytes, source: str, votes: tuple[bytes, ...], clock: Clock) -> Outcome:
    both = adopt(home, log, data, source, votes, clock)
    facts = {"version": both.new.version, "sha256": sha256(data), "relaxes": both.relaxes}
    told = f"policy version {both.new.version} is adopted; {both.old.version} is in force until a root pins it"
    return Outcome(facts, [told, "next: enigm-repo root prepare, with the new file in place"])


COMMAND = adopt_command(
    name="policy adopt",
    document=Document("new", "the policy that was proposed", LIMITS.document_bytes),
    adopt=_adopt,
    summary="Take the next policy, with the votes that its changes need. It is in force once a trusted root pins it.",
    details="Refused before its delay is over, if it asks for less, and with fewer votes than the strictest action "
    "that it relaxes needs.",
    examples=(
        "enigm-sign policy adopt next.policy.toml --home release --vote alice.policy.dsse.json "
        "--vote bob.policy.dsse.json"
    ),
)
