"""The PKCS#11 attributes that a signing key must have (GOVERNANCE, "Keys"): set at generation, read back, compared.

Names are those of PKCS#11 in lower case without ``CKA_``.
"""

from collections.abc import Mapping

from enigm_tuf.authorities.tokens.hsm.vendors import Vendor
from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.ports import Algorithm, TokenKey

SET: Mapping[str, bool] = {
    "private": True,
    "sensitive": True,
    "extractable": False,
    "sign": True,
    "decrypt": False,
    "unwrap": False,
    "derive": False,
    "modifiable": False,
    "copyable": False,
}
"""Given to the token when it makes the key."""

MADE: Mapping[str, bool] = {"always_sensitive": True, "never_extractable": True, "local": True}
"""Set by the token itself: they say that the key was born there and has never been anything else."""

READ = (*SET, *MADE, "always_authenticate", "allowed_mechanisms")
"""What is read back; ``unreadable`` where the token does not tell."""

UNREADABLE = "unreadable"

MECHANISMS: Mapping[Algorithm, str] = {
    "ecdsa-p256": "ECDSA",
    "ecdsa-p384": "ECDSA",
    "ed25519": "EDDSA",
    "rsa-pss-3072": "RSA_PKCS_PSS",
    "rsa-pss-4096": "RSA_PKCS_PSS",
    "ml-dsa-44": "ML_DSA",
    "ml-dsa-65": "ML_DSA",
    "ml-dsa-87": "ML_DSA",
}
"""The one mechanism (CKM_) that a key signs with, and that CKA_ALLOWED_MECHANISMS may name."""


def require_attributes(key: TokenKey, vendor: Vendor) -> None:
    """RefusedError TOKEN-ATTRIBUTES naming the first attribute that differs from what this kind of token must say."""
    if different := first_difference(key, vendor):
        name, expected, got = different
        raise RefusedError(
            TokenRule.TOKEN_ATTRIBUTES,
            f"key {key.label}, CKA_{name.upper()}",
            expected=str(expected),
            got=str(got),
            hint="make a new key on the token with enigm-sign key generate",
        )


def first_difference(key: TokenKey, vendor: Vendor) -> tuple[str, bool | str, bool | str] | None:
    """The name of an attribute, what this kind of token must say, and what it says; None if all are as they must be.

    ``allowed_mechanisms``, where the token keeps it, must be the one mechanism that we sign with.
    """
    required: dict[str, bool | str] = {**SET, **MADE}
    if key.attributes.get("allowed_mechanisms") != UNREADABLE:
        required["allowed_mechanisms"] = MECHANISMS[key.algorithm]
    required |= vendor.says
    for name, expected in required.items():
        got = key.attributes.get(name, UNREADABLE)
        if got != expected or type(got) is not type(expected):
            return name, expected, got
    return None
