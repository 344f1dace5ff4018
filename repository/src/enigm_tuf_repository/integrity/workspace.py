"""``verify`` on a repository: its tree, wherever it is published, and what its own books know of it."""

from collections.abc import Callable

from enigm_tuf.errors import MisuseError
from enigm_tuf_repository.durable import file_sha256
from enigm_tuf_repository.integrity.checking import Known, check_tree
from enigm_tuf_repository.integrity.damage import Findings
from enigm_tuf_repository.integrity.records import check_records, first_root_of, under_way
from enigm_tuf_repository.integrity.tree import DirectoryTree, Tree
from enigm_tuf_repository.pruning import pruned_paths
from enigm_tuf_repository.stores.opening import remote_of
from enigm_tuf_repository.workspace import Workspace


def check_workspace(
    workspace: Workspace, first_root: str | None, watch: Callable[[Findings], None]
) -> tuple[str, Findings]:
    """The name of the tree, and its damage. ``first_root`` is a SHA-256; None for what this machine knows of it.

    MisuseError where nothing is published; ConflictError where something is published meanwhile.
    """
    config, remote = workspace.configuration(), remote_of(workspace)
    if not (workspace.published / "metadata").is_dir() and remote is None:
        raise MisuseError(f"{workspace.published}: nothing is published yet")
    tree: Tree = remote or DirectoryTree(workspace.published)
    known = Known(
        config.environment, first_root or _first_root(workspace), under_way(workspace), pruned_paths(workspace)
    )
    found = check_tree(tree, known, watch)
    check_records(workspace, tree, known.pruned, found)
    return (remote.url if remote else str(workspace.published)), found


def _first_root(workspace: Workspace) -> str | None:
    """As its record has it, or the mirror of a store."""
    mirrored = workspace.published / "metadata/1.root.json"
    if (recorded := first_root_of(workspace)) or not workspace.store_settings():
        return recorded
    return file_sha256(mirrored) if mirrored.is_file() else None
