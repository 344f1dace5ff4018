"""The one place where python-pkcs11's exceptions become ours. Runs in the worker. Most of them have no text."""

import contextlib
from collections.abc import Callable, Iterator

from pkcs11 import exceptions

from enigm_tuf.errors import PinLockedError, TokenError, TokenRemovedError, WrongPinError

WRONG_PIN = (exceptions.PinIncorrect, exceptions.PinLenRange, exceptions.PinInvalid)


@contextlib.contextmanager
def guarded(name: Callable[[], str]) -> Iterator[None]:
    """``name`` says at the time of the failure which token it is."""
    try:
        yield
    except exceptions.PinLocked as error:
        raise PinLockedError(f"token {name()}: the PIN is locked", hint="the security officer resets it") from error
    except WRONG_PIN as error:
        raise WrongPinError(f"token {name()}", None) from error
    except (exceptions.DeviceRemoved, exceptions.TokenNotPresent, exceptions.ObjectHandleInvalid) as error:
        raise TokenRemovedError(f"token {name()}: went away ({type(error).__name__})") from error
    except (exceptions.DeviceError, exceptions.SessionHandleInvalid) as error:
        raise TokenRemovedError(f"token {name()}: does not answer ({type(error).__name__})") from error
    except exceptions.PKCS11Error as error:
        raise TokenError(f"token {name()}: {type(error).__name__} {error}".rstrip()) from error
