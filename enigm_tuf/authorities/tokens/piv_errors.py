"""The smart card libraries' exceptions become ours here, and a PIN is checked here, with the tries that are left."""

import contextlib
import struct
from collections.abc import Iterator

from smartcard.Exceptions import SmartcardException
from yubikit.core import CommandError, InvalidPinError, NotSupportedError
from yubikit.piv import PivSession

from enigm_tuf.errors import PinLockedError, TokenError, TokenRemovedError, WrongPinError


def verify_pin(piv: PivSession, pin: str, serial: int) -> None:
    """WrongPinError, PinLockedError. A PIN that no card can have spends no try."""
    if not is_possible(pin):
        raise WrongPinError(f"card {serial}", piv.get_pin_attempts())
    try:
        piv.verify_pin(pin)
    except InvalidPinError as error:
        if error.attempts_remaining == 0:
            raise PinLockedError(
                f"card {serial}: the PIN is locked",
                hint=f"with the PUK: enigm-sign token unblock --token piv:serial={serial}",
            ) from error
        raise WrongPinError(f"card {serial}", error.attempts_remaining) from error


def is_possible(secret: str) -> bool:
    """Six to eight bytes (SP 800-73-4 part 2, section 2.4.3)."""
    try:
        return 6 <= len(secret.encode()) <= 8
    except UnicodeEncodeError:
        return False


def removed(serial: int, effect: str, error: Exception) -> TokenRemovedError:
    """The error for a card that is gone; ``effect`` says what became of the signature."""
    return TokenRemovedError(
        f"card {serial}: pulled out or gone; {effect} ({error})",
        hint=f"put card {serial} back in, and run the command again",
    )


NONSENSE = (ValueError, LookupError, TypeError, struct.error)
"""What yubikit stumbles with over an answer that no card of the maker's gives."""


@contextlib.contextmanager
def understood(serial: int) -> Iterator[None]:
    """Round what asks the card, and nothing else: an answer that makes no sense is a TokenError."""
    try:
        yield
    except (CommandError, NotSupportedError):  # ValueErrors, some of them, but no nonsense
        raise
    except NONSENSE as error:
        raise TokenError(
            f"card {serial}: gives an answer that is not understood: {error}",
            hint="pull it out, put it back, and run the command again; if it stays so, take another card",
        ) from error


@contextlib.contextmanager
def converted(serial: int) -> Iterator[None]:
    """Whatever yubikit and pyscard raise inside the block leaves it as a TokenError that names the card."""
    try:
        yield
    except SmartcardException as error:
        raise removed(serial, "no answer was received", error) from error
    except NotSupportedError as error:
        raise TokenError(f"card {serial}: its firmware is too old: {error}", hint="5.7 or newer is needed") from error
    except CommandError as error:
        raise TokenError(f"card {serial}: {error}") from error
