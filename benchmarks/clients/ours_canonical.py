"""Our canonical encoding. Arguments: how often, a metadata file. Prints the seconds of each and the SHA-256."""

import hashlib
import json
import sys
import time
from pathlib import Path

from enigm_tuf.model.strict_json import canonical

value = json.loads(Path(sys.argv[2]).read_bytes())["signed"]
seconds, data = [], b""
for _ in range(int(sys.argv[1])):
    start = time.perf_counter()
    data = canonical(value)
    seconds.append(time.perf_counter() - start)
sys.stdout.write(json.dumps({"seconds": seconds, "sha256": hashlib.sha256(data).hexdigest()}))
