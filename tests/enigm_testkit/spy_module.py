"""SoftHSM behind a module of ours that counts its signatures, and crashes, hangs or lies when a test says so."""

import os
import select
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")


class SpyModule:
    """Built into ``folder``. Workers that are started from now on find it through SPY_COUNT and SPY_FAULT."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.module = folder / "spy.so"
        self._count, self._fault, self._hangs = folder / "count", folder / "fault", folder / "hangs"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", self.module, _SOURCE, "-ldl"], check=True)
        os.mkfifo(self._hangs)
        self._listener = os.open(self._hangs, os.O_RDONLY | os.O_NONBLOCK)
        paths = {"SPY_COUNT": self._count, "SPY_FAULT": self._fault, "SPY_HANGS": self._hangs}
        os.environ.update({name: str(path) for name, path in paths.items()})

    @property
    def signatures(self) -> int:
        """How many the token has made, whoever saw them."""
        return len(self._count.read_bytes()) if self._count.exists() else 0

    def wait_until_it_hangs(self) -> None:
        """Until a worker has entered a signature that will never end."""
        assert select.select([self._listener], [], [], 10)[0]
        assert os.read(self._listener, 1) == b"h"

    def fail(self, how: str) -> None:
        """From now on: ``crash``, ``crash after``, ``hang``, ``corrupt`` or ``print`` at each signature; ``drift``:
        every key says that it is extractable; or nothing."""
        self._fault.write_text(how)
