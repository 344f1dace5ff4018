"""TRANSITION: from the state before to the one proposed, only what the action is for changes."""

from collections.abc import Mapping

from enigm_tuf.model.delegations import DelegatedRole
from enigm_tuf.model.tuf import MetaFile, Snapshot, Targets
from enigm_tuf.policy.question import Question
from enigm_tuf.policy.rules.following import signed_anew, targets_follow
from enigm_tuf.policy.rules.meta import kind_of
from enigm_tuf.policy.rules.transition_rule import TransitionRule, refuse
from enigm_tuf.trust.delegation_rules import payload_role


def targets(question: Question) -> str:
    """TRANSITION-TARGETS: Role targets gains the delegations of one new product, and all others stay as they were,
    key by key. A product that ends has a rule of its own, RETIRE-ONLY. After a root, ``roles`` gives the same
    delegations the keys and thresholds that the trusted root names, and changes nothing else.

    Evidence: the delegations gained, or the root that they follow.
    """
    new = question.targets_of("targets")
    if new is None or question.request.index.action == "retire":
        return _NOT_HERE
    old = question.previous_targets_of("targets")
    if question.request.index.action == "roles":
        return targets_follow(question, old, new)
    before, after = _roles(old), _roles(new)
    for name, role in before.items():
        if name not in after or after[name] != role:
            refuse(TransitionRule.TRANSITION_TARGETS, name, "unchanged", "changed or gone")
    _require_same_keys(old, new)
    gained, wanted = set(after) - set(before), question.roles_of_product(question.product)
    if gained != wanted:
        refuse(
            TransitionRule.TRANSITION_TARGETS,
            "new roles",
            ", ".join(sorted(wanted)),
            ", ".join(sorted(gained)) or "none",
        )
    if (old.unrecognized_fields if old else {}) != new.unrecognized_fields:
        refuse(TransitionRule.TRANSITION_TARGETS, "other fields", "unchanged", ", ".join(new.unrecognized_fields))
    return f"gains {', '.join(sorted(gained))}"


def _roles(targets: Targets | None) -> Mapping[str, DelegatedRole]:
    return (targets.delegations.roles if targets and targets.delegations else None) or {}


def _require_same_keys(old: Targets | None, new: Targets) -> None:
    """A role names keyids; what stands under one may not be exchanged for another key."""
    before = old.delegations.keys if old and old.delegations else {}
    after = new.delegations.keys if new.delegations else {}
    for keyid, key in before.items():
        if keyid not in after or after[keyid] != key:
            refuse(TransitionRule.TRANSITION_TARGETS, f"key {keyid}", "unchanged", "changed or gone")


def product_roles(question: Question) -> str:
    """TRANSITION-PRODUCT: A product role starts empty. A release then only adds payloads: none is taken away or
    exchanged under its name. Where a product was retired and is added again, its payload role starts with what it
    held, so that versions go on from there, and its manifest role offers nothing. Signed anew after a root, a role
    holds what it held; a payload role that a migration makes holds what is offered.

    Evidence: what each role gains or keeps.
    """
    told = []
    for role in question.proposals:
        if kind_of(role) not in {"manifest", "payload"}:
            continue
        new, old = question.targets_of(role), question.previous_targets_of(role)
        if new is None:
            continue
        if question.request.index.action == "roles":
            told.append(signed_anew(question, role, old, new))
        elif question.request.index.action == "product":
            told.append(_starts(role, old, new))
        else:
            told.append(_only_gains(role, old, new))
    return "; ".join(told) or _NOT_HERE


def _starts(role: str, old: Targets | None, new: Targets) -> str:
    """Empty; only a payload role that was there before keeps what it held."""
    kept = dict(old.targets) if old and kind_of(role) == "payload" else {}
    if dict(new.targets) != kept:
        expected = f"the {len(kept)} payloads that it held" if kept else "no targets in a new role"
        refuse(
            TransitionRule.TRANSITION_PRODUCT,
            role,
            expected,
            f"{len(new.targets)}, others" if kept else f"{len(new.targets)}",
        )
    return f"{role} goes on with the {len(kept)} payloads that it held" if kept else f"{role} starts empty"


def _only_gains(role: str, old: Targets | None, new: Targets) -> str:
    before = old.targets if old else {}
    changed = [path for path, target in before.items() if new.targets.get(path) != target]
    gained = sorted(set(new.targets) - set(before))
    if kind_of(role) == "payload":
        if changed:
            refuse(TransitionRule.TRANSITION_PRODUCT, f"{role}, {changed[0]}", "unchanged", "changed or gone")
        if not gained:
            refuse(TransitionRule.TRANSITION_PRODUCT, role, "at least one new payload", "none")
        return f"{role} gains {', '.join(gained)}"
    if gone := [path for path in before if path not in new.targets]:
        refuse(TransitionRule.TRANSITION_PRODUCT, f"{role}, {gone[0]}", "still there", "gone")
    if len(changed) + len(gained) != 1:
        refuse(TransitionRule.TRANSITION_PRODUCT, role, "one manifest new or changed", f"{len(changed) + len(gained)}")
    return f"{role} has a new {(changed + gained)[0]}"


def snapshot(question: Question) -> str:
    """TRANSITION-SNAPSHOT: Snapshot moves the versions of the roles of this request, and of the other authority's
    that come with it, upwards, and no other version; so that one product's release cannot roll another one back or
    drop it.

    Evidence: the versions that move.
    """
    proposal = question.proposals.get("snapshot")
    if proposal is None or not isinstance(proposal.signed, Snapshot):
        return _NOT_HERE
    if others := sorted(set(question.other_roles) - _payload_roles(question)):
        refuse(TransitionRule.TRANSITION_SNAPSHOT, "evidence/roles", "this product's payload role", ", ".join(others))
    old = question.previous.get("snapshot")
    before = dict(old.meta) if isinstance(old, Snapshot) else {}
    moved = {f"{role}.json": item.version for role, item in question.proposals.items() if role != "snapshot"}
    moved |= {f"{role}.json": value.version for role, value in question.other_roles.items()}
    for name, version in moved.items():
        if name in before and version <= before[name].version:
            refuse(TransitionRule.TRANSITION_SNAPSHOT, name, f"above {before[name].version}", str(version))
    expected = before | {name: MetaFile(version) for name, version in moved.items()}
    if proposal.signed.meta != expected:
        refuse(TransitionRule.TRANSITION_SNAPSHOT, "meta", _versions(expected), _versions(proposal.signed.meta))
    return _versions({name: expected[name] for name in moved})


def _payload_roles(question: Question) -> set[str]:
    """Of the product that the request is about; where roles follow a root, of all that targets delegates to."""
    if question.request.index.action != "roles":
        return {payload_role(question.product)}
    targets = question.targets_of("targets") or question.previous_targets_of("targets")
    delegated = targets.delegations.roles if targets and targets.delegations else None
    return {name for name in delegated or {} if name.endswith(".payload")}


def _versions(meta: Mapping[str, MetaFile]) -> str:
    return "; ".join(f"{name} {_stated(item)}" for name, item in sorted(meta.items()))


def _stated(item: MetaFile) -> dict[str, object]:
    stated = {"version": item.version, "length": item.length, "hashes": item.hashes, **item.unrecognized_fields}
    return {name: value for name, value in stated.items() if value is not None}


_NOT_HERE = "not part of this action"
RULES = {
    TransitionRule.TRANSITION_TARGETS: targets,
    TransitionRule.TRANSITION_PRODUCT: product_roles,
    TransitionRule.TRANSITION_SNAPSHOT: snapshot,
}
