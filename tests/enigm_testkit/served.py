"""A plain TUF repository in a directory, a device's store beside it, and a fetcher that writes down what it read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import MetaFile, Root, Signed, Targets

from enigm_testkit.authorities import NOW, Cast, make_role, make_root, make_snapshot, make_timestamp, signed
from enigm_testkit.plain import PlainTuf
from enigm_testkit.vendor import SetClock
from enigm_tuf.ports import DeviceClock, DeviceState
from enigm_tuf.trust.admission import Admission
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.targets import file_name
from enigm_tuf_client.workflow import TufWorkflow


class WritesDown(FileFetcher):
    """A real fetcher; ``asked`` are the paths in order, ``bounds`` the most bytes that each may have."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []
        self.bounds: dict[str, int] = {}

    def fetch(self, path: str, max_bytes: int) -> bytes:
        self.asked.append(path)
        self.bounds[path] = max_bytes
        return super().fetch(path, max_bytes)


@dataclass
class Served:
    """Everything lies below ``path``. ``cast`` signs until a test says otherwise."""

    path: Path
    cast: Cast = field(default_factory=Cast)
    consistent: bool = True
    admission: Admission = field(default_factory=PlainTuf)

    def __post_init__(self) -> None:
        self.clock: DeviceClock = SetClock(NOW)
        self.fetcher = WritesDown(self.path / "served")
        self.store = DirectoryStore(self.path / "device")
        self.metadata.mkdir(parents=True)
        data = self.put("root", self.root())
        self.store.commit(DeviceState({"root": data}))

    @property
    def metadata(self) -> Path:
        return self.path / "served/metadata"

    def root(self, version: int = 1) -> Root:
        root = make_root(self.cast, version)
        root.consistent_snapshot = self.consistent
        return root

    def put(self, role: str, value: Any, signers: Sequence[CryptoSigner] | None = None) -> bytes:
        """Serve ``value`` (a tuf.api Signed) as ``role``; the bytes."""
        own = {"root": self.cast.root, "timestamp": self.cast.timestamp}.get(role, self.cast.manifest)
        data = signed(value, own if signers is None else signers)
        self.file(role, value).write_bytes(data)
        return data

    def file(self, role: str, value: Signed) -> Path:
        """6.2: the version in front, but for timestamp; root has one always."""
        versioned = role == "root" or (self.consistent and role != "timestamp")
        return self.metadata / f"{f'{value.version}.' if versioned else ''}{file_name(role)}.json"

    def publish(self, version: int = 1, **roles: Targets) -> None:
        """Targets (empty unless given) and ``roles``, and a snapshot and a timestamp of ``version`` that name them."""
        listed = {"targets": make_role({}, version), **roles}
        for role, value in listed.items():
            self.put(role, value)
        self.put("snapshot", make_snapshot({role: value.version for role, value in listed.items()}, version))
        self.put("timestamp", make_timestamp(version, version))

    def name_snapshot(self, data: bytes, version: int) -> None:
        """A timestamp that names these bytes by length and hash."""
        timestamp = make_timestamp(version, version)
        timestamp.snapshot_meta = MetaFile.from_data(version, data, ["sha256"])
        self.put("timestamp", timestamp)

    def workflow(self) -> TufWorkflow:
        """A new start of the device's client."""
        return TufWorkflow(self.store, self.fetcher, self.clock, self.admission)

    def refreshed(self) -> TufWorkflow:
        workflow = self.workflow()
        workflow.refresh()
        return workflow

    def stored(self, role: str) -> bytes | None:
        """What a device that starts now would find."""
        return self.store.load().metadata.get(role)
