"""Where PIV cards come from: the machine's readers, through PC/SC. Tests bring their own source."""

import contextlib
from typing import Protocol

from smartcard.Exceptions import SmartcardException
from smartcard.ExclusiveConnectCardConnection import ExclusiveConnectCardConnection
from smartcard.pcsc.PCSCExceptions import BaseSCardException
from smartcard.scard import (
    SCARD_E_NO_SMARTCARD,
    SCARD_W_REMOVED_CARD,
    SCARD_W_UNPOWERED_CARD,
    SCARD_W_UNRESPONSIVE_CARD,
)
from ykman.pcsc import ScardSmartCardConnection, ScardYubiKeyDevice, list_devices
from yubikit.core import CommandError
from yubikit.core.smartcard import SmartCardConnection
from yubikit.support import read_info

from enigm_tuf.authorities.tokens.piv_errors import NONSENSE
from enigm_tuf.errors import NoTokenError

_NO_CARD = {
    SCARD_E_NO_SMARTCARD,
    SCARD_W_REMOVED_CARD,
    SCARD_W_UNPOWERED_CARD,  # a moment before pcscd sees that a card was put in or pulled out
    SCARD_W_UNRESPONSIVE_CARD,
}


class CardSource(Protocol):
    """Cards that are in right now."""

    def serials(self) -> tuple[int, ...]:
        """The serial numbers of all cards that are in; NoTokenError if one of them does not let us look."""
        ...

    def open(self, serial: int) -> SmartCardConnection:
        """An exclusive connection to that card; NoTokenError."""
        ...


class PcscCards:
    """The readers of this machine.

    Connections are exclusive: nobody else's command comes between the PIN and the signature. They are made here and
    not by ykman, which ends other programs (``pkill -9 scdaemon``) to get at a card, and waits 3 s for an empty reader.
    """

    def serials(self) -> tuple[int, ...]:
        found = []
        for device in _devices():
            if connection := _connect(device):
                found.append(_serial(device, connection))
                let_go(connection)
        return tuple(serial for serial in found if serial)

    def open(self, serial: int) -> SmartCardConnection:
        there, trouble = [], None
        for device in _devices():
            try:
                connection = _connect(device)
            except NoTokenError as error:
                trouble = error
                continue
            if connection is None:
                continue
            there.append(_serial(device, connection))
            if there[-1] == serial:
                return connection
            let_go(connection)
        raise trouble or no_card(serial, tuple(number for number in there if number))


class _ExclusiveConnection(ScardSmartCardConnection):
    """Lets go of the reader whatever happens; pyscard would leave that to the garbage collector."""

    def __init__(self, device: ScardYubiKeyDevice) -> None:
        connection = ExclusiveConnectCardConnection(device.reader.createConnection())
        try:
            super().__init__(connection)  # type: ignore[no-untyped-call] # ykman types its own classes only
        except SmartcardException:
            connection.release()
            raise

    def close(self) -> None:
        try:
            super().close()  # type: ignore[no-untyped-call]
        finally:
            self.connection.release()


def no_card(serial: int | None, there: tuple[int, ...]) -> NoTokenError:
    """The error that says what is in instead."""
    wanted = f"card {serial} is not in a reader" if serial else "which card?"
    step = f"put card {serial} in, and run the command again" if serial or not there else "name one: piv:serial=N"
    return NoTokenError(
        f"{wanted}; there are: {', '.join(map(str, there)) or 'none'}", hint=step.replace("card None", "a card")
    )


def let_go(connection: SmartCardConnection) -> None:
    """Close it; a card that is gone is closed already."""
    with contextlib.suppress(SmartcardException):
        connection.close()


def _devices() -> list[ScardYubiKeyDevice]:
    try:
        return list(list_devices())  # type: ignore[no-untyped-call]
    except (SmartcardException, BaseSCardException) as error:
        raise NoTokenError(f"no smart card service: {error}", hint="is pcscd running?") from error


def _connect(device: ScardYubiKeyDevice) -> SmartCardConnection | None:
    """None if no card answers in the reader; NoTokenError if another program holds the card."""
    try:
        return _ExclusiveConnection(device)
    except (SmartcardException, BaseSCardException) as error:
        if isinstance(error, SmartcardException) and error.hresult in _NO_CARD:
            return None
        raise NoTokenError(
            f"reader {device.reader.name}: {error}",
            hint="does another program (gpg's scdaemon, an agent) hold the card?",
        ) from error


def _serial(device: ScardYubiKeyDevice, connection: SmartCardConnection) -> int | None:
    """None for a card that does not tell."""
    try:
        return read_info(connection, device.pid).serial
    except (CommandError, SmartcardException, *NONSENSE):
        return None
