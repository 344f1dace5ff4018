"""RETIRE: a product is taken out of ``targets`` whole, alone, and in sight. Nothing vanishes under another action."""

from collections.abc import Mapping

from enigm_tuf.errors import refuse
from enigm_tuf.model.delegations import DelegatedRole, Delegations
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Targets, matches
from enigm_tuf.policy.question import Question
from enigm_tuf.trust.delegation_rules import manifest_role
from enigm_tuf.trust.rules import Rule


class RetirementRule(Rule):
    """Family TRANSITION, of products that end."""

    RETIRE_ONLY = "RETIRE-ONLY", "action retire takes one product out of targets, and nothing else"
    RETIRE_SHOWN = "RETIRE-SHOWN", "what a retired product offered is shown to those who agree to its end"


def only(question: Question) -> str:
    """RETIRE-ONLY: Action ``retire`` takes all roles of one product out of ``targets``. Every other delegation stays
    as it was, with its keys, and only keys that no role has any more go with it.

    Evidence: the delegations that go.
    """
    if question.request.index.action != "retire":
        return _NOT_HERE
    old, new = question.previous_targets_of("targets"), question.targets_of("targets")
    if old is None or new is None or old.delegations is None or new.delegations is None:
        refuse(RetirementRule.RETIRE_ONLY, "targets", "delegations before and after", "none")
    before, after = dict(_roles(old)), dict(_roles(new))
    gone = sorted(set(before) - set(after))
    products = sorted({name.rpartition(".")[0] for name in gone})
    if len(products) != 1:
        refuse(RetirementRule.RETIRE_ONLY, "delegations", "those of one product gone", ", ".join(products) or "none")
    left = {name: role for name, role in before.items() if name.rpartition(".")[0] != products[0]}
    if list(after.items()) != list(left.items()):
        changed = sorted(name for name in {*left, *after} if left.get(name) != after.get(name))
        got = f"another {', '.join(changed) or 'order'}"
        refuse(RetirementRule.RETIRE_ONLY, "delegations", f"all but those of {products[0]} as they were", got)
    if dict(new.delegations.keys) != _keys_in_use(old.delegations, new.delegations):
        expected = "the keys of the roles that stay, as they were"
        refuse(RetirementRule.RETIRE_ONLY, "keys", expected, "others")
    if (new.targets, new.unrecognized_fields) != (old.targets, old.unrecognized_fields):
        refuse(RetirementRule.RETIRE_ONLY, "other fields", "unchanged", "changed")
    return f"{', '.join(gone)} of {len(before)} delegations"


def _keys_in_use(old: Delegations, new: Delegations) -> dict[str, object]:
    used = {keyid for role in (new.roles or {}).values() for keyid in role.keyids}
    return {keyid: key for keyid, key in old.keys.items() if keyid in used}


def shown(question: Question) -> str:
    """RETIRE-SHOWN: The request shows the manifest role of the product as this authority signed it last, and every
    manifest that it lists, by length and hash, and no other: whoever agrees reads which releases end.

    Evidence: the manifests that end.
    """
    if question.request.index.action != "retire":
        return _NOT_HERE
    role = manifest_role(_retired(question))
    last, head = question.previous_targets_of(role), question.ledger.heads.get(role)
    digest = sha256(last.canonical()) if last else "none"
    if last is None or head is None or head.sha256 != digest:
        expected = f"the last that was signed, {head.sha256 if head else '-'}"
        refuse(RetirementRule.RETIRE_SHOWN, f"context/previous/{role}.json", expected, digest)
    if set(last.targets) != set(question.earlier_manifests):
        listed, got = ", ".join(sorted(last.targets)), ", ".join(sorted(question.earlier_manifests))
        refuse(RetirementRule.RETIRE_SHOWN, "evidence/manifests-before", listed or "none", got or "none")
    for path, target in last.targets.items():
        if wrong := matches(question.earlier_manifests[path], target.length, target.hashes):
            refuse(RetirementRule.RETIRE_SHOWN, path, "the bytes that the role lists", wrong)
    return ", ".join(sorted(last.targets)) or f"{role} offered nothing"


def _retired(question: Question) -> str:
    """The product whose delegations go; empty for none. RETIRE-ONLY says whether it is one."""
    before, after = _roles(question.previous_targets_of("targets")), _roles(question.targets_of("targets"))
    return next((name.rpartition(".")[0] for name in before if name not in after), "")


def _roles(targets: Targets | None) -> Mapping[str, DelegatedRole]:
    return (targets.delegations.roles if targets and targets.delegations else None) or {}


_NOT_HERE = "not part of this action"
RULES = {RetirementRule.RETIRE_ONLY: only, RetirementRule.RETIRE_SHOWN: shown}
