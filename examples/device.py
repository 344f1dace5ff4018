"""Devices of the demo, and the server that they ask."""

import re
import subprocess
from pathlib import Path

from examples.stage import BIN, Stage

_CONFIGURATION = """environment = "{environment}"
product = "phone"
hardware_id = "phone-a"
channel = "stable"
device_id = "{name}"
cohorts = []
url = "{url}"
"""


class Server:
    """A server on loopback for as long as the block runs: ``enigm-repo serve``, or the attacker's own."""

    def __init__(self, stage: Stage, tree: Path) -> None:
        self._stage = stage
        self._tree = tree
        self.url = ""

    def __enter__(self) -> "Server":
        if self._tree.name == "published":
            command = [str(BIN / "enigm-repo"), "serve", "--port", "0", "--repository", str(self._tree.parent)]
        else:
            listen = ["http.server", "0", "--bind", "127.0.0.1", "--directory", str(self._tree)]
            command = [str(BIN / "python"), "-u", "-m", *listen]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self._process.stdout.readline() if self._process.stdout else ""
        found = re.search(r"http://127.0.0.1:(\d+)", line)
        if not found:
            raise SystemExit(f"the server did not come up: {line}")
        self.url = f"http://127.0.0.1:{found[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def point(self, device: Path) -> None:
        """The device asks this server from now on: DNS and CDN are the attacker's."""
        file = device / "device.toml"
        file.write_text(re.sub(r'url = ".*"', f'url = "{self.url}"', file.read_text()))


def make_device(stage: Stage, name: str, root: Path, url: str, environment: str = "staging") -> str:
    """A device with the shipped root; returns the rule that refused it, or nothing."""
    configuration = stage.folder / f"{name}.toml"
    configuration.write_text(_CONFIGURATION.format(environment=environment, name=name, url=url))
    status = 0 if environment == "staging" else 3
    arguments = ["init", "--root", str(root), "--config", str(configuration)]
    outcome = stage.update(stage.folder / name, *arguments, status=status)
    return outcome.err.split(": ")[1] if status else ""
