"""enigm-sign operator adopt: put a signed version of the registry of operators in force."""

from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.cli.document_voting import Document, adopt_command
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.operators.keeping import adopt
from enigm_tuf.commandline import Outcome
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import Clock


def _adopt(home: Home, log: MerkleLog, data: bytes, source: str, votes: tuple[bytes, ...], clock: Clock) -> Outcome:
    registry = adopt(home, log, data, source, votes, clock)
    facts = {"version": registry.version, "sha256": sha256(data), "operators": len(registry.operators)}
    return Outcome(facts, [f"operators version {registry.version} is in force: {len(registry.operators)} people"])


COMMAND = adopt_command(
    name="operator adopt",
    document=Document("registry", "the proposal"),
    adopt=_adopt,
    summary="Put a version of the registry of operators in force, with the votes of the policy-approvers before it.",
    details="Refused if the policy's quorums could not be met by the people in it.",
    examples=(
        "enigm-sign operator adopt next.operators.json --home release --vote alice.operators.dsse.json "
        "--vote bob.operators.dsse.json"
    ),
)
