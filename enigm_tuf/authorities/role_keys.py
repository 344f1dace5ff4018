"""Which keys may sign each payload of a request, and how many must (rule KEY-OF-ROLE)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.authorities.signed_requests import Payload, Quorum
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.root_extension import KeyInfo
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Targets
from enigm_tuf.model.value import replace
from enigm_tuf.policy.custodians import custodians_of, roots_of
from enigm_tuf.policy.question import Question
from enigm_tuf.policy.rules.root import quorums_of
from enigm_tuf.trust.root_rules import RootView
from enigm_tuf.trust.threshold import spki_sha256


@dataclass(frozen=True, slots=True)
class RoleKeys:
    """``keys`` gives the SPKI digest of each keyid; a payload is done when each of ``quorums`` is met."""

    keys: Mapping[str, str]
    quorums: tuple[Quorum, ...]


@dataclass(frozen=True, slots=True)
class KeyOfRole:
    """A public key as a role lists it.

    ``info`` is what the newest root says of it, but for the custodian, who is whom the trusted root names.
    """

    keyid: str
    info: KeyInfo


def payloads_of(question: Question) -> tuple[Payload, ...]:
    """Every proposal with the quorums that it needs."""
    return tuple(
        Payload(item.role, item.version, sha256(item.data), keys_of(question, item.role).quorums)
        for item in question.proposals.values()
    )


def key_of_role(question: Question, role: str, digest: str) -> KeyOfRole:
    """What root says about the public key on the token; RefusedError KEY-OF-ROLE if it may not sign ``role``."""
    subject = f"{role} version {question.proposals[role].version}"
    keyid = next((keyid for keyid, key in keys_of(question, role).keys.items() if key == digest), None)
    infos = [view.extension.keyinfo[keyid] for view in roots_of(question) if keyid in view.extension.keyinfo]
    if keyid is None or not infos:
        _refuse(subject, "a key of this role", f"key {digest}")
    environment = question.request.index.environment
    if infos[-1].environment != environment:
        _refuse(subject, f"a key of environment {environment}", infos[-1].environment)
    custodian = custodians_of(question, digest)[0]
    return KeyOfRole(keyid, replace(infos[-1], custodian=custodian))


def keys_of(question: Question, role: str) -> RoleKeys:
    """By what root pins for root, targets, snapshot and payload roles; by the delegation for manifest roles.

    A new root needs several quorums (``root_quorums``): those of this authority are what it waits for.
    """
    if role == "root":
        return _of_new_root(question)
    views = roots_of(question)
    if not views:
        _refuse(role, "a trusted root, or a proposed one", "neither")
    if role in views[0].root.roles:
        return _of_root(views[0], role)
    return _of_payload(views[0]) if role.endswith(".payload") else _of_delegation(question, role)


def _of_new_root(question: Question) -> RoleKeys:
    own = [item for item in quorums_of(question) if item.authority == question.policy.authority]
    parts = [_role_keys(item.public_keys(), item.threshold) for item in own]
    keys = {keyid: digest for part in parts for keyid, digest in part.keys.items()}
    return RoleKeys(keys, tuple(quorum for part in parts for quorum in part.quorums))


def _role_keys(keys: Mapping[str, str], threshold: int) -> RoleKeys:
    return RoleKeys(keys, (Quorum(threshold, tuple(sorted(set(keys.values())))),))


def _of_root(view: RootView, role: str) -> RoleKeys:
    definition = view.role(role)
    return _role_keys({keyid: view.spki[keyid] for keyid in definition.keyids}, definition.threshold)


def _of_payload(view: RootView) -> RoleKeys:
    release = view.extension.authorities.release
    keyids = release.payload_keyids if release else ()
    return _role_keys({keyid: view.spki[keyid] for keyid in keyids}, view.payload_threshold)


def _of_delegation(question: Question, role: str) -> RoleKeys:
    """As ``targets`` delegates that is proposed beside it, or else the last that this authority signed."""
    delegations = _targets(question).delegations
    definition = delegations.roles.get(role) if delegations and delegations.roles else None
    if delegations is None or definition is None:
        _refuse(role, "a delegation by targets", "none")
    keys = {keyid: spki_sha256(delegations.keys[keyid]) for keyid in definition.keyids}
    return _role_keys(keys, definition.threshold)


def _targets(question: Question) -> Targets:
    proposal = question.proposals.get("targets")
    targets = proposal.signed if proposal else question.previous.get("targets")
    if not isinstance(targets, Targets):
        _refuse("targets", "its last version in context/previous", "none")
    head = question.ledger.heads.get("targets")
    digest = sha256(targets.canonical())
    if proposal is None and (head is None or head.sha256 != digest):
        _refuse("targets", f"the last that was signed here, {head.sha256 if head else 'none'}", digest)
    return targets


def _refuse(subject: str, expected: str, got: str) -> NoReturn:
    raise RefusedError(SigningRule.KEY_OF_ROLE, subject, expected=expected, got=got)
