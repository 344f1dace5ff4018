"""The same on python-tuf's ngclient: a new Updater each time.

With ``--keep`` last they share a fetcher, so a connection.
"""

import json
import sys
import time
from pathlib import Path

from tuf.ngclient import Updater, Urllib3Fetcher

times, url, folder, target = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4]
fetcher = Urllib3Fetcher() if "--keep" in sys.argv else None
seconds = []
for _ in range(times):
    start = time.perf_counter()
    updater = Updater(str(folder / "metadata"), f"{url}/metadata", fetcher=fetcher, bootstrap=None)
    updater.refresh()
    seconds.append(time.perf_counter() - start)
    if target and updater.get_targetinfo(target) is None:
        sys.exit("no target")
sys.stdout.write(json.dumps(seconds))
