"""A store as tuf-conformance wants to see it: unversioned ``root.json``, ``timestamp.json`` ... in one directory."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from urllib.parse import quote, unquote

from enigm_tuf.durable import replace_file
from enigm_tuf.ports import DeviceState


class FlatStore:
    """Implements ``enigm_tuf.ports.Store``; keeps metadata only."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def load(self) -> DeviceState:
        """Whatever ``*.json`` lies there."""
        files = self._directory.glob("*.json")
        return DeviceState(metadata={unquote(file.stem): file.read_bytes() for file in files})

    def commit(self, state: DeviceState) -> None:
        """Write what is new; each file whole or not at all."""
        for role, data in state.metadata.items():
            file = self._directory / f"{quote(role, safe='')}.json"
            if not file.exists() or file.read_bytes() != data:
                replace_file(file, data)

    def exclusive(self) -> AbstractContextManager[None]:
        """The conformance suite runs one client at a time."""
        return nullcontext()
