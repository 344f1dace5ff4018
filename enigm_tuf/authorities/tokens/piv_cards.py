"""Where PIV cards come from: the machine's readers, through PC/SC. Tests bring their own source."""

from typing import Protocol

from smartcard.Exceptions import SmartcardException
from smartcard.pcsc.PCSCExceptions import BaseSCardException
from ykman.base import YkmanDevice
from ykman.device import list_all_devices
from yubikit.core.smartcard import SmartCardConnection
from yubikit.management import DeviceInfo

from enigm_tuf.errors import NoTokenError


class CardSource(Protocol):
    """Cards that are in right now."""

    def serials(self) -> tuple[int, ...]:
        """The serial numbers of all cards that are in."""
        ...

    def open(self, serial: int) -> SmartCardConnection:
        """An exclusive connection to that card; NoTokenError."""
        ...


class PcscCards:
    """The readers of this machine."""

    def serials(self) -> tuple[int, ...]:
        """Of every card that answers; NoTokenError if there is no smart card service."""
        return tuple(info.serial for _, info in self._devices() if info.serial is not None)

    def open(self, serial: int) -> SmartCardConnection:
        """NoTokenError if it is not in, or another program holds it."""
        for device, info in self._devices():
            if info.serial == serial:
                try:
                    return device.open_connection(SmartCardConnection)
                except SmartcardException as error:
                    raise NoTokenError(f"card {serial}: {error}", hint="does another program hold it?") from error
        raise no_card(serial, self.serials())

    def _devices(self) -> list[tuple[YkmanDevice, DeviceInfo]]:
        try:
            return list(list_all_devices([SmartCardConnection]))
        except (SmartcardException, BaseSCardException) as error:
            raise NoTokenError(f"no smart card service: {error}", hint="is pcscd running?") from error


def no_card(serial: int | None, there: tuple[int, ...]) -> NoTokenError:
    """The error that says what is in instead."""
    wanted = f"card {serial} is not in a reader" if serial else "which card?"
    return NoTokenError(f"{wanted}; there are: {', '.join(map(str, there)) or 'none'}", hint="name one: piv:serial=N")
