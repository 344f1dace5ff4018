"""The TUF client workflow (specification section 5) over a store, a fetcher and a clock.

Each document is committed to the store as soon as it is trusted, so that a later failure never lowers
protection. What the store holds is verified again at every refresh.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

from tuf.api.metadata import TargetFile

from enigm_tuf.errors import EnigmTufError, NotFoundError, RefusedError, StateError
from enigm_tuf.limits import LIMITS
from enigm_tuf.ports import Clock, DeviceState, Fetcher, Store
from enigm_tuf.trust import metadata
from enigm_tuf.trust.admission import Admission
from enigm_tuf.trust.delegation import search
from enigm_tuf.trust.metadata import TrustedMetadata
from enigm_tuf.trust.tuf_rules import TufRule


class TufWorkflow:
    """One refresh and the searches after it. ``folder`` is where metadata lies below the fetcher's base."""

    def __init__(
        self, store: Store, fetcher: Fetcher, clock: Clock, admission: Admission, folder: str = "metadata/"
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._folder = folder
        self._state: DeviceState = store.load()
        now = clock.now()
        _require_time_floor(self._state.latest_time, now)
        if "root" not in self._state.metadata:
            raise StateError("the store holds no trusted root", hint="initialise it from the shipped root first")
        self.trusted: TrustedMetadata = metadata.trust_root(self._state.metadata["root"], now, admission)

    def refresh(self) -> None:
        """5.3 to 5.6: root chain, timestamp, snapshot, targets."""
        self._roots()
        metadata.require_fresh_root(self.trusted)
        self._timestamp()
        self._snapshot()
        self._targets("root", "targets")

    def target(self, path: str) -> TargetFile:
        """5.6.7: the target file's metadata; RefusedError TARGET-MISSING if no role lists it."""
        steps = search(path)
        try:
            wanted = next(steps)
            while True:
                self._targets(*wanted)
                wanted = steps.send(self.trusted.targets[wanted])
        except StopIteration as found:
            target: TargetFile = found.value
            return target

    def _roots(self) -> None:
        """5.3.3 to 5.3.9, up to the bound."""
        for _ in range(LIMITS.root_rotations):
            version = self.trusted.root.value.version + 1
            try:
                data = self._fetch("root", version, LIMITS.root_bytes)
            except NotFoundError:
                return
            self._accept("root", metadata.admit_root(self.trusted, data), data)

    def _timestamp(self) -> None:
        self._recall("timestamp", lambda data: metadata.admit_timestamp(self.trusted, data, stored=True))
        data = self._fetch("timestamp", None, LIMITS.timestamp_bytes)
        self._accept("timestamp", metadata.admit_timestamp(self.trusted, data), data)

    def _snapshot(self) -> None:
        self._recall("snapshot", lambda data: metadata.admit_snapshot(self.trusted, data, stored=True))
        if metadata.snapshot_is_current(self.trusted):
            return
        meta = metadata.current_timestamp(self.trusted).snapshot_meta
        data = self._fetch("snapshot", meta.version, meta.length or LIMITS.snapshot_bytes)
        self._accept("snapshot", metadata.admit_snapshot(self.trusted, data), data)

    def _targets(self, delegator: str, role: str) -> None:
        if (delegator, role) in self.trusted.targets:
            return
        self._recall(role, lambda data: metadata.admit_targets(self.trusted, role, delegator, data))
        if (delegator, role) in self.trusted.targets:
            return
        meta = metadata.current_meta(self.trusted, role)
        data = self._fetch(role, meta.version, meta.length or LIMITS.targets_bytes)
        self._accept(role, metadata.admit_targets(self.trusted, role, delegator, data), data)

    def _recall(self, role: str, admit: Callable[[bytes], TrustedMetadata]) -> None:
        """Admit what the store holds, if it still passes; if not, the repository is asked."""
        data = self._state.metadata.get(role)
        if data is None:
            return
        try:
            self.trusted = admit(data)
        except EnigmTufError:
            return  # keys or versions moved on: the fetched one decides

    def _accept(self, role: str, trusted: TrustedMetadata, data: bytes) -> None:
        """Swap the state, then make it durable; an unchanged state (5.4.3.1) writes nothing."""
        if trusted is self.trusted:
            return
        self.trusted = trusted
        latest = max(trusted.now, self._state.latest_time or trusted.now)
        self._state = replace(self._state, metadata=self._state.metadata | {role: data}, latest_time=latest)
        self._store.commit(self._state)

    def _fetch(self, role: str, version: int | None, max_bytes: int) -> bytes:
        """Consistent snapshots put the version in front (specification 6.2); timestamp never has one."""
        versioned = role == "root" or self.trusted.root.value.consistent_snapshot
        prefix = f"{version}." if version is not None and versioned else ""
        return self._fetcher.fetch(f"{self._folder}{prefix}{quote(role, safe='')}.json", max_bytes)


def _require_time_floor(latest: datetime | None, now: datetime) -> None:
    if latest is not None and now < latest:
        raise RefusedError(
            TufRule.TIME_FLOOR, "the clock", expected=f"not before {latest.isoformat()}", got=now.isoformat()
        )
