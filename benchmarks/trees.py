"""What is served: a vendor's published repository with one big payload, and plain TUF with one role of many targets."""

import contextlib
import hashlib
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from enigm_testkit.vendor import Vendor, make_vendor, release_toml
from enigm_tuf.ports import DeviceState
from enigm_tuf_client.store import DirectoryStore

_Signed = TypeVar("_Signed", Root, Timestamp, Snapshot, Targets)


def write_payload(path: Path, size: int) -> None:
    """``size`` bytes that no file system can store as holes or once."""
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for start in range(0, size, len(block)):
            piece = start.to_bytes(8, "big") + block[8:]
            file.write(piece[: size - start])


def make_published(path: Path) -> Vendor:
    """A vendor with a product and no release; its keys are in software."""
    with contextlib.redirect_stdout(io.StringIO()):
        return make_vendor(path).opened()


def publish_release(vendor: Vendor, version: str, payload: Path) -> Path:
    """Publish ``payload`` as release ``version``, all gates included; the published file. ``payload`` is moved."""
    folder = vendor.path / f"build-{version}"
    folder.mkdir()
    payload.rename(folder / "ota.zip")
    (folder / "slsa.json").write_text('{"builder": "benchmark"}')
    (folder / "release.toml").write_text(release_toml(version))
    with contextlib.redirect_stdout(io.StringIO()):
        vendor.done("release", "prepare", "--config", str(folder / "release.toml"))
        vendor.publish(f"phone-{version}")
    (folder / "ota.zip").unlink()
    (published,) = (vendor.published / "targets" / "payloads" / "phone" / version).glob("*.zip")
    return published


def new_devices(folder: Path, root: bytes) -> None:
    """A new device in ``folder``, for both clients: nothing but the shipped root."""
    DirectoryStore(folder / "store").commit(DeviceState(metadata={"root": root}))
    (folder / "metadata").mkdir()
    (folder / "metadata" / "root.json").write_bytes(root)


def make_plain(path: Path, count: int) -> Path:
    """Plain TUF, consistent snapshots, ``count`` targets in the top-level role; the big role's file."""
    (path / "metadata").mkdir(parents=True)
    signer = CryptoSigner.generate_ecdsa()
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    root = Root(version=1, expires=expires, consistent_snapshot=True)
    for role in ("root", "timestamp", "snapshot", "targets"):
        root.add_key(signer.public_key, role)
    targets = Targets(version=1, expires=expires)
    targets.targets = {target_path(number): _target(number) for number in range(count)}

    def write(name: str, signed: _Signed) -> MetaFile:
        metadata = Metadata(signed)
        metadata.sign(signer)
        data = metadata.to_bytes(JSONSerializer(compact=True))
        (path / "metadata" / f"{name}.json").write_bytes(data)
        return MetaFile(1, len(data), {"sha256": hashlib.sha256(data).hexdigest()})

    write("1.root", root)
    listed = write("1.targets", targets)
    snapshot = write("1.snapshot", Snapshot(version=1, expires=expires, meta={"targets.json": listed}))
    write("timestamp", Timestamp(version=1, expires=expires, snapshot_meta=snapshot))
    return path / "metadata" / "1.targets.json"


def target_path(number: int) -> str:
    return f"payloads/phone/{number}/ota.zip"


def _target(number: int) -> TargetFile:
    data = str(number).encode()
    hashes = {"sha256": hashlib.sha256(data).hexdigest(), "sha512": hashlib.sha512(data).hexdigest()}
    return TargetFile(length=len(data), hashes=hashes, path=target_path(number))
