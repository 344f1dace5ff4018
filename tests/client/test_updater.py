"""A device and a real repository: what it is offered, what it installs, and when its floor rises."""

from pathlib import Path

import pytest

from enigm_testkit.people import FixedClock
from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import MisuseError, RefusedError, StateError
from enigm_tuf.model.value import replace
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.agreement import admit_artifact, by_manifest_alone
from enigm_tuf.trust.artifact import VerifiedArtifact
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf.trust.gate_report import Control, Verdict
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.installer import DirectorySlots
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.updater import Updater

FACTS = DeviceFacts("staging", "phone", "phone-a", "stable", "device-1")


class BrokenInstaller:
    """An installer that never confirms."""

    def place(self, sha256: str) -> Path:
        raise AssertionError(sha256)

    def install(self, artifact: VerifiedArtifact) -> None:
        raise StateError(f"{artifact.version}: the slot is broken")


class Device:
    """A device of a vendor."""

    def __init__(self, vendor: Vendor, folder: Path, facts: DeviceFacts = FACTS) -> None:
        self.folder = folder
        self.store = DirectoryStore(folder / "store")
        root = (vendor.published / "metadata" / "1.root.json").read_bytes()
        self.store.commit(DeviceState(metadata={"root": root}))
        self.slots = DirectorySlots(folder / "slots")
        fetcher, clock = FileFetcher(vendor.published), FixedClock(vendor.clock.time)
        self.updater = Updater(store=self.store, fetcher=fetcher, facts=facts, clock=clock)

    @property
    def floor(self) -> int:
        return self.store.load().rollback_floors.get("phone", 0)


@pytest.fixture
def device(released: Vendor, tmp_path: Path) -> Device:
    return Device(released, tmp_path / "device")


def test_a_release_is_offered_fetched_installed_and_then_there_is_nothing_new(device: Device) -> None:
    check = device.updater.check()
    assert check.offer is not None
    artifact = device.updater.fetch(check.offer, device.folder / "download")
    assert device.floor == 0
    device.updater.install(check.offer, artifact, device.slots)
    assert device.floor == artifact.rollback_index > 0
    assert device.slots.current is not None
    assert (device.slots.current / "payload").stat().st_size == artifact.length
    again = device.updater.check()
    assert again.offer is None
    assert "up to date" in again.reason


def test_the_report_has_one_finding_for_each_control_and_passes_nothing_that_did_not_run(device: Device) -> None:
    report = device.updater.check().report
    assert [finding.control for finding in report.findings] == list(Control)
    verdicts = {finding.control: finding.verdict for finding in report.findings}
    assert verdicts[Control.AGREEMENT] is verdicts[Control.RELEASE_AUTHENTICITY] is Verdict.PASS
    for control in (Control.TRANSPORT, Control.REQUEST, Control.ARTIFACT_INTEGRITY):
        assert verdicts[control] is Verdict.NOT_CHECKED


def test_an_installer_that_does_not_confirm_leaves_the_floor(device: Device) -> None:
    check = device.updater.check()
    assert check.offer
    artifact = device.updater.fetch(check.offer, device.folder / "download")
    with pytest.raises(StateError, match="broken"):
        device.updater.install(check.offer, artifact, BrokenInstaller())
    assert (device.floor, device.store.load().installed) == (0, {})


def test_a_release_below_the_floor_is_refused(device: Device) -> None:
    device.store.commit(replace(device.store.load(), rollback_floors={"phone": 99}))
    check = device.updater.check()
    assert check.offer is None
    assert check.refusal is not None
    assert check.refusal.rule == "ROLLBACK-INDEX"


def test_an_offer_is_no_way_round_a_floor_that_rose_since(device: Device) -> None:
    check = device.updater.check()
    assert check.offer
    artifact = device.updater.fetch(check.offer, device.folder / "download")
    device.store.commit(replace(device.store.load(), rollback_floors={"phone": 99}))
    with pytest.raises(RefusedError, match="ROLLBACK-INDEX"):
        device.updater.install(check.offer, artifact, device.slots)
    assert device.slots.current is None


def test_two_processes_do_not_update_one_device_at_once(device: Device) -> None:
    """What one loaded before the other committed would lower the floor again."""
    with DirectoryStore(device.folder / "store").exclusive(), pytest.raises(StateError, match="another process"):
        device.updater.check()
    assert device.updater.check().offer


def test_a_payload_with_one_wrong_byte_never_gets_a_name(device: Device, released: Vendor) -> None:
    check = device.updater.check()
    assert check.offer
    (payload,) = (released.published / "targets" / Path(check.offer.agreed.payload.path).parent).glob("*.zip")
    data = bytearray(payload.read_bytes())
    data[-1] ^= 1
    payload.write_bytes(data)
    with pytest.raises(RefusedError, match="CHUNK-HASH"):
        device.updater.fetch(check.offer, device.folder / "download")
    assert not (device.folder / "download").exists()


def test_a_file_that_changed_after_it_was_fetched_is_refused(device: Device) -> None:
    check = device.updater.check()
    assert check.offer
    file = device.folder / "download"
    artifact = device.updater.fetch(check.offer, file)
    file.write_bytes(b"swapped")
    with pytest.raises(RefusedError, match="ARTIFACT-INTEGRITY"):
        device.updater.verify(check.offer, file)
    with pytest.raises(StateError, match="changed after it was verified"):
        device.updater.install(check.offer, artifact, device.slots)
    assert (device.slots.current, device.floor) == (None, 0)


def test_an_artifact_of_something_else_is_not_installed(device: Device) -> None:
    check = device.updater.check()
    assert check.offer
    artifact = device.updater.fetch(check.offer, device.folder / "download")
    release = replace(check.offer.agreed.release, rollback_index=9)
    agreed = by_manifest_alone("phone", release, check.offer.agreed.payload)
    same_bytes = admit_artifact(agreed, artifact.file, artifact.length, artifact.hashes)
    with pytest.raises(MisuseError, match="not the one that was offered"):
        device.updater.install(check.offer, same_bytes, device.slots)


@pytest.mark.parametrize(
    ("change", "control"),
    [
        ({"hardware_id": "tablet-z"}, Control.COMPATIBILITY),
        ({"client_version": "0.0.1"}, Control.COMPATIBILITY),
    ],
)
def test_a_device_that_it_is_not_for_gets_no_offer_and_the_reason(
    released: Vendor, tmp_path: Path, change: dict[str, str], control: Control
) -> None:
    check = Device(released, tmp_path / "device", replace(FACTS, **change)).updater.check()
    assert (check.offer, check.refusal) == (None, None)
    assert [finding.control for finding in check.report.refusals()] == [control]


def test_a_device_of_another_environment_trusts_nothing(released: Vendor, tmp_path: Path) -> None:
    facts = replace(FACTS, environment="production")
    check = Device(released, tmp_path / "device", facts).updater.check()
    assert check.refusal is not None
    assert check.refusal.rule == "ENVIRONMENT-MATCH"
