"""A device of ours: ``check`` or ``install``. Arguments: the verb, the URL, the device's folder."""

import sys

from enigm_tuf.clock import SystemClock
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf_client.http import HttpFetcher
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.updater import Updater

verb, url, folder = sys.argv[1:]
facts = DeviceFacts("staging", "phone", "phone-a", "stable", "device-1")
updater = Updater(store=DirectoryStore(f"{folder}/store"), fetcher=HttpFetcher(url), facts=facts, clock=SystemClock())
check = updater.check()
if check.refusal or bool(check.offer) != (verb == "install"):
    sys.exit(check.reason)
if check.offer:
    from enigm_tuf_client.installer import DirectorySlots

    slots = DirectorySlots(f"{folder}/slots")
    artifact = updater.fetch(check.offer, slots.place(check.offer.sha256))
    updater.install(check.offer, artifact, slots)
