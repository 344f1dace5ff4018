"""One target more in a big role: read, added, signed, encoded. Arguments: how often, the role's file.

Prints the seconds of each, and the SHA-256 of what was signed."""

import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import TargetFile
from enigm_tuf.trust.verified import read_targets
from enigm_tuf_repository.lineage import metadata_file
from enigm_tuf_repository.requests import proposal_bytes
from enigm_tuf_repository.role_building import with_targets

PATH, HASHES = "payloads/phone/5/more.zip", {"sha256": "0" * 64, "sha512": "0" * 128}
EXPIRES, BYTES = datetime(2030, 1, 1, tzinfo=UTC), LIMITS.stated_targets_bytes
data, key = Path(sys.argv[2]).read_bytes(), generate_private_key(SECP256R1())
seconds, signed = [], b""
for _ in range(int(sys.argv[1])):
    start = time.perf_counter()
    role = read_targets(data, "role", BYTES, sha256(data)).value
    signed = proposal_bytes(with_targets(role, {PATH: TargetFile(PATH, 1, HASHES)}, EXPIRES))
    file = metadata_file(signed, {"0" * 64: key.sign(signed, ECDSA(SHA256())).hex()}, BYTES)
    seconds.append(time.perf_counter() - start)
sys.stdout.write(json.dumps({"seconds": seconds, "sha256": hashlib.sha256(signed).hexdigest()}))
