"""What the authorities should remember, as far as the repository can tell from what came back signed."""

from collections.abc import Iterator, Mapping

from enigm_tuf.model.request import Authority, Previous
from enigm_tuf.model.tuf import Root
from enigm_tuf.policy.question import Ledger
from enigm_tuf.trust.root_quorums import root_owner
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.register import Register


def ledger_of(authority: Authority, lineage: Lineage, register: Register) -> Ledger:
    """The ledger of one authority: the heads of its roles, and the last sequence number that it signed."""
    root = lineage.value("root", Root)
    roles = frozenset(role for role in lineage.heads if owner(role, root) == authority)
    return Ledger(last_sequence=register.signed.get(authority, 0), heads=_Owned(lineage, roles))


class _Owned(Mapping[str, Previous]):
    """The heads of one authority's roles; each is read when a rule asks for it."""

    def __init__(self, lineage: Lineage, roles: frozenset[str]) -> None:
        self._lineage = lineage
        self._roles = roles

    def __getitem__(self, role: str) -> Previous:
        if role not in self._roles:
            raise KeyError(role)
        return self._lineage.heads[role].previous

    def __contains__(self, role: object) -> bool:
        return role in self._roles

    def __iter__(self) -> Iterator[str]:
        return iter(self._roles)

    def __len__(self) -> int:
        return len(self._roles)


def ledgers_of(lineage: Lineage, register: Register) -> Mapping[Authority, Ledger]:
    return {
        "manifest": ledger_of("manifest", lineage, register),
        "release": ledger_of("release", lineage, register),
    }


def owner(role: str, root: Root | None) -> Authority | None:
    """Which authority signs ``role`` under ``root``; None for timestamp."""
    if role == "timestamp":
        return None
    if role == "root":
        return root_owner(view_root(root)) if root else None
    return "release" if role.endswith(".payload") else "manifest"
