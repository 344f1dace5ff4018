"""PIN, PUK and management key of a PIV card: whose they are, what they may be, and changing them.

The custodian knows the PIN. The security officer keeps the PUK and the management key, and types them. A management
key that the PIN opens (stored under it or derived from it, as ykman offers) would make one person of the two.
"""

from collections.abc import Callable

from ykman.piv import get_pivman_data
from yubikit.core import InvalidPinError, require_version
from yubikit.core.smartcard import ApduError
from yubikit.piv import DEFAULT_MANAGEMENT_KEY, MANAGEMENT_KEY_TYPE, PivSession

from enigm_tuf.authorities.token_fit import FACTORY, PIN_OPENS
from enigm_tuf.authorities.tokens.piv_errors import is_possible
from enigm_tuf.errors import MisuseError, PukLockedError, TokenError, WrongPukError
from enigm_tuf.ports import TokenIdentity

FACTORY_PIN, FACTORY_PUK = "123456", "12345678"
_FIRST_WITH_AES = (5, 4, 0)


def read_identity(serial: int, piv: PivSession) -> TokenIdentity:
    """Read without a PIN."""
    flaws = [FACTORY] * any(factory_secrets(piv)) + [PIN_OPENS] * get_pivman_data(piv).has_protected_key
    model = f"YubiKey {', '.join(flaws) or 'PIV'}"
    return TokenIdentity("piv", "Yubico", model, str(serial), str(piv.version), f"card {serial}")


def factory_secrets(piv: PivSession) -> tuple[bool, bool, bool]:
    """Whether PIN, PUK and management key are the factory's."""
    return (
        piv.get_pin_metadata().default_value,
        piv.get_puk_metadata().default_value,
        piv.get_management_key_metadata().default_value,
    )


def replace_factory_secrets(piv: PivSession, serial: int, pin: str, puk: str, management_key: str) -> None:
    """All three, or MisuseError before anything on the card is changed; TokenError if it takes not all."""
    require_new("PIN", pin)
    require_new("PUK", puk)
    key = management_key_bytes(management_key)
    if key == DEFAULT_MANAGEMENT_KEY:
        raise _everybodys()
    if not all(factory_secrets(piv)):
        raise MisuseError(
            f"card {serial} is not fresh from the factory; nothing was changed",
            hint="ykman piv reset makes it so, and destroys its keys",
        )
    require_version(piv.version, _FIRST_WITH_AES)  # the last step needs it, and the first cannot be undone
    piv.authenticate(DEFAULT_MANAGEMENT_KEY)
    try:
        piv.change_pin(FACTORY_PIN, pin)
        piv.change_puk(FACTORY_PUK, puk)
    except ApduError as error:
        raise TokenError(
            f"card {serial}: it took not both, new PIN and new PUK: {error}",
            hint="it may forbid simple ones: ykman piv reset, then again",
        ) from error
    piv.set_management_key(MANAGEMENT_KEY_TYPE.AES192, key)


def unblock_pin(piv: PivSession, serial: int, puk: str, pin: str) -> None:
    """A new PIN by the PUK. MisuseError, WrongPukError, PukLockedError: the PIN is as it was."""
    require_new("PIN", pin)
    if not is_possible(puk):  # it spends no try
        raise _refused_puk(serial, piv.get_puk_metadata().attempts_remaining)
    try:
        piv.unblock_pin(puk, pin)
    except InvalidPinError as error:
        raise _refused_puk(serial, error.attempts_remaining) from error
    except ApduError as error:
        raise TokenError(
            f"card {serial}: it did not take the new PIN: {error}", hint="it may forbid simple ones: choose another"
        ) from error


def show_management_key(piv: PivSession, serial: int, ask: Callable[[str], str]) -> None:
    """Ask the security officer, and show the card that we have it. TokenError."""
    if piv.management_key_type != MANAGEMENT_KEY_TYPE.AES192:
        raise TokenError(
            f"card {serial}: its management key is {piv.management_key_type.name}, and must be AES192",
            hint="a card with firmware 5.4 or newer: ykman piv access change-management-key --algorithm AES192",
        )
    key = management_key_bytes(ask(f"management key of card {serial} (hex)"))
    try:
        piv.authenticate(key)
    except ApduError as error:
        raise TokenError(
            f"card {serial}: wrong management key; no key was made",
            hint="the security officer has it, in its sealed bag; a wrong one spends no try",
        ) from error


def management_key_bytes(text: str) -> bytes:
    """AES-192."""
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise MisuseError("the management key is 48 hex digits") from error
    if len(key) != 24:
        raise MisuseError(f"the management key is 48 hex digits, not {len(text)}")
    return key


def require_new(what: str, secret: str) -> None:
    """MisuseError unless a PIN or PUK is one that a card can have, and not the factory's."""
    if not (secret.isascii() and 6 <= len(secret) <= 8):
        raise MisuseError(f"a {what} has 6 to 8 ASCII characters; nothing was changed")
    if secret in {FACTORY_PIN, FACTORY_PUK}:
        raise _everybodys()


def _everybodys() -> MisuseError:
    return MisuseError("the factory's secrets are everybody's; nothing was changed", hint="choose others")


def _refused_puk(serial: int, tries_left: int) -> TokenError:
    if tries_left:
        return WrongPukError(f"card {serial}", tries_left)
    return PukLockedError(
        f"card {serial}: the PUK is locked; nothing unlocks the PIN any more",
        hint="take another card, and treat its keys as lost; ykman piv reset makes this one new and destroys its keys",
    )
