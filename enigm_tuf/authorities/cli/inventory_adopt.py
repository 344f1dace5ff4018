"""enigm-sign inventory adopt: put a signed version of the key inventory in force."""

from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.cli.document_voting import Document, adopt_command
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.inventory.keeping import adopt
from enigm_tuf.commandline import Outcome
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import Clock


def _adopt(home: Home, log: MerkleLog, data: bytes, source: str, votes: tuple[bytes, ...], clock: Clock) -> Outcome:
    inventory = adopt(home, log, data, source, votes, clock)
    facts = {"version": inventory.version, "sha256": sha256(data), "keys": len(inventory.keys)}
    return Outcome(facts, [f"inventory version {inventory.version} is in force: {len(inventory.keys)} keys"])


COMMAND = adopt_command(
    name="inventory adopt",
    document=Document("inventory", "the proposal"),
    adopt=_adopt,
    summary="Put a version of the key inventory in force, with the operators' votes that the policy asks for.",
    examples=(
        "enigm-sign inventory adopt release.inventory.json --home release --vote alice.inventory.dsse.json "
        "--vote bob.inventory.dsse.json"
    ),
)
