"""The TUF client workflow (specification section 5) over a store, a fetcher and a clock.

Each document is committed to the store as soon as it is trusted, so that a later failure never lowers
protection. What the store holds is judged again at every refresh; its signatures are not verified again where the
same bytes were verified under the same root, keys and rules (ADR 12).
"""

from __future__ import annotations

from enigm_tuf.errors import EnigmTufError, MalformedError, NotFoundError, RefusedError, StateError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.documents import Documents
from enigm_tuf.model.lean import Callable
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root, TargetFile, matches
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.model.value import replace
from enigm_tuf.ports import DeviceClock, DeviceState, Fetcher, Store
from enigm_tuf.trust import metadata
from enigm_tuf.trust.admission import Admission
from enigm_tuf.trust.delegation import search
from enigm_tuf.trust.metadata import Lineage, TrustedMetadata
from enigm_tuf.trust.remembered import Remembered
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf.trust.verified import Readings
from enigm_tuf_client.targets import file_name, hashed_path, read_target
from enigm_tuf_client.time_floor import judged_at, latest_of, raised_floor

_TOP: Lineage = ("targets",)


class TufWorkflow:
    """One refresh and the searches after it. ``folder`` is where metadata lies below the fetcher's base; ``readings``
    are for who looks at one tree many times."""

    def __init__(
        self,
        store: Store,
        fetcher: Fetcher,
        clock: DeviceClock,
        admission: Admission,
        folder: str = "metadata/",
        readings: Readings | None = None,
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._folder = folder
        self._admission = admission
        self._damaged: set[str] = set()
        self.state: DeviceState = store.load()
        self.clock_time = clock.now()
        self._has_news = False
        now = judged_at(self.clock_time, self.state.latest_time)
        if "root" not in self.state.metadata:
            raise StateError("the store holds no trusted root", hint="initialise it from the shipped root first")
        self.trusted: TrustedMetadata = metadata.trust_root(
            self.state.metadata["root"], now, admission, remembered=self._remembered("root"), readings=readings
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
        self._raise_time_floor()

    def target(self, path: str, role: str | None = None) -> TargetFile:
        """5.6.7: the target file's metadata; RefusedError TARGET-MISSING if no role (none but ``role``) lists it."""
        steps, wanted = search(path), _TOP
        try:
            wanted = next(steps)
            while True:
                self._targets(wanted)
                wanted = steps.send(self.trusted.targets[wanted])
        except StopIteration as found:
            if role is not None and wanted[-1] != role:
                expected, got = f"to be listed by {role}", f"listed by {wanted[-1]}"
                raise RefusedError(TufRule.TARGET_MISSING, path, expected=expected, got=got) from None
            target: TargetFile = found.value
            return target

    def small_target(self, path: str, max_bytes: int, role: str) -> bytes:
        """5.7: the bytes of a small target of ``role``, from the store where it holds them; RefusedError TARGET-HASH.

        Kept in the store, so that the next check need not fetch it again.
        """
        target = self.target(path, role)
        if target.length > max_bytes:
            raise MalformedError(path, "length", f"at most {max_bytes:,} bytes")
        if "sha256" not in target.hashes:
            raise MalformedError(path, "hashes", "must have sha256, which its file is named by")
        if path in self.state.targets:
            try:
                data = self.state.targets[path]
            except StateError:
                data = b""  # damaged: fetched again
            if matches(data, target.length, target.hashes) is None:
                return data
        name = f"targets/{hashed_path(path, target.hashes['sha256'])}"
        data = read_target(self._fetcher, name, target)
        self.state = replace(
            self.state, targets=Documents.of(self.state.targets).with_document(path, data, sha256(data))
        )
        self._store.commit(self.state)
        return data

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
        bound = LIMITS.snapshot_bytes if meta.length is None else min(meta.length, LIMITS.snapshot_bytes)
        data = self._fetch("snapshot", meta.version, bound)
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
        data = self._fetch(role, meta.version, metadata.targets_bound(meta))
        self._accept(role, metadata.admit_targets(self.trusted, lineage, data), data, lineage)

    def _remembered(self, role: str) -> Remembered | None:
        return self.state.remembered.get(role)

    def _recall(self, role: str, admit: Callable[[bytes], TrustedMetadata]) -> None:
        """Admit what the store holds, if it still passes; if not, the repository is asked."""
        if role not in self.state.metadata:
            return
        try:
            data = self.state.metadata[role]
        except StateError:
            self._damaged.add(role)  # what is remembered of it still guards against older ones
            return
        try:
            self.trusted = admit(data)
        except EnigmTufError:
            return  # keys or versions moved on: the fetched one decides

    def _accept(self, role: str, trusted: TrustedMetadata, data: bytes, lineage: Lineage = ()) -> None:
        """Swap the state, then make it durable; an unchanged state (5.4.3.1) writes nothing."""
        if trusted is self.trusted:
            return
        if role in self._damaged and not lineage:  # snapshot guards targets and all below (5.6.4)
            self._require_not_older(role, trusted)
        forgotten = _ROTATING if role == "root" and _rotated(self.trusted.root.value, trusted.root.value) else ()
        self.trusted = trusted
        self._has_news = True
        verified = trusted.targets[lineage] if lineage else getattr(trusted, role)
        remembered = {
            **self.state.remembered,
            "root": trusted.root.remember(self._admission),
            role: verified.remember(self._admission),
        }
        documents = Documents.of(self.state.metadata).with_document(role, data, verified.sha256).without(*forgotten)
        if forgotten:  # and with them whatever versions the old keys put into snapshot
            remembered = {"root": remembered["root"]}
        self.state = replace(self.state, metadata=documents, remembered=remembered)
        if role not in {"root", "timestamp"}:  # the manifest authority's expiry bounds how far a wrong clock can push
            self.state = replace(self.state, latest_time=latest_of(self.state.latest_time, self.clock_time))
        self._store.commit(self.state)

    def _require_not_older(self, role: str, trusted: TrustedMetadata) -> None:
        """5.4.3 and 5.5.5 where the stored file is damaged: by the versions that are remembered beside it."""
        remembered = {name: known.version for name, known in self.state.remembered.items()}
        found, least = {role: getattr(trusted, role).value.version}, {role: remembered.get(role, 0)}
        if role == "snapshot" and trusted.snapshot is not None:
            found |= {name.removesuffix(".json"): meta.version for name, meta in trusted.snapshot.value.meta.items()}
            least |= {name: version for name, version in remembered.items() if name not in {"root", "timestamp"}}
        rule = TufRule.ROLLBACK_TIMESTAMP if role == "timestamp" else TufRule.ROLLBACK_SNAPSHOT
        for name, version in least.items():
            if found.get(name, 0) < version:
                expected = f"version {version} or newer, though the stored file is damaged"
                got = f"version {found[name]}" if name in found else "missing"
                raise RefusedError(rule, name, expected=expected, got=got)

    def _raise_time_floor(self) -> None:
        """To the clock's time if there was news, and the newest that snapshot or timestamp say they were issued at."""
        timestamp, snapshot = self.trusted.timestamp, self.trusted.snapshot
        if timestamp is None or snapshot is None:
            return
        floor = latest_of(self.state.latest_time, self.clock_time if self._has_news else None)
        floor = raised_floor(floor, timestamp.value, snapshot.value)
        if floor != self.state.latest_time:
            self.state = replace(self.state, latest_time=floor)
            self._store.commit(self.state)

    def _fetch(self, role: str, version: int | None, max_bytes: int) -> bytes:
        """Consistent snapshots put the version in front (specification 6.2); timestamp never has one."""
        versioned = role == "root" or self.trusted.root.value.consistent_snapshot
        prefix = f"{version}." if version is not None and versioned else ""
        return self._fetcher.fetch(f"{self._folder}{prefix}{file_name(role)}.json", max_bytes)


_ROTATING = ("timestamp", "snapshot")


def _rotated(old: Root, new: Root) -> bool:
    """5.3.11: with new keys for timestamp or snapshot, both stored files go: the old keys may have run far ahead."""
    return any(_keys_of(old, role) != _keys_of(new, role) for role in _ROTATING)


def _keys_of(root: Root, role: str) -> dict[str, Key | None]:
    return {keyid: root.keys.get(keyid) for keyid in root.roles[role].keyids}
