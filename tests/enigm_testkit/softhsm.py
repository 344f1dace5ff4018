"""Real SoftHSM tokens in a directory of their own."""

import os
import subprocess
from pathlib import Path

import pkcs11

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
_CONF = "directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"


SO_PIN = "so-12345678"


def make_token(label: str, pin: str, so_pin: str = SO_PIN) -> None:
    """A token in the SoftHSM that this process uses."""
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", so_pin]
    subprocess.run(command, check=True, capture_output=True)
    pkcs11.lib(MODULE).reinitialize()


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

    def token(self, label: str, pin: str = "1234", so_pin: str = SO_PIN) -> str:
        """Make a token; returns its RFC 7512 URI."""
        make_token(label, pin, so_pin)
        return self.uri(label)

    def uri(self, label: str) -> str:
        """The URI of a token."""
        return f"pkcs11:token={label}?module-path={MODULE}"
