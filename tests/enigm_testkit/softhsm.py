"""Real SoftHSM tokens in a directory of their own."""

import os
import subprocess
from pathlib import Path

import pkcs11

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
_CONF = "directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"


class SoftHsm:
    """A SoftHSM of its own below ``directory``; this process uses it from now on (SOFTHSM2_CONF)."""

    def __init__(self, directory: Path) -> None:
        tokens = directory / "tokens"
        tokens.mkdir(parents=True)
        conf = directory / "softhsm2.conf"
        conf.write_text(_CONF.format(tokens=tokens))
        self.environment = {"SOFTHSM2_CONF": str(conf)}
        """What a subprocess needs to see the same tokens."""
        os.environ.update(self.environment)
        pkcs11.lib(MODULE).reinitialize()

    def token(self, label: str, pin: str = "1234", so_pin: str = "so-12345678") -> str:
        """Make a token; returns its RFC 7512 URI."""
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", so_pin]
        subprocess.run(command, check=True, capture_output=True)
        pkcs11.lib(MODULE).reinitialize()
        return self.uri(label)

    def uri(self, label: str) -> str:
        """The URI of a token."""
        return f"pkcs11:token={label}?module-path={MODULE}"
