"""The same with python-tuf's Metadata API. Arguments: how often, the role's file.

Prints the seconds of each, and the SHA-256 of what was signed."""

import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, TargetFile, Targets
from tuf.api.serialization.json import JSONSerializer

PATH, HASHES = "payloads/phone/5/more.zip", {"sha256": "0" * 64, "sha512": "0" * 128}
data, signer = Path(sys.argv[2]).read_bytes(), CryptoSigner.generate_ecdsa()
seconds, signed = [], b""
for _ in range(int(sys.argv[1])):
    start = time.perf_counter()
    metadata = Metadata[Targets].from_bytes(data)
    metadata.signed.targets[PATH] = TargetFile(1, HASHES, PATH)
    metadata.signed.version += 1
    metadata.signed.expires = datetime(2030, 1, 1, tzinfo=UTC)
    metadata.signed.spec_version = "1.0.33"  # as ours, so that the bytes can be compared
    metadata.sign(signer)
    metadata.to_bytes(JSONSerializer(compact=True))
    seconds.append(time.perf_counter() - start)
    signed = metadata.signed_bytes
sys.stdout.write(json.dumps({"seconds": seconds, "sha256": hashlib.sha256(signed).hexdigest()}))
