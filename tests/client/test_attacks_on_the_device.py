"""What somebody with some of the keys tried on a device, and must not get."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.custodians import SoftKey
from enigm_testkit.vendor import SetClock, Vendor
from enigm_tuf.clock import NoClock
from enigm_tuf.errors import MisuseError, RefusedError, TransportError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.shapes import Time
from enigm_tuf.model.strict_json import canonical, encode, sha256
from enigm_tuf.model.value import replace
from enigm_tuf.ports import DeviceClock, DeviceState
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.installer import DirectorySlots
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.updater import Updater
from enigm_tuf_client.workflow import TufWorkflow

FACTS = DeviceFacts("staging", "phone", "phone-a", "stable", "device-1")
MANIFEST = "manifests/phone/stable.json"
Change = Callable[[dict[str, Any]], None]


class Thief:
    """Controls the server, and signs with whatever keys of the vendor a test hands out."""

    def __init__(self, vendor: Vendor) -> None:
        self.keys = vendor.keys
        self.metadata = vendor.published / "metadata"
        self.targets = vendor.published / "targets"

    def newest(self, role: str) -> Path:
        """The file of the role's newest version."""
        if role == "timestamp":
            return self.metadata / "timestamp.json"
        return max(self.metadata.glob(f"*.{role}.json"), key=lambda path: int(path.name.split(".")[0]))

    def sign(self, role: str, keys: Sequence[SoftKey], change: Change) -> int:
        """A next version of the role, changed; its version."""
        signed = json.loads(self.newest(role).read_bytes())["signed"]
        signed["version"] += 1
        change(signed)
        signatures = [{"keyid": key.keyid, "sig": key.sign(canonical(signed)).hex()} for key in keys]
        name = "timestamp.json" if role == "timestamp" else f"{signed['version']}.{role}.json"
        (self.metadata / name).write_bytes(encode({"signed": signed, "signatures": signatures}))
        version: int = signed["version"]
        return version

    def sign_current(self, versions: dict[str, int]) -> None:
        """A snapshot with these roles, and the timestamp that names it."""
        meta = {f"{role}.json": {"version": version} for role, version in versions.items()}
        snapshot = self.sign("snapshot", self.keys["manifest"][:1], lambda signed: signed["meta"].update(meta))
        named = {"snapshot.json": {"version": snapshot}}
        self.sign("timestamp", self.keys["timestamp"], lambda signed: signed.update(meta=named))

    def put(self, path: str, data: bytes) -> dict[str, Any]:
        """A target file under the name that clients ask for; its entry in metadata."""
        folder, _, name = path.rpartition("/")
        digest = sha256(data)
        (self.targets / folder).mkdir(parents=True, exist_ok=True)
        (self.targets / folder / f"{digest}.{name}").write_bytes(data)
        return {"length": len(data), "hashes": {"sha256": digest}}


class Victim:
    """A device of the vendor."""

    def __init__(self, vendor: Vendor, folder: Path) -> None:
        self.vendor = vendor
        self.folder = folder
        self.store = DirectoryStore(folder / "store")
        root = (vendor.published / "metadata" / "1.root.json").read_bytes()
        self.store.commit(DeviceState(metadata={"root": root}))
        self.updater = self._updater(vendor.clock)

    def without_clock(self) -> Updater:
        return self._updater(NoClock())

    def _updater(self, clock: DeviceClock) -> Updater:
        return Updater(store=self.store, fetcher=FileFetcher(self.vendor.published), facts=FACTS, clock=clock)


@pytest.fixture
def thief(released: Vendor) -> Thief:
    return Thief(released)


@pytest.fixture
def victim(released: Vendor, tmp_path: Path) -> Victim:
    return Victim(released, tmp_path / "device")


def _manifest_of(thief: Thief) -> dict[str, Any]:
    (file,) = (thief.targets / "manifests/phone").glob("*.stable.json")
    manifest: dict[str, Any] = json.loads(file.read_bytes())
    return manifest


def _record_of(thief: Thief) -> dict[str, Any]:
    targets = json.loads(thief.newest("phone.payload").read_bytes())["signed"]["targets"]
    record: dict[str, Any] = next(iter(targets.values()))["custom"]
    return record


def test_the_manifest_authority_cannot_write_the_payload_record_itself(thief: Thief, victim: Victim) -> None:
    """Manifest keys alone: the payload's path lies in the manifest role, and so does its 'payload record'."""
    path, manifest = "manifests/phone/evil.zip", _manifest_of(thief)
    evil = thief.put(path, b"evil")
    release = manifest["releases"][0]
    release |= {"version": "9.0", "rollback_index": 9}
    release["payloads"][0] |= {"path": path, **evil}
    custom = _record_of(thief) | {"version": "9.0", "rollback_index": 9}
    entry = thief.put(MANIFEST, encode(manifest))
    targets = {MANIFEST: entry, path: {**evil, "custom": custom}}
    version = thief.sign("phone.manifest", thief.keys["manifest"][:1], lambda signed: signed.update(targets=targets))
    thief.sign_current({"phone.manifest": version})
    check = victim.updater.check()
    assert check.offer is None
    assert check.refusal is not None
    assert check.refusal.rule == "DUAL-AGREEMENT"


def test_a_target_of_another_role_than_the_one_that_is_asked_for_is_missing(victim: Victim, thief: Thief) -> None:
    fetcher, clock = FileFetcher(thief.metadata.parent), SetClock()
    workflow = TufWorkflow(victim.store, fetcher, clock, AuthorityAdmission("staging"))
    workflow.refresh()
    assert workflow.target(MANIFEST, "phone.manifest").path == MANIFEST
    with pytest.raises(RefusedError, match=r"TARGET-MISSING: .* listed by phone\.payload, got listed by phone\.manif"):
        workflow.target(MANIFEST, "phone.payload")


def _freshness(thief: Thief, change: Change) -> None:
    thief.sign("timestamp", thief.keys["timestamp"], change)


@pytest.mark.parametrize("year", ["0001", "0002", "0999"])
@pytest.mark.parametrize("clock", [True, False])
def test_the_freshness_key_cannot_brick_a_device_with_times_of_antiquity(
    thief: Thief, victim: Victim, year: str, clock: bool
) -> None:
    """Neither an overflow nor a store that cannot be read again: the next honest timestamp heals it."""
    time = f"{year}-01-01T00:00:00Z"
    issued = {"x-enigm-tuf": {"schema": 1, "issued": time}}
    _freshness(thief, lambda signed: signed.update(issued, **({} if clock else {"expires": time})))
    updater = victim.updater if clock else victim.without_clock()
    updater.check()
    now = SetClock().time
    expires = {"expires": f"{now.year + 1}-01-01T00:00:00Z"}
    _freshness(
        thief, lambda signed: signed.update({"x-enigm-tuf": {"schema": 1, "issued": Time().write(now)}}, **expires)
    )
    updater.check()
    assert updater.check().offer


def test_the_freshness_key_cannot_make_a_device_read_a_snapshot_of_any_size(thief: Thief, victim: Victim) -> None:
    named = {"snapshot.json": {"version": 99, "length": 2**50}}
    _freshness(thief, lambda signed: signed.update(meta=named))
    with (thief.metadata / "99.snapshot.json").open("wb") as file:
        file.truncate(LIMITS.snapshot_bytes + 1)
    with pytest.raises(TransportError):
        victim.updater.check()


def test_an_offer_that_was_withdrawn_since_is_not_installed(thief: Thief, victim: Victim) -> None:
    """The download takes its time; meanwhile the device learns that the manifest authority halted the release."""
    offer = victim.updater.check().offer
    assert offer
    artifact = victim.updater.fetch(offer, victim.folder / "download")
    manifest = _manifest_of(thief)
    manifest["releases"] = []
    targets = {MANIFEST: thief.put(MANIFEST, encode(manifest))}
    version = thief.sign("phone.manifest", thief.keys["manifest"][:1], lambda signed: signed.update(targets=targets))
    thief.sign_current({"phone.manifest": version})
    assert victim.updater.check().offer is None
    with pytest.raises(MisuseError, match="check again"):
        victim.updater.install(offer, artifact, DirectorySlots(victim.folder / "slots"))


def test_an_offer_is_not_installed_on_another_device(victim: Victim, tmp_path: Path) -> None:
    offer = victim.updater.check().offer
    assert offer
    artifact = victim.updater.fetch(offer, victim.folder / "download")
    other = Victim(victim.vendor, tmp_path / "other")
    with pytest.raises(MisuseError, match="check again"):
        other.updater.install(offer, artifact, DirectorySlots(tmp_path / "slots"))


def test_a_sealed_value_is_not_changed_by_replace(victim: Victim) -> None:
    offer = victim.updater.check().offer
    assert offer
    artifact = victim.updater.fetch(offer, victim.folder / "download")
    with pytest.raises(MisuseError, match="never by hand"):
        replace(artifact, file=victim.folder / "evil", rollback_index=0)
    with pytest.raises(MisuseError, match="never by hand"):
        replace(offer.agreed, payload=replace(offer.agreed.payload, hashes={"sha256": "0" * 64}))


def test_the_freshness_key_and_the_clock_cannot_put_the_time_floor_out_of_reach(
    thief: Thief, victim: Victim, released: Vendor
) -> None:
    """A timestamp that never expires, seen by a clock that is months ahead, when the snapshot has expired."""
    now = released.clock.time
    _freshness(thief, lambda signed: signed.update(expires="9999-01-01T00:00:00Z"))
    released.clock.advance(timedelta(days=300))
    refusal = victim.updater.check().refusal
    assert refusal is not None
    assert refusal.rule == "SNAPSHOT-EXPIRED"
    released.clock.time = now
    assert victim.updater.check().offer
