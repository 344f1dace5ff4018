"""``root prepare`` and ``root recover``: from changed settings to the next root, and a request for each who signs it.

The settings go into the record, and come into force when the root is published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.request import Action, Authority
from enigm_tuf.model.tuf import Root
from enigm_tuf.policy.root_changes import Change, root_changes, unlisted_difference
from enigm_tuf.policy.rules.root import RootRule
from enigm_tuf.ports import Fetcher
from enigm_tuf.trust.authority_admission import judge_root_definition
from enigm_tuf.trust.root_quorums import RootQuorum, root_owner, root_quorums
from enigm_tuf.trust.root_rules import RootView, manifest_changes, model_ratchet, view_root
from enigm_tuf_repository.following import Following, require_signable
from enigm_tuf_repository.lineage import lineage_of, root_chain
from enigm_tuf_repository.preparing import Plan, new_record, open_record
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.requests import Draft
from enigm_tuf_repository.root_building import build_root
from enigm_tuf_repository.settings import Settings, keep_for_record
from enigm_tuf_repository.trusted import admit_roots
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class PreparedRoot:
    """The record, what its root changes, and the signatures that it needs."""

    record: ReleaseRecord
    changes: tuple[Change, ...]
    quorums: tuple[RootQuorum, ...]


def prepare_root(
    workspace: Workspace, settings: Settings, now: datetime, remote: Fetcher | None, *, recovering: bool = False
) -> PreparedRoot:
    """Open the record ``root-<version>``. Again is fine until the owner of root has signed: a consent alone may lapse.

    RefusedError by the rules that devices and authorities have; MisuseError where nothing changes. ``remote`` has the
    payloads that are not in ``published``.
    """
    _require_same_environment(workspace, settings)
    trusted = admit_roots(root_chain(workspace.published), settings.config.environment, now).root.value
    root = build_root(settings, trusted, now)
    before, after = view_root(trusted), view_root(root)
    changes = _require_legal(before, after, settings, recovering=recovering)
    quorums = root_quorums(before, after, recovering=recovering)
    record_id, register = f"root-{root.version}", load_register(workspace)
    lineage = lineage_of(workspace, register, without=record_id)
    follows = tuple(require_signable(Following(root, settings, lineage, workspace.published, remote, now).decide()))
    action: Action = "recovery" if recovering else "root"
    with new_record(workspace, record_id, root_owner(before)):
        keep_for_record(workspace, record_id, settings)
        drafts = _drafts(workspace, settings, before, root, quorums)
        plan = Plan(record_id, action, None, drafts, follows=follows)
        return PreparedRoot(open_record(workspace, lineage, plan, now), changes, quorums)


def _require_same_environment(workspace: Workspace, settings: Settings) -> None:
    here, there = workspace.configuration().environment, settings.config.environment
    if here != there:
        raise MisuseError(f"this repository is of environment {here}, the configuration is of {there}")


def _require_legal(before: RootView, after: RootView, settings: Settings, *, recovering: bool) -> tuple[Change, ...]:
    judge_root_definition(after.root, settings.config.environment)
    model_ratchet(before, after)
    if other := unlisted_difference(before, after):
        raise RefusedError(RootRule.TRANSITION_ROOT, after.subject, expected="only what a root may change", got=other)
    if recovering and not manifest_changes(before, after):
        raise MisuseError("this root needs nobody's consent", hint="run `enigm-repo root prepare`")
    changes = root_changes(before, after)
    if not changes:
        raise MisuseError("this configuration changes nothing of root, and it would not even live longer")
    return changes


def _drafts(
    workspace: Workspace, settings: Settings, before: RootView, root: Root, quorums: tuple[RootQuorum, ...]
) -> tuple[Draft, ...]:
    """The same root for each authority that has a quorum; the owner of root, who signs last, comes last."""
    policies, owner = _policies_in_force(workspace, settings, before), root_owner(before)
    authorities = sorted({quorum.authority for quorum in quorums}, key=lambda name: name == owner)
    return tuple(Draft(name, {"root": root}, policy=policies[name]) for name in authorities)


def _policies_in_force(workspace: Workspace, settings: Settings, before: RootView) -> Mapping[Authority, bytes]:
    """What the root in force pins; for an authority that the new root makes, what that pins."""
    policies = dict(settings.policies)
    policies["manifest"] = workspace.policy("manifest")
    if before.extension.policies.release:
        policies["release"] = workspace.policy("release")
    return policies
