"""Vendors whose tree is published in a bucket."""

from dataclasses import replace

from enigm_testkit.buckets.kinds import store_at
from enigm_testkit.buckets.proxy import Proxy
from enigm_testkit.buckets.servers import Bucket
from enigm_testkit.vendor import Vendor
from enigm_tuf_repository.stores.caching import TIMESTAMP
from enigm_tuf_repository.stores.objects import ObjectStore


class Shelf:
    """A prefix of a bucket: what lies there, and vendors who publish to it, perhaps through a proxy."""

    def __init__(self, bucket: Bucket, prefix: str, proxy: Proxy | None = None) -> None:
        self._bucket = replace(bucket, url=f"{bucket.url}/{prefix}", public=f"{bucket.public}/{prefix}")
        self._proxy = proxy
        self.url = self._bucket.url
        self.public = self._bucket.public
        self.store: ObjectStore = store_at(bucket, prefix)

    def settings(self, **more: str) -> str:
        """``[store]``."""
        way = self._bucket.through(self._proxy.port) if self._proxy else self._bucket
        return way.toml(**more)

    def taken_by(self, vendor: Vendor, **more: str) -> Vendor:
        """The same vendor, who from now on publishes here."""
        file = vendor.workspace.configuration_file
        file.write_text(file.read_text().partition("\n[store]\n")[0] + self.settings(**more))
        return vendor

    def filled_by(self, vendor: Vendor, **more: str) -> Vendor:
        """The same, and what was published in the directory is here now."""
        self.taken_by(vendor, **more)
        vendor.done("store", "push")
        return vendor

    def tree(self) -> dict[str, bytes]:
        """Every object that a client could fetch."""
        names = [f"{top}/{name}" for top in ("metadata", "targets", "decisions") for name in self.store.names(top)]
        return {name: self.store.fetch(name, 2**24) for name in names}

    def timestamp(self) -> bytes:
        return self.store.fetch(TIMESTAMP, 2**16)
