"""After a machine died while a token signed: the intent that it leaves, and how people get on from there."""

from pathlib import Path

from enigm_testkit.house import APPROVERS, House
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import last_words


def leave_intent(house: House, key_of: str = "root-a", **session: str) -> None:
    """What is in the log when a custodian's machine died between intent and result; ``session`` says otherwise."""
    key = house.key(key_of)
    serial = {"serial": key.token.serial, "custodian": key.custodian} | session
    opened = {"home": "hsm", "manufacturer": "M", "model": "M", "firmware": "1", "label": key_of}
    payload = {"role": "root", "version": 7, "sha256": "e" * 64}
    needed = {**payload, "quorums": [{"threshold": 1, "keys": [key.spki_sha256]}]}
    request = {"request_sha256": "d" * 64, "request_id": "root-7", "sequence": 7}
    with open_log(house.home("release") / "audit.log", house.clock) as log:
        log.append(EntryType.SESSION_OPEN, {**opened, **serial, "key": key.spki_sha256})
        log.append(EntryType.SIGN_INTENT, {**request, **payload, "key": key.spki_sha256, "payloads": [needed]})


def propose_finding(
    house: House, name: str = "finding.json", outcome: str = "not-made", authority: str = "release"
) -> Path:
    """What people found out about the authority's open intent."""
    out = house.path / name
    said = ["--outcome", outcome, "--reason", "looked at the token"]
    assert house.sign("finding", "propose", "--home", house.home(authority), *said, "--out", out) == 0
    return out


def vote_for(house: House, finding: Path, operator: str, authority: str = "release") -> Path:
    """Their vote, cast now unless it was before."""
    out = finding.with_name(f"{operator}-{finding.stem}.dsse.json")
    if not out.exists():
        words = last_words(sha256(finding.read_bytes()))
        options = [*house.works_as(operator, authority), "--out", out]
        assert house.sign("finding", "sign", finding, *options, last_four_words=words) == 0
    return out


def recover(house: House, finding: Path, *votes: Path, authority: str = "release") -> int:
    """``audit recover`` with these votes."""
    ballots = [part for vote in votes for part in ("--vote", vote)]
    return house.sign("audit", "recover", finding, "--home", house.home(authority), *ballots)


def recover_by(house: House, finding: Path, *operators: str, authority: str = "release") -> int:
    votes = [vote_for(house, finding, who, authority) for who in operators]
    return recover(house, finding, *votes, authority=authority)


def get_on(house: House, name: str = "finding.json", authority: str = "release") -> None:
    """Alice and bob looked, and signing goes on."""
    finding = propose_finding(house, name, authority=authority)
    assert recover_by(house, finding, *APPROVERS, authority=authority) == 0
