"""Action ``roles``: after a new root, or in time, roles are signed anew by root's keys, with what they held."""

from collections.abc import Mapping

from enigm_tuf.limits import LIMITS
from enigm_tuf.model.delegations import DelegatedRole, Delegations
from enigm_tuf.model.manifest import OtaManifest
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.policy.question import Question
from enigm_tuf.policy.rules.transition_rule import TransitionRule, refuse
from enigm_tuf.trust.agreement import agree
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf.trust.root_rules import RootView, view_root
from enigm_tuf.trust.threshold import spki_sha256
from enigm_tuf.trust.verified import read_document


def targets_follow(question: Question, old: Targets | None, new: Targets) -> str:
    """TRANSITION-TARGETS: the same delegations, each with the keys and the threshold that the trusted root gives it.

    Where root has become ``dual``, each product gains its payload role.
    """
    if question.root is None or old is None or old.delegations is None or new.delegations is None:
        refuse(TransitionRule.TRANSITION_TARGETS, "delegations", "a trusted root and delegations before", "none")
    view = view_root(question.root.value)
    before: Mapping[str, DelegatedRole] = old.delegations.roles or {}
    after: Mapping[str, DelegatedRole] = new.delegations.roles or {}
    _require_same_products(view, before, after)
    for name, role in after.items():
        _require_roots_keys(view, name, role, new.delegations)
    _require_no_stray_key(new.delegations)
    if old.unrecognized_fields != new.unrecognized_fields:
        refuse(TransitionRule.TRANSITION_TARGETS, "other fields", "unchanged", ", ".join(new.unrecognized_fields))
    return f"{len(after)} delegations with the keys of root version {view.version}"


def _require_same_products(
    view: RootView, before: Mapping[str, DelegatedRole], after: Mapping[str, DelegatedRole]
) -> None:
    for name, role in before.items():
        if name not in after or _apart_from_keys(after[name]) != _apart_from_keys(role):
            refuse(TransitionRule.TRANSITION_TARGETS, name, "unchanged but for its keys", "changed or gone")
    products = {name.rpartition(".")[0] for name in before}
    expected = {manifest_role(product) for product in products}
    if view.extension.authority_model == "dual":
        expected |= {payload_role(product) for product in products}
    if set(after) != expected:
        refuse(TransitionRule.TRANSITION_TARGETS, "roles", ", ".join(sorted(expected)), ", ".join(sorted(after)))


def _apart_from_keys(role: DelegatedRole) -> tuple[object, ...]:
    return role.paths, role.path_hash_prefixes, role.terminating, dict(role.unrecognized_fields)


def _require_roots_keys(view: RootView, name: str, role: DelegatedRole, delegations: Delegations) -> None:
    keys = {spki_sha256(delegations.keys[keyid]) for keyid in role.keyids if keyid in delegations.keys}
    if name.endswith(".payload"):
        wanted, threshold = view.payload_keys, view.payload_threshold
    else:
        wanted, threshold = view.digests(view.role("targets").keyids), view.role("targets").threshold
    if keys != wanted or role.threshold != threshold:
        expected = f"{threshold} of the {len(wanted)} keys that root version {view.version} gives it"
        got = f"{role.threshold} of {len(keys)} keys, {len(keys - wanted)} of them others"
        refuse(TransitionRule.TRANSITION_TARGETS, name, expected, got)


def _require_no_stray_key(delegations: Delegations) -> None:
    used = {keyid for role in (delegations.roles or {}).values() for keyid in role.keyids}
    if stray := sorted(set(delegations.keys) - used):
        refuse(TransitionRule.TRANSITION_TARGETS, f"key {stray[0]}", "a key of some role", "of none")


def signed_anew(question: Question, role: str, old: Targets | None, new: Targets) -> str:
    """TRANSITION-PRODUCT: what the role held; a payload role that a migration makes starts with what is offered."""
    if old is None:
        return _starts_with_what_is_offered(question, role, new)
    if dict(old.targets) != dict(new.targets) or old.unrecognized_fields != new.unrecognized_fields:
        refuse(TransitionRule.TRANSITION_PRODUCT, role, "what it held", "another content")
    return f"{role} keeps its {len(new.targets)} targets"


def _starts_with_what_is_offered(question: Question, role: str, new: Targets) -> str:
    """Each payload agrees with a release of a manifest that is shown, and none of those is left out.

    Only under the root that makes the release authority: at any other time a payload comes with a release.
    """
    product = role.rpartition(".")[0]
    if role != payload_role(product) or not _has_just_become_dual(question):
        refuse(TransitionRule.TRANSITION_PRODUCT, role, "its last version", "none")
    offered = [manifest for manifest in question.manifests.values() if manifest.product == product]
    paths = {path for manifest in offered for path in _agreed(product, manifest, new)}
    if extra := sorted(set(new.targets) - paths):
        refuse(TransitionRule.TRANSITION_PRODUCT, f"{role}, {extra[0]}", "a payload that a manifest offers", "no such")
    return f"{role} starts with the {len(paths)} payloads that are offered"


def _has_just_become_dual(question: Question) -> bool:
    """Whether the root before the trusted one was ``manifest-only``. The request brings the chain that was admitted."""
    if question.root is None or question.model != "dual":
        return False
    name = f"{question.root.value.version - 1}.root.json"
    data = question.request.below("context/root").get(name)
    if data is None:
        return False
    before = read_document(data, Root, f"context/root/{name}", LIMITS.root_bytes).value
    return view_root(before).extension.authority_model == "manifest-only"


def _agreed(product: str, manifest: OtaManifest, new: Targets) -> list[str]:
    payloads = [(release, payload) for release in manifest.releases for payload in release.payloads]
    for release, payload in payloads:
        agree(product, release, payload, new.targets.get(payload.path))
    return [payload.path for _, payload in payloads]
