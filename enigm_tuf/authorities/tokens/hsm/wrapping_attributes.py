"""The PKCS#11 attributes of a wrapping key: TRUSTED, never extractable, for one use, and with no other use at all.

Who could decrypt with it would read every key that was ever wrapped under it.
"""

from collections.abc import Mapping

from enigm_tuf.authorities.tokens.hsm.attributes import UNREADABLE
from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.wrapping import Use, WrapMechanism

WRAPPING: Mapping[str, bool] = {
    "private": False,  # PKCS#11 shows the security officer no private object, and only they make a key TRUSTED
    "sensitive": True,
    "extractable": False,
    "encrypt": False,
    "decrypt": False,
    "sign": False,
    "verify": False,
    "derive": False,
    "copyable": False,
    "trusted": True,
    "modifiable": False,  # last: SoftHSM takes nothing after it
}
"""Given to the token when the key is derived on it, beside the one use."""

MADE: Mapping[str, bool] = {"always_sensitive": True, "never_extractable": True}
READ_WRAPPING = (*WRAPPING, "wrap", "unwrap", *MADE, "allowed_mechanisms", "check_value")

UNWRAPS_INTO: Mapping[str, bool] = {"private": True, "sensitive": True, "wrap_with_trusted": True}
"""CKA_UNWRAP_TEMPLATE: what every key that is unwrapped with it must be, whoever asks."""


def use_of(use: Use) -> dict[str, bool]:
    """The one thing that it may do."""
    return {"wrap": use == "wrap", "unwrap": use == "unwrap"}


def require_wrapping_attributes(
    attributes: Mapping[str, bool | str], use: Use, mechanism: WrapMechanism, subject: str
) -> None:
    """RefusedError TOKEN-WRAPPING naming the first attribute that differs."""
    required: dict[str, bool | str] = {**WRAPPING, **MADE, **use_of(use)}
    if attributes.get("allowed_mechanisms", UNREADABLE) != UNREADABLE:
        required["allowed_mechanisms"] = mechanism
    for name, expected in required.items():
        got = attributes.get(name, UNREADABLE)
        if got != expected or type(got) is not type(expected):
            raise RefusedError(
                TokenRule.TOKEN_WRAPPING,
                f"{subject}, CKA_{name.upper()}",
                expected=str(expected),
                got=str(got),
                hint="make a new wrapping key with enigm-sign wrapping make",
            )
