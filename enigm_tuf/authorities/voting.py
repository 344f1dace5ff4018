"""Votes for a document of an authority: cast by operators with their approval keys, counted by person, key, device."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from enigm_tuf.authorities.approving import OperatorsFile, PolicyFile, operator_of, require_enrolled
from enigm_tuf.authorities.rules import InventoryRule, OperatorsRule, PolicyChangeRule, RecoveryRule
from enigm_tuf.authorities.token_fit import find_key, require_fit
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.approval import Approver, Envelope, read_envelope, write_envelope
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.operators import Operator, OperatorRegistry
from enigm_tuf.model.policy import Policy, Quorum, read_policy
from enigm_tuf.model.request import Authority
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.votes import (
    FINDING_MATTER,
    INVENTORY_MATTER,
    OPERATORS_MATTER,
    POLICY_MATTER,
    DocumentVote,
    Matter,
    read_vote,
    write_vote,
)
from enigm_tuf.ports import PinCallback, Token
from enigm_tuf.trust.operator_signature import signed_by
from enigm_tuf.trust.rules import Rule
from enigm_tuf.trust.signable import document_vote

QUORUM_RULES: dict[str, Rule] = {
    INVENTORY_MATTER.name: InventoryRule.INVENTORY_QUORUM,
    OPERATORS_MATTER.name: OperatorsRule.OPERATORS_QUORUM,
    POLICY_MATTER.name: PolicyChangeRule.POLICY_QUORUM,
    FINDING_MATTER.name: RecoveryRule.RECOVERY_QUORUM,
}


@dataclass(frozen=True, slots=True)
class Voted:
    """A document that is voted for: its bytes, and what every such document says of itself."""

    matter: Matter
    data: bytes
    source: str
    version: int
    authority: Authority
    environment: Environment


@dataclass(frozen=True, slots=True)
class Voter:
    """Who votes, with what. ``confirm`` raises unless the person says the words of the digest that they saw."""

    operator: str
    token: Token
    label: str
    pin: PinCallback
    confirm: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Electorate:
    """Who may vote, and how many must: the policy with its pin, and the registry in force.

    ``excluded`` are people (by id) and devices (by serial) whose own doing the vote is about.
    """

    policy: Policy
    pin: PolicyPin
    operators: OperatorRegistry
    excluded: tuple[str, ...] = ()


def cast_vote(
    voted: Voted, policy_file: PolicyFile, operators_file: OperatorsFile, voter: Voter, now: datetime
) -> bytes:
    """The envelope's bytes. MisuseError if the policy is not that document's; RefusedError APPROVER-KEY."""
    policy = read_policy(policy_file.data, policy_file.source)
    if (policy.authority, policy.environment) != (voted.authority, voted.environment):
        raise MisuseError(f"{policy_file.source} is no policy of the {voted.authority} authority of {voted.source}")
    operator = operator_of(operators_file, voter.operator, voted.matter.roles)
    identity = voter.token.identity()
    require_fit(identity, voted.environment)
    voter.confirm(sha256(voted.data))
    with voter.token.session(voter.pin) as session:
        key = find_key(session, voter.label)
        require_enrolled(operator, key, identity)
        vote = DocumentVote(
            document=sha256(voted.data),
            version=voted.version,
            authority=voted.authority,
            environment=voted.environment,
            voter=Approver(operator.id, sha256(key.spki), operator.partition, identity.serial),
            policy=PolicyPin(policy.version, sha256(policy_file.data)),
            created=now,
        )
        message = document_vote(voted.matter, vote)
        signature = session.sign(key.label, message)
    require_valid(key.spki, signature, message.data, f"vote by {operator.id}")
    return write_envelope(Envelope(write_vote(voted.matter, vote), sha256(key.spki), signature))


def require_votes(
    voted: Voted, electorate: Electorate, envelopes: Sequence[bytes], now: datetime, quorum: Quorum | None = None
) -> tuple[str, ...]:
    """The operators whose votes count; RefusedError INVENTORY-QUORUM or its like, MalformedError.

    ``quorum`` stands in for the policy's own for this matter, where a stricter one is asked.
    """
    people = {person.id: person for person in (_counted(voted, electorate, item, now) for item in envelopes)}
    needed = quorum or electorate.policy.actions[voted.matter.action]
    if len(people) < needed.approvals:
        got = f"{len(people)}: {', '.join(sorted(people)) or 'nobody'}"
        _refuse(voted, f"votes of {needed.approvals} operators", got)
    for partition in needed.partitions:
        if partition not in {operator.partition for operator in people.values()}:
            _refuse(voted, f"a vote from {partition}", "none")
    return tuple(sorted(people))


def _counted(voted: Voted, electorate: Electorate, envelope: bytes, now: datetime) -> Operator:
    """Whose vote it is. One that is not for this very document, or not by an enrolled key, is refused whole."""
    source = f"vote {sha256(envelope)[:16]}"
    opened = read_envelope(envelope, source)
    vote = read_vote(voted.matter, opened.payload, source)
    operator, enrolled = signed_by(electorate.operators, opened, now, source)
    if not set(voted.matter.roles) & set(operator.roles):
        _refuse(voted, f"votes of {' or '.join(voted.matter.roles)}s", f"one of {operator.id}, who is none")
    if {operator.id, enrolled.device} & set(electorate.excluded):
        _refuse(voted, "votes of people whose own signature it is not about", f"one of {operator.id}")
    expected = Approver(operator.id, opened.keyid, operator.partition, enrolled.device)
    if (vote.document, vote.policy, vote.voter) != (sha256(voted.data), electorate.pin, expected):
        _refuse(voted, "a vote for this document under this policy, by its signer", f"{source}, which is another's")
    return operator


def _refuse(voted: Voted, expected: str, got: str) -> NoReturn:
    raise RefusedError(QUORUM_RULES[voted.matter.name], voted.matter.name, expected=expected, got=got)
