"""What the authorities should remember, as far as the repository can tell from what came back signed."""

from collections.abc import Mapping

from enigm_tuf.model.request import Authority
from enigm_tuf.model.tuf import Root
from enigm_tuf.policy.question import Ledger
from enigm_tuf.trust.root_quorums import root_owner
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.register import Register


def ledger_of(authority: Authority, lineage: Lineage, register: Register) -> Ledger:
    """The ledger of one authority: the heads of its roles, and the last sequence number that it signed."""
    root = lineage.value("root", Root)
    owners = {role: owner(role, root) for role in lineage.heads}
    heads = {role: head.previous for role, head in lineage.heads.items() if owners[role] == authority}
    return Ledger(last_sequence=register.signed.get(authority, 0), heads=heads)


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
