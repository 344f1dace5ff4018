"""Every root that a device may stand at, played to the head before publication, with both implementations.

One bad root that is published blocks every client behind it for good.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.errors import RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.manifest import manifest_path, read_manifest
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.ports import Clock
from enigm_tuf.trust.agreement import agree, manifest_matches
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf.trust.root_rules import view_trusted_root
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf_client.workflow import TufWorkflow
from enigm_tuf_repository.devices import load_product_roles, refresh_as_device
from enigm_tuf_repository.foreign_client import verify_with_ngclient
from enigm_tuf_repository.overlay import OverlayFetcher
from enigm_tuf_repository.rules import RepositoryRule


@dataclass(frozen=True, slots=True)
class Replay:
    """A tree with the roots that lead to its head. ``products`` gives the channels of each product."""

    overlay: OverlayFetcher
    chain: Sequence[bytes]
    environment: Environment
    products: Mapping[str, Sequence[str]]
    clock: Clock

    def findings(self) -> Iterator[RuleOutcome]:
        """From each root: our device to every channel's newest release, and ngclient to the same targets.

        RefusedError VERIFY-ROOTS, VERIFY-NGCLIENT.
        """
        targets, offered = [self._device_at(version) for version in range(1, len(self.chain) + 1)][-1]
        told = f"a device at each of {len(self.chain)} roots finds {', '.join(offered) or 'no product yet'}"
        yield RuleOutcome(RepositoryRule.VERIFY_ROOTS, True, told)
        with tempfile.TemporaryDirectory() as folder:
            for version, root in enumerate(self.chain, start=1):
                place = Path(folder) / str(version)
                place.mkdir()
                verify_with_ngclient(self.overlay, root, [], place, found=targets)
        told = f"ngclient refreshed from each of {len(self.chain)} roots and found {len(targets)} targets"
        yield RuleOutcome(RepositoryRule.VERIFY_NGCLIENT, True, told)

    def _device_at(self, version: int) -> tuple[list[str], list[str]]:
        """The targets that a device at this root agrees with, and what it would be offered, channel by channel."""
        try:
            workflow = refresh_as_device(self.overlay, self.chain[version - 1], self.environment, self.clock)
            return self._look(workflow)
        except RefusedError as refusal:
            subject = f"a device at root version {version}"
            expected = "to reach the newest release of every channel"
            raise RefusedError(RepositoryRule.VERIFY_ROOTS, subject, expected=expected, got=str(refusal)) from refusal

    def _look(self, workflow: TufWorkflow) -> tuple[list[str], list[str]]:
        targets, offered = [], []
        for product, channels in self.products.items():
            load_product_roles(workflow, product)
            for channel in channels:
                path = manifest_path(product, channel)
                if not _lists(workflow, path):
                    offered.append(f"no release of {product} {channel}")
                    continue
                newest, payloads = _newest(workflow, product, channel)
                targets += [path, *payloads]
                offered.append(f"{product} {newest} on {channel}")
        return targets, offered


def _lists(workflow: TufWorkflow, path: str) -> bool:
    try:
        workflow.target(path)
    except RefusedError as refusal:
        if refusal.rule == TufRule.TARGET_MISSING:
            return False
        raise
    return True


def _newest(workflow: TufWorkflow, product: str, channel: str) -> tuple[str, list[str]]:
    """The newest release, and its payloads as the release authority lists them: none where there is none."""
    path = manifest_path(product, channel)
    manifest = read_manifest(workflow.small_target(path, LIMITS.manifest_bytes, manifest_role(product)), path)
    extension = view_trusted_root(workflow.trusted.root).extension
    manifest_matches(manifest, extension.environment, product, channel)
    release = manifest.releases[0]
    if extension.authority_model == "manifest-only":
        return release.version, []
    for payload in release.payloads:
        agree(product, release, payload, workflow.target(payload.path, payload_role(product)))
    return release.version, [payload.path for payload in release.payloads]
