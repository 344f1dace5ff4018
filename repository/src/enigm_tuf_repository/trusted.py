"""What the repository itself trusts: the root chain, admitted like a device does, and who may sign each role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import TrustedMetadata, admit_root, require_fresh_root, trust_root
from enigm_tuf.trust.root_rules import view_root


@dataclass(frozen=True, slots=True)
class RoleKeys:
    """Who may sign a role, and how many must."""

    keys: Mapping[str, Key]
    keyids: tuple[str, ...]
    threshold: int


def admit_roots(chain: Sequence[bytes], environment: Environment, now: datetime) -> TrustedMetadata:
    """Every root from the first to the head, under the rules of TUF and of the authorities; the head may be expired."""
    if not chain:
        raise MisuseError("there is no root yet", hint="`enigm-repo init`, then have root-1 signed and publish it")
    state = trust_root(chain[0], now, AuthorityAdmission(environment))
    for data in chain[1:]:
        state = admit_root(state, data)
    return state


def admit_chain(chain: Sequence[bytes], environment: Environment, now: datetime) -> TrustedMetadata:
    """The same, and the head is unexpired: what devices need before they look at anything else."""
    state = admit_roots(chain, environment, now)
    require_fresh_root(state)
    return state


def role_keys(role: str, root: Root, targets: Targets | None) -> RoleKeys:
    """From root for a top-level role, else from ``targets``' delegation; root's pin can raise a payload threshold."""
    if role in root.roles:
        return RoleKeys(root.keys, tuple(root.roles[role].keyids), root.roles[role].threshold)
    delegations = targets.delegations if targets else None
    if delegations is None or delegations.roles is None or role not in delegations.roles:
        raise MisuseError(f"{role}: targets delegates to no such role")
    delegated = delegations.roles[role]
    pinned = view_root(root).payload_threshold if role.endswith(".payload") else 1
    return RoleKeys(delegations.keys, tuple(delegated.keyids), max(delegated.threshold, pinned))
