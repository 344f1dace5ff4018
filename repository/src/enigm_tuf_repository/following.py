"""The roles that a new root leaves without enough signatures, or that are due: each is made anew with what it holds.

A role whose signatures still do, and that lives on, is left alone: a key that only comes costs nobody a signature.
Those that are due are among them, since under a new root everything must be fresh: without that, a repository that
slept until root and snapshot had expired could never be woken.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from enigm_tuf.audit.log import REQUEST_ROLES
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.model.tuf import Root, Snapshot, TargetFile, Targets
from enigm_tuf.ports import Fetcher
from enigm_tuf.trust.threshold import signers
from enigm_tuf_repository.adopting import adopted_payloads
from enigm_tuf_repository.delegating import product_delegations
from enigm_tuf_repository.gates.expiry_horizon import is_due
from enigm_tuf_repository.lineage import Lineage, Signed
from enigm_tuf_repository.role_building import with_delegations, with_targets, with_versions
from enigm_tuf_repository.settings import Settings
from enigm_tuf_repository.trusted import role_keys


@dataclass(frozen=True, slots=True)
class Following:
    """What is made anew under ``root``, in the order in which it is decided.

    ``remote`` has the payloads that are not in ``published``, for a migration to look at.
    """

    root: Root
    settings: Settings
    lineage: Lineage
    published: Path
    remote: Fetcher | None
    now: datetime
    roles: dict[str, Signed] = field(default_factory=dict)

    def decide(self) -> Mapping[str, Signed]:
        """The new versions by role; empty where everything does as it is, or where nothing is delegated yet."""
        targets = self.lineage.value("targets", Targets)
        if targets is None:
            return {}
        self._targets(targets)
        delegated = self._newest(targets).delegations
        for role in delegated.roles or {} if delegated else {}:
            if not self._is_signed(role):
                before = self.lineage.value(role, Targets)
                self.roles[role] = with_targets(before, {} if before else self._adopted(role), self._expires(role))
        if self.roles or not self._is_signed("snapshot"):
            versions = {role: value.version for role, value in self.roles.items()}
            snapshot = self.lineage.require("snapshot", Snapshot)
            self.roles["snapshot"] = with_versions(snapshot, versions, self.now, self._expires("snapshot"))
        return self.roles

    def _adopted(self, role: str) -> Mapping[str, TargetFile]:
        return adopted_payloads(self.published, self.remote, self.lineage, role.rpartition(".")[0])

    def _targets(self, targets: Targets) -> None:
        """Delegations by the settings; a new version where they differ, or too few of the new keys signed."""
        names = list(targets.delegations.roles or {}) if targets.delegations else []
        products = dict.fromkeys(name.rpartition(".")[0] for name in names)
        wanted = {
            role: entry for product in products for role, entry in product_delegations(self.settings, product).items()
        }
        made = with_delegations(targets, wanted, self._expires("targets"))
        if _delegated(made) != _delegated(targets) or not self._is_signed("targets"):
            self.roles["targets"] = made

    def _newest(self, targets: Targets) -> Targets:
        made = self.roles.get("targets")
        return made if isinstance(made, Targets) else targets

    def _is_signed(self, role: str) -> bool:
        """Whether the role's newest signatures meet what the new root and its delegations say, and it lives on."""
        head = self.lineage.head(role)
        if head is None or is_due(head.value.expires, self._expires(role) - self.now, self.now):
            return False
        keys = role_keys(role, self.root, self._newest(self.lineage.require("targets", Targets)))
        return len(signers(keys.keys, keys.keyids, head.signatures, head.canonical)) >= keys.threshold

    def _expires(self, role: str) -> datetime:
        return self.now + self.settings.config.expiry_days.of(role)


def require_signable(roles: Mapping[str, Signed]) -> Mapping[str, Signed]:
    """MisuseError where they are more than one request of an authority can hold."""
    payloads = sum(role.endswith(".payload") for role in roles)
    if max(payloads, len(roles) - payloads) > REQUEST_ROLES:
        raise MisuseError(
            f"{len(roles)} roles would have to be signed anew at once; one request holds {REQUEST_ROLES}",
            hint="let the new key come first and stay beside the old one: each release signs with it; the old key "
            "leaves with a later root, when few roles still need it",
        )
    return roles


def _delegated(targets: Targets) -> JsonObject:
    """The delegations without the order of keys, which means nothing."""
    delegations = copy.deepcopy(targets.raw.get("delegations") or {"keys": {}, "roles": []})
    for role in delegations["roles"]:
        role["keyids"] = sorted(role["keyids"])
    return delegations
