"""What the published manifests of a product offer, for gates that compare with it where there is no payload role."""

from collections.abc import Iterator

from enigm_tuf.model.manifest import Release, read_manifest
from enigm_tuf.model.tuf import Targets
from enigm_tuf.trust.delegation_rules import manifest_role
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.role_building import hashed_name


def published_releases(context: GateContext) -> Iterator[Release]:
    """Every release of the record's product, channel by channel."""
    role = context.before.get(manifest_role(context.record.product or ""))
    for target in role.value_as(Targets).targets.values() if role else ():
        data = (context.workspace.published / "targets" / hashed_name(target)).read_bytes()
        yield from read_manifest(data, target.path).releases
