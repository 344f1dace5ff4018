"""Votes for a document of an authority: cast by operators with their approval keys, counted by person, key, device."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from enigm_tuf.authorities.rules import InventoryRule, OperatorsRule, PolicyChangeRule, RecoveryRule
from enigm_tuf.authorities.vouching import Papers, Signatory, operator_of, vouch
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.approval import Approver
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.operators import Operator, OperatorRegistry
from enigm_tuf.model.policy import Policy, Quorum, read_policy
from enigm_tuf.model.request import Authority
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.statement import read_envelope
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.votes import (
    FINDING_MATTER,
    INVENTORY_MATTER,
    OPERATORS_MATTER,
    POLICY_MATTER,
    DocumentVote,
    Matter,
    read_vote,
)
from enigm_tuf.trust.operator_signature import signed_by
from enigm_tuf.trust.rules import Rule
from enigm_tuf.trust.signable import SignableStatement, document_vote

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
class Electorate:
    """Who may vote, and how many must: the policy with its pin, and the registry in force.

    ``excluded`` are people (by id) and devices (by serial) whose own doing the vote is about.
    """

    policy: Policy
    pin: PolicyPin
    operators: OperatorRegistry
    excluded: tuple[str, ...] = ()


def cast_vote(voted: Voted, papers: Papers, signatory: Signatory[str], now: datetime) -> bytes:
    """The envelope's bytes. MisuseError if the policy is not that document's; RefusedError as ``vouch``."""
    source, digest = papers.policy.source, sha256(voted.data)
    policy = read_policy(papers.policy.data, source)
    if (policy.authority, policy.environment) != (voted.authority, voted.environment):
        raise MisuseError(f"{source} is no policy of the {voted.authority} authority of {voted.source}")
    operator = operator_of(papers.operators, signatory.operator, voted.matter.roles)

    def state(voter: Approver) -> SignableStatement:
        pin = PolicyPin(policy.version, sha256(papers.policy.data))
        vote = DocumentVote(digest, voted.version, voted.authority, voted.environment, voter, pin, now)
        return document_vote(voted.matter, vote)

    return vouch(signatory, operator, voted.environment, digest, state)


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
