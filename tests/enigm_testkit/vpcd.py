"""Virtual cards in a real pcscd: the daemon with a private configuration, and plugs for its virtual reader (vpcd).

By hand: ``python -m enigm_testkit.vpcd --card FILE`` (with PYTHONPATH=tests) makes the card if FILE is not there, and
keeps it in a reader until Ctrl-C. ykman then wants ``--device SERIAL``, since vpcd has a second, empty reader.
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from smartcard.scard import (
    SCARD_S_SUCCESS,
    SCARD_SCOPE_USER,
    SCARD_STATE_EMPTY,
    SCARD_STATE_PRESENT,
    SCARD_STATE_UNAWARE,
    SCardEstablishContext,
    SCardGetStatusChange,
    SCardReleaseContext,
)

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_file import load_card, save_card

PORTS = (35963, 35964)
"""vpcd listens here: one port for each of its two readers."""
READERS = ("Yubico YubiKey CCID 00 00", "Yubico YubiKey CCID 00 01")
"""Their names: clients know the maker's cards by the reader's name."""
ATR = bytes.fromhex("3bfd1300008131fe158073c021c057597562694b657940")
_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_SOCKET = Path("/run/pcscd/pcscd.comm")
_LOCK = Path("/run/enigm-testkit-pcscd.lock")
_START_S = 30  # a quarter of a second, unless the machine is busy
_PATIENCE_S = 240  # the demo may take three minutes
_READER = """FRIENDLYNAME "Yubico YubiKey CCID"
DEVICENAME   /dev/null:0x8C7B
LIBPATH      {driver}
CHANNELID    0x8C7B
"""
_ASK_ATR = 4  # the other control bytes are power off, power on and reset


class PcscdUnavailable(Exception):  # noqa: N818 - a fact about the machine, not a mistake
    """pcscd cannot run here; the text says why."""


@contextlib.contextmanager
def pcscd() -> Iterator[None]:
    """A pcscd of our own for as long as the block runs; PcscdUnavailable says why there cannot be one.

    There is one pcscd on a machine: other workers, test runs and demos of ours wait for their turn.
    """
    program = shutil.which("pcscd") or "/usr/sbin/pcscd"
    for needed in (Path(program), _DRIVER):
        if not needed.exists():
            raise PcscdUnavailable(f"{needed} is not installed")
    if os.geteuid() != 0:
        raise PcscdUnavailable("pcscd needs root for its socket in /run/pcscd")
    with _only_one(), tempfile.TemporaryDirectory() as folder:
        if _is_alive():
            raise PcscdUnavailable("another pcscd is running, and there can be only one")
        (Path(folder) / "vpcd").write_text(_READER.format(driver=_DRIVER))
        _SOCKET.parent.mkdir(exist_ok=True)
        _SOCKET.unlink(missing_ok=True)
        daemon = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", program, "--foreground", "--config", folder],  # dies with us
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_ready(daemon)
            yield
        finally:
            daemon.terminate()
            daemon.wait(10)


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    with _LOCK.open("w") as lock:
        for _ in range(_PATIENCE_S * 10):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.1)
        else:
            raise PcscdUnavailable(f"another run has used pcscd for more than {_PATIENCE_S} seconds")
        yield


def _is_alive() -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(_SOCKET))
        except OSError:
            return False
    return True


def _wait_until_ready(daemon: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if daemon.poll() is not None:
            raise PcscdUnavailable(f"pcscd ended at once with status {daemon.returncode}")
        if _SOCKET.exists() and all(listens(port) for port in PORTS):
            return
        time.sleep(0.02)
    raise PcscdUnavailable(f"pcscd did not come up in {_START_S} seconds")


def listens(port: int) -> bool:
    """Looked up, not tried: a connection would be taken for a card."""
    wanted = f":{port:04X} "
    return any(wanted in line and " 0A " in line for line in Path("/proc/net/tcp").read_text().splitlines())


def _wait_until(reader: str, wanted: int) -> None:
    """SCardGetStatusChange, over and over: what pcscd thinks of this reader."""
    _, context = SCardEstablishContext(SCARD_SCOPE_USER)
    try:
        for _ in range(250):
            result, states = SCardGetStatusChange(context, 0, [(reader, SCARD_STATE_UNAWARE)])
            if result == SCARD_S_SUCCESS and states[0][1] & wanted:
                return
            time.sleep(0.02)
    finally:
        SCardReleaseContext(context)
    raise PcscdUnavailable(f"pcscd did not see in five seconds what happened in {reader}")


class VpcdPlug:
    """A card in one of vpcd's readers until ``unplug`` or the end of the block.

    Both return when pcscd has seen it. It looks every 0.4 s: a card that is out for less was never out.
    """

    def __init__(self, card: VirtualPivCard, port: int = PORTS[0]) -> None:
        self._card = card
        self._reader = READERS[PORTS.index(port)]
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        card.reset_link()
        self._thread.start()
        _wait_until(self._reader, SCARD_STATE_PRESENT)

    def __enter__(self) -> "VpcdPlug":
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def unplug(self) -> None:
        """Pull the card out."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
        _wait_until(self._reader, SCARD_STATE_EMPTY)

    def _serve(self) -> None:
        """vpcd's protocol: a length of two bytes, then a control byte or an APDU."""
        with contextlib.suppress(OSError, EOFError):
            while True:
                body = self._read(int.from_bytes(self._read(2), "big"))
                if body == bytes([_ASK_ATR]):
                    self._write(ATR)
                elif len(body) == 1:
                    self._card.reset_link()
                else:
                    self._write(self._card.transmit(body))

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # else 40 ms for each APDU
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _write(self, data: bytes) -> None:
        self._socket.sendall(len(data).to_bytes(2, "big") + data)


def main(arguments: list[str] | None = None) -> None:
    """Serve one card from a file; what changed on it is kept."""
    parser = argparse.ArgumentParser(prog="python -m enigm_testkit.vpcd", description=main.__doc__)
    parser.add_argument("--card", type=Path, required=True, metavar="FILE", help="the card; made if it is not there")
    parser.add_argument("--serial", type=int, default=12345678, help="of a new card (default: %(default)s)")
    parser.add_argument("--port", type=int, default=PORTS[0], help="vpcd's port (default: %(default)s)")
    parser.add_argument("--no-pcscd", action="store_true", help="a pcscd with vpcd runs already")
    wanted = parser.parse_args(arguments)
    card = load_card(wanted.card) if wanted.card.exists() else _new_card(wanted.card, wanted.serial)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        stack.callback(save_card, card, wanted.card)
        if not wanted.no_pcscd:
            _enter_pcscd(stack)
        stack.enter_context(VpcdPlug(card, wanted.port))
        print(f"card {card.serial} is in the reader at port {wanted.port}; Ctrl-C takes it out", flush=True)
        signal.pause()


def _enter_pcscd(stack: contextlib.ExitStack) -> None:
    try:
        stack.enter_context(pcscd())
    except PcscdUnavailable as error:
        raise SystemExit(f"error: {error}") from error


def _new_card(path: Path, serial: int) -> VirtualPivCard:
    """With the root that its maker's people would pin, beside it."""
    maker = AttestationCa()
    path.with_suffix(".root.pem").write_bytes(maker.root_pem)
    return VirtualPivCard(serial, attestation_ca=maker)


if __name__ == "__main__":
    main()
