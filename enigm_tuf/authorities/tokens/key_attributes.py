"""The PKCS#11 attributes that a signing key must have (GOVERNANCE, "Keys"): set at generation, read back, compared."""

from pkcs11 import Attribute, PrivateKey
from pkcs11.exceptions import AttributeTypeInvalid

from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import RefusedError

SET = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.SIGN: True,
    Attribute.DECRYPT: False,
    Attribute.UNWRAP: False,
    Attribute.DERIVE: False,
    Attribute.MODIFIABLE: False,
    Attribute.COPYABLE: False,
}
"""Given to the token when it makes the key."""

MADE = {Attribute.ALWAYS_SENSITIVE: True, Attribute.NEVER_EXTRACTABLE: True, Attribute.LOCAL: True}
"""Set by the token itself: they say that the key was born there and has never been anything else."""


def read_attributes(key: PrivateKey) -> dict[str, bool | str]:
    """Every attribute of the table as the token gives it; ``unreadable`` where it does not."""
    return {attribute.name.lower(): _read(key, attribute) for attribute in SET | MADE}


def require_attributes(label: str, attributes: dict[str, bool | str]) -> None:
    """RefusedError TOKEN-ATTRIBUTES naming the first attribute that differs."""
    for attribute, expected in (SET | MADE).items():
        name = attribute.name.lower()
        if attributes.get(name) is not expected:
            raise RefusedError(
                TokenRule.TOKEN_ATTRIBUTES,
                f"key {label}, CKA_{attribute.name}",
                expected=str(expected),
                got=str(attributes.get(name)),
                hint="make a new key on the token with enigm-sign key generate",
            )


def _read(key: PrivateKey, attribute: Attribute) -> bool | str:
    try:
        return bool(key[attribute])
    except AttributeTypeInvalid:
        return "unreadable"
