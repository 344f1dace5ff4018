"""Devices that were shipped at different times and were off for as long as a test likes, each beside ngclient."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface
from tuf.ngclient import Updater as NgUpdater

from enigm_tuf.model.manifest import read_manifest
from enigm_tuf.model.tuf import Root
from enigm_tuf.ports import Clock, DeviceState
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf.trust.verified import read_document
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.installer import DirectorySlots
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.updater import Updater

MANIFEST = "manifests/phone/stable.json"


@dataclass
class Device:
    """One phone. Its store and its slots outlive every start of its client."""

    folder: Path
    published: Path
    clock: Clock

    def __post_init__(self) -> None:
        self.store = DirectoryStore(self.folder / "store")
        self.slots = DirectorySlots(self.folder / "slots")
        self.report = ""

    def ship(self, root: bytes) -> None:
        self.store.commit(DeviceState(metadata={"root": root}))
        (self.folder / "shipped.json").write_bytes(root)
        for name in ("metadata", "targets"):
            (self.folder / "ngclient" / name).mkdir(parents=True)

    def metadata(self, role: str) -> bytes:
        """What it holds of a role."""
        return self.store.load().metadata[role]

    @property
    def root_version(self) -> int:
        return read_document(self.metadata("root"), Root, "root", 1_000_000).value.version

    def update(self, published: Path | None = None) -> str | None:
        """Check, fetch and install; the version that is installed now. What refuses the check is raised."""
        fetcher = FileFetcher(published or self.published)
        facts = DeviceFacts("staging", "phone", "phone-a", "stable", "device-1")
        updater = Updater(store=self.store, fetcher=fetcher, facts=facts, clock=self.clock)
        check = updater.check()
        self.report = str(check.report)
        if check.refusal:
            raise check.refusal
        if check.offer:
            artifact = updater.fetch(check.offer, self.slots.place(check.offer.sha256))
            updater.install(check.offer, artifact, self.slots)
        installed = self.store.load().installed.get("phone")
        return installed[0] if installed else None

    def ngclient(self, published: Path | None = None) -> str:
        """The newest release in the manifest that python-tuf's client finds, shipped with the same root."""
        folder, url = self.folder / "ngclient", "tree://"
        updater = NgUpdater(
            str(folder / "metadata"),
            f"{url}metadata/",
            str(folder / "targets"),
            f"{url}targets/",
            TreeFetcher(published or self.published, url),
            bootstrap=(self.folder / "shipped.json").read_bytes(),
        )
        info = updater.get_targetinfo(MANIFEST)
        assert info is not None
        return read_manifest(Path(updater.download_target(info)).read_bytes(), MANIFEST).releases[0].version


class TreeFetcher(FetcherInterface):
    """A directory as a repository, for ngclient."""

    def __init__(self, tree: Path, url: str) -> None:
        self._tree = tree
        self._url = url

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = self._tree / url.removeprefix(self._url)
        if not path.is_file():
            raise DownloadHTTPError(str(path), 404)
        yield path.read_bytes()


@dataclass
class Fleet:
    """All devices of a vendor by name, in a folder of its own."""

    path: Path
    published: Path
    clock: Clock

    @property
    def devices(self) -> dict[str, Device]:
        names = sorted(path.name for path in self.path.iterdir())
        return {name: Device(self.path / name, self.published, self.clock) for name in names}

    def ship(self, name: str, root: int) -> Device:
        """A new device that leaves the factory with this root version."""
        device = Device(self.path / name, self.published, self.clock)
        device.folder.mkdir(parents=True)
        device.ship((self.published / "metadata" / f"{root}.root.json").read_bytes())
        return device

    def arrives(self, version: str, *names: str) -> None:
        """Each of these devices, or each of all, installs this version, and ngclient finds it too."""
        for name in names or self.devices:
            device = self.devices[name]
            assert (name, device.update()) == (name, version)
            assert (name, device.ngclient()) == (name, version)
