"""QUORUM: enough different people, keys and devices of the right partitions agree, and nobody objects."""

from collections.abc import Iterable
from typing import TypeVar

from enigm_tuf.errors import refuse
from enigm_tuf.model.approval import Approval
from enigm_tuf.model.operators import OperatorRole
from enigm_tuf.model.statement import Subject
from enigm_tuf.model.tuf import Root
from enigm_tuf.policy.question import Cast, CastApproval, Question
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.rules import Rule

C = TypeVar("C", bound=Cast)


class QuorumRule(Rule):
    """Family QUORUM."""

    APPROVAL_AUTHENTIC = "APPROVAL-AUTHENTIC", "every approval that is shown is signed by an enrolled approval key"
    QUORUM_COUNT = "QUORUM-COUNT", "enough approvals of this very request by different people, keys and devices"
    QUORUM_PARTITION = "QUORUM-PARTITION", "each partition that the policy names gave an approval"
    QUORUM_EXCLUSION = "QUORUM-EXCLUSION", "who asks is known and does not sign; who asks or signs does not approve"
    APPROVAL_APART = "APPROVAL-APART", "no approval key of an operator is a key of a TUF role"
    QUORUM_VETO = "QUORUM-VETO", "nobody rejected this request"
    OPERATORS_PINNED = "OPERATORS-PINNED", "the registry of operators began with the version that the policy names"


def distinct(question: Question, role: OperatorRole, cast: Iterable[C]) -> tuple[C, ...]:
    """Those of active operators of that role who neither ask nor sign; one for each person, key and device."""
    able = {person.id for person in question.operators.able(role)}
    able -= {question.request.index.requester, *question.signing}
    people: dict[str, C] = {}
    used: set[str] = set()
    for item in cast:
        if item.operator in able - people.keys() and not {item.key, item.device} & used:
            people[item.operator] = item
            used |= {item.key, item.device}
    return tuple(people.values())


def counted(question: Question) -> tuple[CastApproval, ...]:
    """The approvals that count."""
    return distinct(question, "approver", (item for item in question.approvals if _counts(question, item.approval)))


def authentic(question: Question) -> str:
    """APPROVAL-AUTHENTIC: Every approval that is brought along is signed by an enrolled approval key of the
    operator that it names, made on that operator's device. An envelope that does not verify is named and refuses
    the request; it is never passed over in silence, because somebody made it.

    Evidence: the number of authentic approvals.
    """
    if question.unauthentic:
        refuse(QuorumRule.APPROVAL_AUTHENTIC, "approvals", "signatures of enrolled keys", question.unauthentic[0])
    return f"{len(question.approvals)} authentic"


def count(question: Question) -> str:
    """QUORUM-COUNT: An action needs as many approvals as ``actions.<action>.approvals`` says. An approval counts if
    it approves this very request (the index and every payload by digest, the numbers, the policy), if it is neither
    expired nor of the future, and if its operator is an approver, is not the requester, and is no custodian who signs
    or has signed the same request. Two approvals count as two only if operator, key and device all differ.

    Evidence: the number needed, and who gave it.
    """
    quorum = question.policy.actions.get(question.request.index.action)
    needed = quorum.approvals if quorum else 1
    who = ", ".join(sorted(item.operator for item in counted(question))) or "nobody"
    if quorum is None or len(counted(question)) < needed:
        refuse(QuorumRule.QUORUM_COUNT, "approvals", f"{needed} that count", f"{len(counted(question))} ({who})")
    return f"{needed} needed, from {who}"


def partitions(question: Question) -> str:
    """QUORUM-PARTITION: Of each partition that ``actions.<action>.partitions`` names comes at least one of the
    approvals that count, so that no single department can release alone.

    Evidence: the partitions that had to be there.
    """
    quorum = question.policy.actions.get(question.request.index.action)
    needed = set(quorum.partitions) if quorum else {"?"}
    got = {item.partition for item in counted(question)}
    if not needed <= got:
        refuse(QuorumRule.QUORUM_PARTITION, "approvals", ", ".join(sorted(needed)), ", ".join(sorted(got)) or "none")
    return ", ".join(sorted(needed))


def exclusion(question: Question) -> str:
    """QUORUM-EXCLUSION: The requester is an operator of that role. Who signs, or has signed, the same request did
    not ask for it. Neither the requester nor any of these custodians approves it: an approval of theirs refuses it,
    however many others there are. A custodian is whom the trusted root names for the key; where the proposed root
    names somebody else for it, both are.

    Evidence: requester and custodians.
    """
    requester = question.request.index.requester
    known = {operator.id for operator in question.operators.able("requester")}
    if requester not in known:
        refuse(QuorumRule.QUORUM_EXCLUSION, "requester", f"one of {', '.join(sorted(known))}", requester)
    if requester in question.signing:
        refuse(QuorumRule.QUORUM_EXCLUSION, "requester", "somebody who does not sign what they ask for", requester)
    excluded = {requester, *question.signing}
    for item in question.approvals:
        if item.operator in excluded and item.approval.decision == "APPROVE":
            refuse(QuorumRule.QUORUM_EXCLUSION, "approver", "neither requester nor custodian", item.operator)
    return f"requester {requester}, custodian {', '.join(sorted(question.signing)) or 'not known yet'}"


def veto(question: Question) -> str:
    """QUORUM-VETO: One valid REJECT of any operator stops the request, whatever else it says and however many
    approve. It counts as soon as it names this request.

    Evidence: that nobody rejected it.
    """
    index = Subject("index.json", question.request.digest)
    for item in question.approvals:
        named = item.approval.decision == "REJECT" and index in item.approval.subjects
        if named and item.approval.valid_at(question.now):
            refuse(QuorumRule.QUORUM_VETO, "approvals", "no REJECT", f"{item.operator}: {item.approval.reason}")
    return "no REJECT"


def apart(question: Question) -> str:
    """APPROVAL-APART: No approval key is also the key of a TUF role, in the trusted root or in the proposed one:
    who approves with the key that signs would need no approval.

    Evidence: the number of keys that were compared.
    """
    proposal = question.proposals.get("root")
    roots = question.root_to_judge_by(), proposal.signed if proposal else None
    infos = [item for root in roots if isinstance(root, Root) for item in view_root(root).extension.keyinfo.values()]
    in_force = {item.spki_sha256 for item in infos}
    for operator in question.operators.operators:
        for enrolled in operator.approval_keys:
            if enrolled.record.spki_sha256 in in_force:
                refuse(
                    QuorumRule.APPROVAL_APART, operator.id, "an approval key that signs nothing else", "a role's key"
                )
    return f"{len(in_force)} keys of roles, none of them approves"


def pinned(question: Question) -> str:
    """OPERATORS-PINNED: The policy, which root pins, names version 1 of the registry of operators by digest, and every
    later version names it too: an authority cannot be made to listen to other people by giving it another file. Each
    version after the first was adopted by the quorum of the one before.

    Evidence: the version of the registry.
    """
    registry = question.operators
    policy = question.policy
    if (registry.authority, registry.environment) != (policy.authority, policy.environment):
        expected = f"one of the {policy.authority} authority in {policy.environment}"
        got = f"one of the {registry.authority} authority in {registry.environment}"
        refuse(QuorumRule.OPERATORS_PINNED, "registry of operators", expected, got)
    first = registry.first or question.operators_sha256
    if first != policy.operators_sha256:
        expected = f"one that began with {policy.operators_sha256}"
        refuse(QuorumRule.OPERATORS_PINNED, f"operators version {registry.version}", expected, first)
    return f"version {registry.version} ({question.operators_sha256[:16]})"


def _counts(question: Question, said: Approval) -> bool:
    about = said.is_about(question.request, question.policy_pin)
    return said.decision == "APPROVE" and about and said.valid_at(question.now)


RULES = {
    QuorumRule.APPROVAL_AUTHENTIC: authentic,
    QuorumRule.QUORUM_COUNT: count,
    QuorumRule.QUORUM_PARTITION: partitions,
    QuorumRule.QUORUM_EXCLUSION: exclusion,
    QuorumRule.APPROVAL_APART: apart,
    QuorumRule.QUORUM_VETO: veto,
    QuorumRule.OPERATORS_PINNED: pinned,
}
