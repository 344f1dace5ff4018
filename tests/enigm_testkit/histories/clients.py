"""Both clients, each with state of its own, and what can be seen of them after a step."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote

from tuf.ngclient import Updater

from enigm_testkit.histories.server import MemoryStore, OurFetcher, Server, TheirFetcher
from enigm_testkit.plain import PlainTuf
from enigm_testkit.vendor import SetClock
from enigm_tuf.errors import EnigmTufError, RefusedError
from enigm_tuf.model.tuf import TargetFile
from enigm_tuf.model.value import replace
from enigm_tuf.ports import DeviceState
from enigm_tuf_client.workflow import TufWorkflow

Found = tuple[int, dict[str, str]] | str
"""Length and hashes of a target, or ``missing``, or ``refused``."""


@dataclass(frozen=True)
class Outcome:
    """What one refresh and the searches after it gave. ``held`` are the trusted bytes by role; ``why`` for people."""

    accepted: bool
    held: dict[str, bytes]
    found: dict[str, Found]
    why: str

    def verdict(self) -> tuple[object, ...]:
        """What both clients must agree on."""
        return self.accepted, self.held, self.found


class OurClient:
    """``TufWorkflow`` on plain TUF."""

    def __init__(self, server: Server, root: bytes) -> None:
        self._server = server
        self.store = MemoryStore(DeviceState(metadata={"root": root}))

    def update(self, now: datetime, paths: Sequence[str]) -> Outcome:
        found: dict[str, Found] = {}
        try:
            workflow = TufWorkflow(self.store, OurFetcher(self._server), SetClock(now), PlainTuf(), folder="")
            workflow.refresh()
        except EnigmTufError as error:
            return Outcome(False, self.held(), {}, str(error))
        why = []
        for path in paths:
            try:
                found[path] = _seen(workflow.target(path))
            except EnigmTufError as error:
                absent = isinstance(error, RefusedError) and error.rule in {"TARGET-MISSING", "DELEGATION-LIMIT"}
                found[path] = "missing" if absent else "refused"
                why.append(str(error))
        return Outcome(True, self.held(), found, "; ".join(why))

    def held(self) -> dict[str, bytes]:
        return dict(self.store.load().metadata)

    def forget_verifications(self) -> None:
        """Keep the metadata alone, as a store of an earlier version did."""
        self.store.commit(replace(self.store.load(), remembered={}))


def _seen(target: TargetFile) -> Found:
    return target.length, dict(target.hashes)


class TheirClient:
    """python-tuf's ngclient."""

    def __init__(self, server: Server, root: bytes, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.take_over({"root": root})

    def take_over(self, held: dict[str, bytes]) -> None:
        """Forget everything and hold these files, so that one explained difference does not lead to others."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        for role, data in held.items():
            (self._folder / f"{quote(role, safe='')}.json").write_bytes(data)

    def update(self, now: datetime, paths: Sequence[str]) -> Outcome:
        found: dict[str, Found] = {}
        try:
            fetcher = TheirFetcher(self._server)
            updater = Updater(str(self._folder), "https://example.org/", fetcher=fetcher, bootstrap=None)
            updater._trusted_set.reference_time = now
            updater.refresh()
        except Exception as error:  # it promises two kinds of errors, and a crash is a refusal too
            return Outcome(False, self.held(), {}, repr(error))
        why = []
        for path in paths:
            try:
                target = updater.get_targetinfo(path)
                found[path] = (target.length, dict(target.hashes)) if target else "missing"
            except Exception as error:
                found[path] = "refused"
                why.append(repr(error))
        return Outcome(True, self.held(), found, "; ".join(why))

    def held(self) -> dict[str, bytes]:
        return {unquote(file.stem): file.read_bytes() for file in self._folder.glob("*.json")}
