"""Our workflow on plain TUF. Arguments: how often to refresh, the URL, the device's folder, a target to look up or ''.

Prints the seconds of each refresh.
"""

import json
import sys
import time
from pathlib import Path

from enigm_tuf.clock import SystemClock
from enigm_tuf_client.http import HttpFetcher
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.workflow import TufWorkflow

sys.path.append(str(Path(__file__).parents[2] / "tests"))
from enigm_testkit.plain import PlainTuf

times, url, folder, target = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4]
store, fetcher = DirectoryStore(folder / "store"), HttpFetcher(url)
seconds = []
for _ in range(times):
    start = time.perf_counter()
    workflow = TufWorkflow(store, fetcher, SystemClock(), PlainTuf(), "metadata/")
    workflow.refresh()
    seconds.append(time.perf_counter() - start)
    if target:
        workflow.target(target)
sys.stdout.write(json.dumps(seconds))
