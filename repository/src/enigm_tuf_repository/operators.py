"""The authorities' registries of operators on the repository's side: lint counts approvals by them.

Nothing is decided here. An authority decides by the registry that its own audit log names.
"""

from pathlib import Path

from enigm_tuf.durable import read_input
from enigm_tuf.errors import ConflictError, MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.operators import OperatorRegistry, read_operators
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.workspace import Workspace


def put_operators(workspace: Workspace, file: Path) -> OperatorRegistry:
    """Keep a registry as the newest; ConflictError where it is older than the one here, or does not follow it."""
    data = read_input(file, LIMITS.inventory_bytes)
    registry = read_operators(data, str(file))
    environment = workspace.configuration().environment
    if registry.environment != environment:
        raise MisuseError(f"{file} is of {registry.environment}, this repository of {environment}")
    place = workspace.operators_file(registry.authority)
    if place.is_file():
        _require_newer(registry, data, place)
    place.parent.mkdir(exist_ok=True)
    write_durably(place, data)
    return registry


def _require_newer(registry: OperatorRegistry, data: bytes, place: Path) -> None:
    kept = place.read_bytes()
    old = read_operators(kept, str(place))
    if kept == data:
        return
    if registry.version <= old.version:
        raise ConflictError(f"{place}: version {old.version} is here, this is version {registry.version}")
    if registry.first != (old.first or sha256(kept)):
        raise ConflictError(f"{place}: began with another version 1")
    if registry.version == old.version + 1 and registry.previous != sha256(kept):
        raise ConflictError(
            f"{place}: version {registry.version} does not follow the version {old.version} that is here"
        )
