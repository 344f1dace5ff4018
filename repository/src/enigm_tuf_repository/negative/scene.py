"""Where attacks play: the tree as it would be published, and two devices, one new and one that has seen it all."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.manifest import manifest_path
from enigm_tuf.model.strict_json import JsonObject, encode
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.ports import DeviceState, Fetcher
from enigm_tuf.trust.agreement import AgreedPayload
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf_client.targets import hashed_path
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.lineage import SignedFile, file_name, root_chain
from enigm_tuf_repository.negative.device import Device
from enigm_tuf_repository.overlay import OverlayFetcher
from enigm_tuf_repository.register import load_register


@dataclass(frozen=True, slots=True)
class Trick:
    """What an attacker serves instead of the staged tree, and to whom.

    ``files`` are other bytes by path, ``holes`` paths that give that many zeros, ``through`` changes bytes on the way.
    ``takes_payload``: the device goes on to download the payload.
    """

    device: Device
    files: Mapping[str, bytes] = field(default_factory=dict)
    holes: Mapping[str, int] = field(default_factory=dict)
    through: Callable[[Fetcher], Fetcher] = lambda fetcher: fetcher
    takes_payload: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """``fresh`` knows nothing but the first root; ``informed`` has looked at the staged tree.

    ``payload`` is the smallest one of the newest release, where its bytes are on this machine.
    """

    context: GateContext
    trees: tuple[Path, ...]
    fresh: Device
    informed: Device
    payload: AgreedPayload | None

    @property
    def now(self) -> datetime:
        return self.context.now

    @property
    def environment(self) -> Environment:
        return self.fresh.environment

    def role(self, name: str) -> SignedFile | None:
        """As it would be published."""
        return self.context.after.get(name)

    def replaced(self, name: str) -> SignedFile | None:
        """The published version of a role that the record brings anew."""
        return self.context.before.get(name) if name in self.context.roles else None

    @property
    def manifest_role(self) -> SignedFile | None:
        """The product's."""
        return self.role(manifest_role(self.fresh.product)) if self.fresh.product else None

    @property
    def product_role(self) -> SignedFile | None:
        """The payload role, or in model manifest-only the manifest role: the last that a device looks at."""
        product = self.fresh.product
        return (self.role(payload_role(product)) or self.manifest_role) if product else None

    def manifest_target(self, tree: Mapping[str, SignedFile]) -> TargetFile | None:
        """The channel's manifest, as the role in ``tree`` lists it."""
        device = self.fresh
        role = tree.get(manifest_role(device.product)) if device.product else None
        if role is None or device.product is None or device.channel is None:
            return None
        return role.value_as(Targets).targets.get(manifest_path(device.product, device.channel))

    def payload_path(self) -> str:
        """Where a server has the payload."""
        if self.payload is None:
            raise MisuseError("there is no payload")
        payload = self.payload.payload
        return f"targets/{hashed_path(payload.path, payload.hashes['sha256'])}"


def set_scene(context: GateContext) -> Scene | None:
    """Both devices look at the untouched tree first; what keeps them from taking it is raised. None without timestamp.

    A gate that only saw refusals would pass a client that refuses everything.
    """
    if "timestamp" not in context.roles:
        return None
    staged = context.workspace.staged(context.record.id)
    trees = (staged, context.workspace.published)
    environment = context.workspace.configuration().environment
    product, channel = next(_followed(context), (_product_of(context), None))
    state = DeviceState(metadata={"root": root_chain(*trees)[0]})
    fresh = Device(environment, product, channel, state, context.now)
    seen, agreed = fresh.refresh(OverlayFetcher(trees))
    informed = replace(fresh, state=seen)
    scene = Scene(context, trees, fresh, informed, None)
    smallest = min(agreed, key=lambda item: item.payload.length, default=None)
    whole = replace(scene, payload=smallest)
    is_here = smallest is not None and any((tree / whole.payload_path()).is_file() for tree in trees)
    return whole if is_here else scene


def _product_of(context: GateContext) -> str | None:
    """The record's, if there is something for a device to look for."""
    return None if context.record.action == "retire" else context.record.product


def _followed(context: GateContext) -> Iterator[tuple[str, str]]:
    """Channels that have a release: of the record's product, or of any."""
    after, only = context.after, _product_of(context)
    for product, channels in load_register(context.workspace).products.items():
        if only not in {product, None} or not after.is_in_force(manifest_role(product)):
            continue
        role = after[manifest_role(product)]
        targets = role.value_as(Targets).targets
        brought = context.before.get(role.role)
        before = brought.value_as(Targets).targets if brought else {}
        for channel in sorted(channels, key=lambda name: _same(targets, before, manifest_path(product, name))):
            if manifest_path(product, channel) in targets:
                yield product, channel


def _same(after: Mapping[str, TargetFile], before: Mapping[str, TargetFile], path: str) -> bool:
    """Channels whose manifest the record changes come first."""
    return path not in after or (path in before and before[path].hashes == after[path].hashes)


def metadata_path(file: SignedFile) -> str:
    """Where a server has it."""
    return f"metadata/{file_name(file.role, file.version)}"


def changed(file: SignedFile, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The file with something else in ``signed``, under the signatures of before."""
    document = json.loads(file.data)
    change(document["signed"])
    return encode(document)


def signed_by(file: SignedFile, signatures: Mapping[str, str]) -> bytes:
    """The file with other signatures."""
    return under(json.loads(file.data)["signed"], signatures)


def under(signed: JsonObject, signatures: Mapping[str, str]) -> bytes:
    """A file with these signatures by keyid, whatever was signed."""
    listed = [{"keyid": keyid, "sig": signature} for keyid, signature in signatures.items()]
    return encode({"signatures": listed, "signed": signed})
