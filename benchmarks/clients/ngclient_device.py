"""The same device on python-tuf's ngclient: ``check`` or ``install``. Arguments: the verb, the URL, its folder.

It downloads straight into the slot that is not in use: the fewest copies that ngclient's API allows.
"""

import json
import os
import sys
from pathlib import Path

from tuf.ngclient import Updater

verb, url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
updater = Updater(str(folder / "metadata"), f"{url}/metadata", None, f"{url}/targets", bootstrap=None)
updater.refresh()
if verb == "install":
    manifest = updater.get_targetinfo("manifests/phone/stable.json")
    if manifest is None:
        sys.exit("no manifest")
    release = json.loads(Path(updater.download_target(manifest, str(folder / "manifest"))).read_bytes())["releases"][0]
    payload = updater.get_targetinfo(release["payloads"][0]["path"])
    if payload is None:
        sys.exit("no payload")
    slot = folder / "slots" / "a"
    file = Path(updater.download_target(payload, str(slot / "payload.part")))
    with file.open("rb") as written:
        os.fsync(written.fileno())
    file.rename(slot / "payload")
    (folder / "slots" / "current").symlink_to("a")
    for directory in (slot, slot.parent):
        descriptor = os.open(directory, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
