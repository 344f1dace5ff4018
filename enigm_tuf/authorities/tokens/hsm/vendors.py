"""What some makers' modules cannot do, or say otherwise: an entry each, with its reason; no weaker rule for all.

Measured by ``tests/contract``; the table in docs/reference/tokens.md comes from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Vendor:
    """``leaves_out``: attributes that its templates must not name. ``says``: what its keys read back instead.

    ``generates``: whether keys can be made through the module at all.
    """

    name: str
    leaves_out: frozenset[str] = frozenset()
    says: Mapping[str, bool | str] = field(default_factory=dict)
    generates: bool = True


STANDARD = Vendor("any")
TPM2 = Vendor(
    "tpm2-pkcs11",
    leaves_out=frozenset({"decrypt", "allowed_mechanisms", "always_authenticate"}),
    says={
        "decrypt": True,
        "allowed_mechanisms": "ECDSA ECDSA_SHA1 ECDSA_SHA256 ECDSA_SHA384 ECDSA_SHA512",
        "always_authenticate": False,
    },
)
"""Makes TPM keys with both usages and its own list, and refuses a template that names another.

Has no login for one signature: the TPM itself wants the key's secret each time.
"""
NSS = Vendor(
    "NSS softokn",
    leaves_out=frozenset({"copyable", "allowed_mechanisms", "always_authenticate"}),
    says={"copyable": "unreadable", "local": False, "always_authenticate": "unreadable"},
)
"""Knows no CKA_COPYABLE; says LOCAL false of every key, also of those that it made.

Takes CKA_ALWAYS_AUTHENTICATE, and then refuses the login that it asks for (CKR_USER_ALREADY_LOGGED_IN).
"""
YKCS11 = Vendor("ykcs11", generates=False, says={"copyable": "unreadable", "decrypt": True})
"""A PIV key has no usage of its own; keys are made with piv:, which sets and proves the PIN and touch policy."""
OPENSC = Vendor("OpenSC", generates=False, says={"copyable": "unreadable"})
"""Shows a PIV key only beside a certificate in its slot."""

_BY_LIBRARY = {"tpm2-software.github.io": TPM2, "OpenSC Project": OPENSC, "Yubico (www.yubico.com)": YKCS11}
_BY_TOKEN = {"Mozilla Foundation": NSS}


def vendor_of(library: str, token: str) -> Vendor:
    """By what module (CK_INFO) and token (CK_TOKEN_INFO) say of their manufacturers; a proxy tells only the latter."""
    return _BY_LIBRARY.get(library) or _BY_TOKEN.get(token) or STANDARD
