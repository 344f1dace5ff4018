"""enigm-sign audit recover: log what people found out about a signature that nobody knows of; signing goes on."""

from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.cli.document_voting import Document, adopt_command
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.recovering import recover
from enigm_tuf.commandline import Outcome
from enigm_tuf.limits import LIMITS
from enigm_tuf.ports import Clock


def _adopt(home: Home, log: MerkleLog, data: bytes, source: str, votes: tuple[bytes, ...], clock: Clock) -> Outcome:
    entry = recover(home, log, data, source, votes, clock)
    body = entry.body
    facts = {"entry": entry.sequence, "role": body["role"], "version": body["version"], "outcome": body["outcome"]}
    told = f"entry {entry.sequence}: {body['role']} version {body['version']} is no longer in doubt: {body['outcome']}"
    return Outcome(facts, [told, f"said by {', '.join(body['operators'])}", "signing goes on"])


COMMAND = adopt_command(
    name="audit recover",
    document=Document("finding", "what finding propose wrote", LIMITS.document_bytes),
    adopt=_adopt,
    summary="Log a finding about an intent without a result, with the votes that it needs; signing goes on.",
    examples=(
        "enigm-sign audit recover finding.json --home release --vote alice.finding.dsse.json "
        "--vote bob.finding.dsse.json"
    ),
    details=(
        "Refused with fewer votes than [actions.finding] of the policy asks for, and with one of the custodian whose "
        "signature is in doubt. No signature is made: the request is signed again."
    ),
)
