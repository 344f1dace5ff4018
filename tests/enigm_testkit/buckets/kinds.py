"""Every kind of store that the tests publish to, by name."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from enigm_testkit.buckets.ceph import ceph
from enigm_testkit.buckets.gcs import gcs
from enigm_testkit.buckets.servers import Bucket, azure, moto, seaweedfs
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf_repository.publication import PublicationStore
from enigm_tuf_repository.stores.directory import DirectoryStore
from enigm_tuf_repository.stores.objects import ObjectStore
from enigm_tuf_repository.stores.settings import STORE_SETTINGS

SERVERS: dict[str, Callable[[Path], AbstractContextManager[Bucket]]] = {
    "moto": moto,
    "seaweedfs": seaweedfs,
    "azure": azure,
    "gcs": gcs,
    "ceph": ceph,
}


def kinds(*quick: str) -> list[ParameterSet]:
    """All of them, for ``parametrize``: those that are not ``quick`` are long proofs."""
    return [pytest.param(name, marks=[] if name in quick else [pytest.mark.slow]) for name in SERVERS]


@contextmanager
def running(name: str, folder: Path) -> Iterator[Bucket]:
    """A server of this kind, with its credentials where its cloud's own tools look for them."""
    with SERVERS[name](folder) as bucket, pytest.MonkeyPatch.context() as patch:
        for variable, value in bucket.environment.items():
            patch.setenv(variable, value)
        yield bucket


def store_at(bucket: Bucket, prefix: str) -> ObjectStore:
    """As repository.toml would name it, in a prefix of its own."""
    text = bucket.toml(url=f"{bucket.url}/{prefix}")
    return ObjectStore(STORE_SETTINGS.read(parse_toml(text.encode(), "test")["store"], "test", "store"))


def store_of_kind(name: str, bucket: Bucket | None, folder: Path) -> Callable[[], PublicationStore]:
    """Makes publishers of one tree: each call is another publisher."""
    if bucket is None:
        return lambda: DirectoryStore(folder / "published")
    return lambda: store_at(bucket, f"{name}-{folder.name}")
