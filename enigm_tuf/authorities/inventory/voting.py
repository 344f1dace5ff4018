"""Votes for an inventory: cast by operators with their approval keys, counted by person, key and device."""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from enigm_tuf.authorities.approving import PolicyFile, operator_of, require_enrolled
from enigm_tuf.authorities.rules import InventoryRule
from enigm_tuf.authorities.token_fit import find_key, require_fit
from enigm_tuf.errors import MalformedError, MisuseError, RefusedError
from enigm_tuf.model.approval import Approver, Envelope, pre_authentication_encoding, read_envelope, write_envelope
from enigm_tuf.model.inventory import InventoryVote, read_inventory, read_vote, write_vote
from enigm_tuf.model.policy import INVENTORY_ACTION, Operator, Policy, read_policy
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import PinCallback, Token
from enigm_tuf.trust.signable import inventory_vote
from enigm_tuf.trust.threshold import signers


@dataclass(frozen=True, slots=True)
class Voter:
    """Who votes, with what. ``confirm`` raises unless the person says the words of the digest that they saw."""

    operator: str
    token: Token
    label: str
    pin: PinCallback
    confirm: Callable[[str], None]


def cast_vote(data: bytes, source: str, policy_file: PolicyFile, voter: Voter, now: datetime) -> bytes:
    """The envelope's bytes. MisuseError if the policy is not that inventory's; RefusedError APPROVER-KEY."""
    inventory = read_inventory(data, source)
    policy = read_policy(policy_file.data, policy_file.source)
    if (policy.authority, policy.environment) != (inventory.authority, inventory.environment):
        raise MisuseError(f"{policy_file.source} is no policy of the {inventory.authority} authority of {source}")
    operator = operator_of(policy_file, voter.operator)
    identity = voter.token.identity()
    require_fit(identity, inventory.environment)
    voter.confirm(sha256(data))
    with voter.token.session(voter.pin) as session:
        key = find_key(session, voter.label)
        require_enrolled(operator, key, identity)
        vote = InventoryVote(
            inventory=sha256(data),
            version=inventory.version,
            authority=inventory.authority,
            environment=inventory.environment,
            voter=Approver(operator.id, sha256(key.spki), operator.partition, identity.serial),
            policy=PolicyPin(policy.version, sha256(policy_file.data)),
            created=now,
        )
        signature = session.sign(key.label, inventory_vote(vote))
    return write_envelope(Envelope(write_vote(vote), sha256(key.spki), signature))


def require_votes(data: bytes, policy: Policy, pin: PolicyPin, envelopes: tuple[bytes, ...]) -> tuple[str, ...]:
    """The operators whose votes for the document ``data`` count; RefusedError INVENTORY-QUORUM, MalformedError."""
    votes = {_counted(envelope, data, policy, pin) for envelope in envelopes}
    people = {operator.id: operator for operator in votes}
    quorum = policy.actions.get(INVENTORY_ACTION)
    if quorum is None:
        _refuse("an inventory that the policy provides for", f"no actions.{INVENTORY_ACTION} in it")
    if len(people) < quorum.approvals:
        _refuse(f"votes of {quorum.approvals} operators", f"{len(people)}: {', '.join(sorted(people)) or 'nobody'}")
    for partition in quorum.partitions:
        if partition not in {operator.partition for operator in people.values()}:
            _refuse(f"a vote from {partition}", "none")
    return tuple(sorted(people))


def _counted(envelope: bytes, data: bytes, policy: Policy, pin: PolicyPin) -> Operator:
    """Whose vote it is. One that is not for this very document, or not by an enrolled key, is refused whole."""
    source = f"vote {sha256(envelope)[:16]}"
    opened = read_envelope(envelope, source)
    vote = read_vote(opened.payload, source)
    operator, spki, device = _enrolled(policy, opened.keyid, source)
    key = tuf_key(spki)
    signed = pre_authentication_encoding(opened.payload)
    if not signers({key.keyid: key}, [key.keyid], {key.keyid: opened.signature.hex()}, signed):
        raise MalformedError(source, "signatures[0].sig", "does not verify")
    expected = Approver(operator.id, opened.keyid, operator.partition, device)
    if (vote.inventory, vote.policy, vote.voter) != (sha256(data), pin, expected):
        _refuse("a vote for this document under this policy, by its signer", f"{source}, which is another's")
    return operator


def _enrolled(policy: Policy, keyid: str, source: str) -> tuple[Operator, bytes, str]:
    for operator in policy.operators:
        for enrolled in operator.approval_keys:
            spki = b64decode(enrolled.public_key)
            if sha256(spki) == keyid and "approver" in operator.roles:
                return operator, spki, enrolled.device
    raise MalformedError(source, "signatures[0].keyid", f"no approver of the policy has the key {keyid}")


def _refuse(expected: str, got: str) -> NoReturn:
    raise RefusedError(InventoryRule.INVENTORY_QUORUM, "inventory", expected=expected, got=got)
