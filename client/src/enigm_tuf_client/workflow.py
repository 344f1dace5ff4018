"""The TUF client workflow (specification section 5) over a store, a fetcher and a clock.

Each document is committed to the store as soon as it is trusted, so that a later failure never lowers
protection. What the store holds is verified again at every refresh.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from enigm_tuf.errors import EnigmTufError, NotFoundError, RefusedError, StateError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.documents import Documents
from enigm_tuf.model.tuf import TargetFile
from enigm_tuf.model.value import replace
from enigm_tuf.ports import Clock, DeviceState, Fetcher, Store
from enigm_tuf.trust import metadata
from enigm_tuf.trust.admission import Admission
from enigm_tuf.trust.delegation import search
from enigm_tuf.trust.metadata import Lineage, TrustedMetadata
from enigm_tuf.trust.remembered import Remembered
from enigm_tuf.trust.tuf_rules import TufRule

_TOP: Lineage = ("targets",)


class TufWorkflow:
    """One refresh and the searches after it. ``folder`` is where metadata lies below the fetcher's base."""

    def __init__(
        self, store: Store, fetcher: Fetcher, clock: Clock, admission: Admission, folder: str = "metadata/"
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._folder = folder
        self._admission = admission
        self.state: DeviceState = store.load()
        now = clock.now()
        _require_time_floor(self.state.latest_time, now)
        if "root" not in self.state.metadata:
            raise StateError("the store holds no trusted root", hint="initialise it from the shipped root first")
        self.trusted: TrustedMetadata = metadata.trust_root(
            self.state.metadata["root"], now, admission, remembered=self._remembered("root")
        )

    def refresh(self) -> None:
        """5.3 to 5.6: root chain, timestamp, snapshot, targets."""
        self._roots()
        metadata.require_fresh_root(self.trusted)
        self._timestamp()
        self._snapshot()
        known = self._remembered("targets")
        if known is None or not metadata.targets_are_current(self.trusted, _TOP, known):
            self._targets(_TOP)

    def target(self, path: str) -> TargetFile:
        """5.6.7: the target file's metadata; RefusedError TARGET-MISSING if no role lists it."""
        steps = search(path)
        try:
            wanted = next(steps)
            while True:
                self._targets(wanted)
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
        known = self._remembered("timestamp")
        self._recall(
            "timestamp", lambda data: metadata.admit_timestamp(self.trusted, data, stored=True, remembered=known)
        )
        data = self._fetch("timestamp", None, LIMITS.timestamp_bytes)
        self._accept("timestamp", metadata.admit_timestamp(self.trusted, data, remembered=known), data)

    def _snapshot(self) -> None:
        known = self._remembered("snapshot")
        self._recall(
            "snapshot", lambda data: metadata.admit_snapshot(self.trusted, data, stored=True, remembered=known)
        )
        if metadata.snapshot_is_current(self.trusted):
            return
        meta = metadata.current_timestamp(self.trusted).snapshot_meta
        data = self._fetch("snapshot", meta.version, meta.length or LIMITS.snapshot_bytes)
        self._accept("snapshot", metadata.admit_snapshot(self.trusted, data), data)

    def _targets(self, lineage: Lineage) -> None:
        if lineage in self.trusted.targets:
            return
        role = lineage[-1]
        known = self._remembered(role)
        self._recall(role, lambda data: metadata.admit_targets(self.trusted, lineage, data, remembered=known))
        if lineage in self.trusted.targets:
            return
        meta = metadata.current_meta(self.trusted, role)
        data = self._fetch(role, meta.version, meta.length or LIMITS.targets_bytes)
        self._accept(role, metadata.admit_targets(self.trusted, lineage, data), data, lineage)

    def _remembered(self, role: str) -> Remembered | None:
        return self.state.remembered.get(role)

    def _recall(self, role: str, admit: Callable[[bytes], TrustedMetadata]) -> None:
        """Admit what the store holds, if it still passes; if not, the repository is asked."""
        if role not in self.state.metadata:
            return
        try:
            self.trusted = admit(self.state.metadata[role])
        except EnigmTufError:
            return  # keys or versions moved on: the fetched one decides

    def _accept(self, role: str, trusted: TrustedMetadata, data: bytes, lineage: Lineage = ()) -> None:
        """Swap the state, then make it durable; an unchanged state (5.4.3.1) writes nothing."""
        if trusted is self.trusted:
            return
        self.trusted = trusted
        verified = trusted.targets[lineage] if lineage else getattr(trusted, role)
        remembered = {
            **self.state.remembered,
            "root": trusted.root.remember(self._admission),
            role: verified.remember(self._admission),
        }
        documents = Documents.of(self.state.metadata).with_document(role, data)
        latest = self.state.latest_time
        if role != "root":  # signed expiry bounds how far a wrong clock can push the floor; a root alone does not
            latest = max(trusted.now, latest or trusted.now)
        self.state = replace(self.state, metadata=documents, remembered=remembered, latest_time=latest)
        self._store.commit(self.state)

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
