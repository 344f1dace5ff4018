"""Which store a workspace publishes to. obstore is loaded only where there is one."""

from typing import TYPE_CHECKING

from enigm_tuf.errors import MisuseError
from enigm_tuf_repository.mirror import pull
from enigm_tuf_repository.publication import PublicationStore
from enigm_tuf_repository.stores.directory import DirectoryStore
from enigm_tuf_repository.workspace import Workspace

if TYPE_CHECKING:
    from enigm_tuf_repository.stores.objects import ObjectStore


def remote_of(workspace: Workspace) -> "ObjectStore | None":
    """The bucket; None where ``published`` is served itself."""
    settings = workspace.store_settings()
    if settings is None:
        return None
    from enigm_tuf_repository.stores.objects import ObjectStore  # 30 ms that a directory need not pay

    return ObjectStore(settings)


def store_of(workspace: Workspace) -> PublicationStore:
    """Where the tree is published."""
    return remote_of(workspace) or DirectoryStore(workspace.published)


def require_remote(workspace: Workspace) -> "ObjectStore":
    """The bucket; MisuseError where there is none."""
    remote = remote_of(workspace)
    if remote is None:
        raise MisuseError(
            "this repository has no store", hint="name it by --store URL, or in [store] of repository.toml"
        )
    return remote


def follow(workspace: Workspace, first_root: bytes | None = None) -> tuple[str, ...]:
    """Bring the mirror up to date before anything rests on it; the paths that are new."""
    remote = remote_of(workspace)
    if remote is None:
        return ()
    return pull(workspace.published, remote, workspace.configuration().environment, first_root)
