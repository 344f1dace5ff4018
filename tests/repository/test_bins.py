"""One target into one of 16,384 hash bins of a plain TUF tree: unmodified ngclient finds it, and our client does.

Devices take no bins under the rules of the authorities (AUTHORITY-ROLES, ``tests/core/test_authority_admission.py``).
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from enigm_testkit.bins import NEW_TARGET, SEED, listed_in, make_bins
from enigm_testkit.plain import PlainTuf
from enigm_testkit.vendor import SetClock
from enigm_tuf.errors import RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.plain_snapshot import PlainSnapshot
from enigm_tuf.model.plain_targets import PlainTargets, read_plain
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import TargetFile, Timestamp
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.verified import read_document, read_snapshot
from enigm_tuf_client.workflow import TufWorkflow
from enigm_tuf_repository.devices import FreshStore
from enigm_tuf_repository.foreign_client import verify_with_ngclient
from enigm_tuf_repository.lineage import Signed, SignedFile, metadata_file
from enigm_tuf_repository.overlay import OverlayFetcher
from enigm_tuf_repository.role_building import hashed_name, with_targets, with_versions
from enigm_tuf_repository.timestamps import next_timestamp

DATA = b"more"
TARGET = TargetFile(NEW_TARGET, len(DATA), {"sha256": sha256(DATA)})


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """With one target more."""
    tree = tmp_path / "tree"
    name = make_bins(tree, 100_000)
    assert listed_in(tree, name)
    key = Ed25519PrivateKey.from_private_bytes((tree / SEED).read_bytes())
    keyid, now = CryptoSigner(key).public_key.keyid, datetime.now(UTC).replace(microsecond=0)
    metadata, expires = tree / "metadata", now + timedelta(days=1)

    def write(file: str, value: Signed) -> bytes:
        data = metadata_file(value.canonical(), {keyid: key.sign(value.canonical()).hex()})
        (metadata / f"{file}.json").write_bytes(data)
        return data

    found = read_plain((metadata / f"1.{name}.json").read_bytes(), name)
    assert found
    role = with_targets(found[1], {NEW_TARGET: TARGET}, expires)
    old = (metadata / "1.snapshot.json").read_bytes()
    before = read_snapshot(old, "snapshot", LIMITS.snapshot_bytes, sha256(old)).value
    snapshot = with_versions(before, {name: role.version}, now, expires)
    assert isinstance(role, PlainTargets)
    assert isinstance(snapshot, PlainSnapshot)
    write(f"2.{name}", role)
    signed = SignedFile("snapshot", write("2.snapshot", snapshot), snapshot, {})
    data = (metadata / "timestamp.json").read_bytes()
    timestamp = read_document(data, Timestamp, "timestamp", LIMITS.timestamp_bytes).value
    write("timestamp", next_timestamp(timestamp, signed, now, expires))
    place = tree / "targets" / hashed_name(TARGET)
    place.parent.mkdir(parents=True)
    place.write_bytes(DATA)
    return tree


def with_ngclient(tree: Path, folder: Path) -> str:
    root = (tree / "metadata" / "1.root.json").read_bytes()
    return verify_with_ngclient(OverlayFetcher((tree,)), root, [NEW_TARGET], folder)


def test_ngclient_downloads_the_target_that_was_added(tree: Path, tmp_path: Path) -> None:
    assert with_ngclient(tree, tmp_path)


@pytest.mark.parametrize("change", [(b'"length":4', b'"length":5'), (b'"version":2', b'"version":3')])
def test_ngclient_refuses_a_bin_that_was_changed_since(tree: Path, tmp_path: Path, change: tuple[bytes, bytes]) -> None:
    (changed,) = (tree / "metadata").glob("2.bin-*.json")
    changed.write_bytes(changed.read_bytes().replace(*change))
    with pytest.raises(RefusedError):
        with_ngclient(tree, tmp_path)


def test_our_client_finds_it_where_it_is_asked_for_tuf_alone(tree: Path) -> None:
    state = DeviceState(metadata={"root": (tree / "metadata" / "1.root.json").read_bytes()})
    workflow = TufWorkflow(FreshStore(state), OverlayFetcher((tree,)), SetClock(), PlainTuf())
    workflow.refresh()
    assert workflow.target(NEW_TARGET) == TARGET
