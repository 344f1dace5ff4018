"""TRANSITION on root: it changes in the listed ways alone, and its owner signs last."""

from enigm_tuf.errors import refuse
from enigm_tuf.model.tuf import Root
from enigm_tuf.policy.question import Question
from enigm_tuf.policy.root_changes import IN_A_MIGRATION, RootChange, root_changes, unlisted_difference, untidy
from enigm_tuf.trust.root_quorums import RootQuorum, root_owner, root_quorums
from enigm_tuf.trust.root_rules import RootView, manifest_changes, view_root
from enigm_tuf.trust.rules import Rule


class RootRule(Rule):
    """Family TRANSITION, on root."""

    TRANSITION_ROOT = "TRANSITION-ROOT", "root defines no more than its roles, and changes in the listed ways alone"
    TRANSITION_CONSENT = (
        "TRANSITION-CONSENT",
        "the owner of root signs last: whatever the other authority must sign of it is signed already",
    )


def quorums_of(question: Question) -> tuple[RootQuorum, ...]:
    """Every quorum that the proposed root needs, of both authorities; none where no root is proposed."""
    after = _proposed(question)
    if after is None:
        return ()
    return root_quorums(_trusted(question), after, recovering=question.request.index.action == "recovery")


def root(question: Question) -> str:
    """TRANSITION-ROOT: A root defines its roles and authorities and nothing beside them, asks for consistent
    snapshots, and differs from the one before only in the ways on a closed list: a field that no entry of the list
    explains is refused. A migration comes alone, and a recovery recovers.

    Evidence: each change in words.
    """
    before, after = _trusted(question), _proposed(question)
    if after is None:
        return _NOT_HERE
    if after.root.consistent_snapshot is not True:
        refuse(RootRule.TRANSITION_ROOT, "consistent_snapshot", "true", str(after.root.consistent_snapshot))
    if beside := untidy(after):
        refuse(RootRule.TRANSITION_ROOT, after.subject, "its roles and authorities, and nothing beside them", beside)
    if before is None:
        return f"consistent snapshots, specification {after.root.spec_version}"
    return _require_listed(question, before, after)


def _require_listed(question: Question, before: RootView, after: RootView) -> str:
    if other := unlisted_difference(before, after):
        refuse(RootRule.TRANSITION_ROOT, after.subject, f"only {', '.join(RootChange)}", other)
    changes = root_changes(before, after)
    kinds = {change.kind for change in changes}
    if not changes:
        refuse(RootRule.TRANSITION_ROOT, after.subject, "a change", "none")
    if RootChange.MIGRATE_TO_DUAL in kinds and not kinds <= IN_A_MIGRATION:
        others = ", ".join(sorted(kinds - IN_A_MIGRATION))
        refuse(RootRule.TRANSITION_ROOT, after.subject, "a migration that changes nothing else", others)
    if question.request.index.action == "recovery" and not manifest_changes(before, after):
        got = "a change that needs no consent"
        refuse(RootRule.TRANSITION_ROOT, after.subject, "recovery of the manifest authority", got)
    return "; ".join(map(str, changes))


def consent(question: Question) -> str:
    """TRANSITION-CONSENT: Where both authorities must sign a root, its owner signs last: the other authority's
    quorum has signed these very bytes already. An owner who signed first could be left with a root that no device
    takes, and no other.

    Evidence: each quorum of the other authority, and how many of it signed.
    """
    before, after = _trusted(question), _proposed(question)
    if after is None:
        return _NOT_HERE
    own, quorums = question.policy.authority, quorums_of(question)
    if all(quorum.authority != own for quorum in quorums):
        names = ", ".join(f"{quorum.name} of the {quorum.authority} authority" for quorum in quorums)
        refuse(RootRule.TRANSITION_CONSENT, after.subject, f"a request to {names}", f"one to the {own} authority")
    if own != root_owner(before or after):
        return "the owner of root signs after this authority"
    others = [quorum for quorum in quorums if quorum.authority != own]
    return "; ".join(_require_met(question, quorum) for quorum in others) or "nobody else has to sign"


def _require_met(question: Question, quorum: RootQuorum) -> str:
    found = quorum.signed_by(question.consents, question.proposals["root"].data)
    subject = f"root version {question.proposals['root'].version}, {quorum.name}"
    if len(found) < quorum.threshold:
        expected = f"{quorum.threshold} signatures that are there already"
        refuse(RootRule.TRANSITION_CONSENT, subject, expected, str(len(found)))
    return f"{quorum.name}: {len(found)} signed"


def _trusted(question: Question) -> RootView | None:
    return view_root(question.root.value) if question.root else None


def _proposed(question: Question) -> RootView | None:
    proposal = question.proposals.get("root")
    return view_root(proposal.signed) if proposal and isinstance(proposal.signed, Root) else None


_NOT_HERE = "not part of this action"
RULES = {
    RootRule.TRANSITION_ROOT: root,
    RootRule.TRANSITION_CONSENT: consent,
}
