"""When a copy of a key was last restored, as the audit log says, and what the policy is told of the key that signs."""

from collections.abc import Mapping
from datetime import datetime

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.inventory import InventoryKey
from enigm_tuf.model.root_extension import KeyInfo
from enigm_tuf.policy.question import SigningKey
from enigm_tuf.trust.rules import AuthorityRule


def signing_key(item: InventoryKey, root: KeyInfo, restores: Mapping[str, datetime]) -> SigningKey:
    """``restores``: when a copy of a key (SPKI digest) last came back, as the log says; a drill's own file counts not.

    RefusedError KEY-CLASS if root says otherwise of the key than the inventory.
    """
    record = item.record
    said = root.key_class or "non-extractable"
    if said != record.key_class:
        raise RefusedError(
            AuthorityRule.KEY_CLASS,
            f"key {record.label} on token {record.token.serial}",
            expected=f"{said}, as root says",
            got=f"{record.key_class} in the inventory",
        )
    return SigningKey(record.spki_sha256, record.key_class, restores.get(record.spki_sha256))
