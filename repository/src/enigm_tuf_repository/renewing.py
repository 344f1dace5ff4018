"""Renew the published timestamp: the same snapshot, one version more, after a device would have accepted it."""

import tempfile
from datetime import datetime
from pathlib import Path

from enigm_tuf.errors import ConflictError, MisuseError
from enigm_tuf.model.tuf import Timestamp
from enigm_tuf.ports import Clock
from enigm_tuf_repository.devices import refresh_as_device
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.lineage import Lineage, root_chain
from enigm_tuf_repository.overlay import OverlayFetcher
from enigm_tuf_repository.publication import PublicationStore
from enigm_tuf_repository.stores.caching import TIMESTAMP
from enigm_tuf_repository.stores.directory import DirectoryStore
from enigm_tuf_repository.timestamps import next_timestamp, sign_timestamp
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace


def renew_timestamp(workspace: Workspace, store: PublicationStore, clock: Clock) -> Timestamp:
    """The new published timestamp. ConflictError if a release was published in between."""
    config, now = workspace.configuration(), clock.now().replace(microsecond=0)
    lineage, chain = Lineage(workspace.published, []), root_chain(workspace.published)
    before, snapshot = lineage.head("timestamp"), lineage.head("snapshot")
    if before is None or snapshot is None:
        raise MisuseError("nothing is published yet that a timestamp could vouch for")
    root = admit_chain(chain, config.environment, now).root.value
    expires = now + config.expiry_days.of("timestamp")
    timestamp = next_timestamp(before.value_as(Timestamp), snapshot, now, expires)
    data = sign_timestamp(config.timestamp_signer, timestamp, root)
    with tempfile.TemporaryDirectory(dir=workspace.path) as folder:
        write_durably(Path(folder) / TIMESTAMP, data)
        overlay = OverlayFetcher((Path(folder), workspace.published))
        refresh_as_device(overlay, chain[0], config.environment, clock)
    _swap(store, data, before.data)
    if not isinstance(store, DirectoryStore):
        _swap(DirectoryStore(workspace.published), data, before.data)
    return timestamp


def fresh_seconds(workspace: Workspace, now: datetime) -> float:
    """For how long the published timestamp has more than two thirds of its life left; 0 where it has not, or is none.

    So a renewal may fail twice before devices stop, and of two jobs that are at work the second finds nothing to do.
    """
    timestamp = Lineage(workspace.published, []).value("timestamp", Timestamp)
    if timestamp is None:
        return 0
    left = timestamp.expires - now - workspace.configuration().expiry_days.of("timestamp") * 2 / 3
    return max(left.total_seconds(), 0)


def _swap(store: PublicationStore, data: bytes, before: bytes) -> None:
    with store.session():
        there = store.read(TIMESTAMP)
        if there is None or there.data != before:
            raise ConflictError("something was published in between", hint="run it again, on top of what is there now")
        store.replace(TIMESTAMP, data, there)
