"""What each type of ceremony is for, and what each action does to a token."""

from dataclasses import dataclass

from enigm_tuf.model.ceremony import BY_HAND, COMMANDS, CeremonyType

_LOOKING = (*BY_HAND, "token list", "key show", "key audit", "request inspect", "audit verify")
_INVENTORY = ("inventory propose", "inventory sign", "inventory adopt")
_KEYGEN = ("key generate", "key enrol", *_INVENTORY)
_POLICY = ("policy propose", "policy approve", "policy adopt")
_OPERATORS = ("operator propose", "operator sign", "operator adopt")

USES_KEY = ("sign", "key backup", "key restore-test")
"""Actions in which a key of the authority signs. ``key restore-test`` uses a copy, which no inventory lists."""
INVENTORIED = ("sign", "key backup")
MAKES_KEY = ("key generate", "key restore")
CHANGES = ("token init", "key generate", "key destroy", "key restore", "wrapping make", "wrapping destroy")
"""Actions after which a token is another than it was when it was last compared with the inventory."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a type must do, what it may do beside, and the purposes of the keys that it may enrol."""

    must: tuple[str, ...]
    may: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        return action in (*_LOOKING, *self.must, *self.may)


PURPOSES: dict[CeremonyType, Purpose] = {
    "hsm-init": Purpose(("token init",)),
    "root-keygen": Purpose(_KEYGEN, keys=("root",)),
    "payload-keygen": Purpose(_KEYGEN, keys=("payload",)),
    "manifest-key-enrol": Purpose(("key enrol", *_INVENTORY), ("token init", "key generate"), keys=("manifest",)),
    "routine-sign": Purpose(("sign",), ("approve",)),
    "root-rotate": Purpose(("sign",), ("approve", "authority trust")),
    "revoke": Purpose(("sign", "key destroy", *_INVENTORY), ("approve",)),
    "policy-change": Purpose((*_POLICY, "sign"), ("approve",)),
    "operator-change": Purpose(_OPERATORS),
    "backup": Purpose(("key backup", "key restore-test"), ("wrapping make", *_INVENTORY)),
    "restore-test": Purpose(("key restore-test",)),
    "migrate-to-dual": Purpose(("authority trust", "sign"), ("approve", *_INVENTORY)),
    "emergency": Purpose(("sign",), ("approve", "key restore", "key destroy", "wrapping destroy", *_INVENTORY)),
    "rehearsal": Purpose((), COMMANDS, keys=("root", "payload", "manifest")),
}
