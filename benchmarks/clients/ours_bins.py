"""One target into one of many bins: bin, snapshot and timestamp read, changed, signed, encoded.

Arguments: how often, the tree, the bin, the new target. Prints the seconds of each, and the SHA-256 of the three files.
"""

import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Signed, TargetFile, Timestamp
from enigm_tuf.trust.verified import read_document, read_snapshot, read_targets
from enigm_tuf_repository.lineage import SignedFile, metadata_file
from enigm_tuf_repository.requests import proposal_bytes
from enigm_tuf_repository.role_building import with_targets, with_versions
from enigm_tuf_repository.timestamps import next_timestamp

HASHES = {"sha256": "0" * 64, "sha512": "0" * 128}
NOW, EXPIRES = datetime(2029, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
times, tree, name, path = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
key = Ed25519PrivateKey.from_private_bytes((tree / "seed").read_bytes())
keyid = CryptoSigner(key).public_key.keyid
before = [(tree / "metadata" / f"{role}.json").read_bytes() for role in (f"1.{name}", "1.snapshot", "timestamp")]


def file(value: Signed) -> bytes:
    """Signed and encoded."""
    signed = proposal_bytes(value)  # type: ignore[arg-type]
    return metadata_file(signed, {keyid: key.sign(signed).hex()})


seconds, made = [], b""
for _ in range(times):
    start = time.perf_counter()
    role = read_targets(before[0], name, LIMITS.targets_bytes, sha256(before[0])).value
    role = with_targets(role, {path: TargetFile(path, 1, HASHES)}, EXPIRES)
    snapshot = read_snapshot(before[1], "snapshot", LIMITS.snapshot_bytes, sha256(before[1])).value
    snapshot = with_versions(snapshot, {name: role.version}, NOW, EXPIRES)
    files = [file(role), file(snapshot)]
    old = read_document(before[2], Timestamp, "timestamp", LIMITS.timestamp_bytes).value
    files.append(file(next_timestamp(old, SignedFile("snapshot", files[1], snapshot, {}), NOW, EXPIRES)))
    seconds.append(time.perf_counter() - start)
    made = b"".join(files)
sys.stdout.write(json.dumps({"seconds": seconds, "sha256": hashlib.sha256(made).hexdigest()}))
