"""How large the files of one channel are now, and how they grow with each release."""

from collections.abc import Mapping
from dataclasses import dataclass

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.chunks import DIGEST_BYTES, chunk_count
from enigm_tuf.model.manifest import RELEASE, manifest_path, read_manifest
from enigm_tuf.model.payload import read_payload_record
from enigm_tuf.model.strict_json import encode
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf_repository.lineage import Lineage, require_delegated
from enigm_tuf_repository.mirror import payload_target
from enigm_tuf_repository.release_preparing import KEPT_RELEASES
from enigm_tuf_repository.role_building import target_object
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes. ``of`` is by what is fetched; ``growth`` is what a release adds; ``room`` releases fit into the manifest
    before the oldest one leaves it."""

    of: Mapping[str, int]
    growth: Mapping[str, int]
    room: int

    def after(self, what: str, releases: int) -> int:
        """The size of a file after so many releases more."""
        grown = min(releases, self.room) if what == "manifest" else releases
        return self.of[what] + grown * self.growth.get(what, 0)


def sizes_of(workspace: Workspace, product: str, channel: str) -> Sizes:
    """From what is published; MisuseError where the channel has no release yet."""
    lineage = Lineage(workspace.published, [])
    if manifest_role(product) in lineage.heads:
        require_delegated(lineage, product)
    role = lineage.value(manifest_role(product), Targets)
    target = role.targets.get(manifest_path(product, channel)) if role else None
    if target is None:
        raise MisuseError(f"channel {channel} of product {product} has no release yet: its sizes are what is asked for")
    releases = read_manifest(lineage.target(target), target.path).releases
    full = next((item for item in releases[0].payloads if item.source_build is None), releases[0].payloads[0])
    payload = payload_target(lineage, product, full)
    of = {name: len(lineage.heads[name].data) for name in ("timestamp", "snapshot", "targets")}
    of |= {"manifest role": len(lineage.heads[manifest_role(product)].data), "manifest": target.length}
    growth = {"manifest": len(encode(RELEASE.write(releases[0])))}
    if payload_role(product) in lineage.heads:
        of["payload role"] = len(lineage.heads[payload_role(product)].data)
        growth["payload role"] = len(encode({payload.path: target_object(payload)})) * len(releases[0].payloads)
        of["chunk digests"] = _chunk_bytes(payload)
    return Sizes(of | {"payload": payload.length}, growth, max(KEPT_RELEASES - len(releases), 0))


def _chunk_bytes(payload: TargetFile) -> int:
    chunks = read_payload_record(payload.unrecognized_fields.get("custom"), payload.path, "custom").chunks
    return chunk_count(payload.length, chunks.size) * DIGEST_BYTES
