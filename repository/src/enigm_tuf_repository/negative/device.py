"""A device that looks at what it is served, and takes the newest release if all is well."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from enigm_tuf.errors import RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.manifest import ManifestPayload, OtaManifest, manifest_path, read_manifest
from enigm_tuf.ports import DeviceState, Fetcher
from enigm_tuf.trust import agreement
from enigm_tuf.trust.agreement import AgreedPayload
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf.trust.root_rules import view_trusted_root
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf_client.download import Wanted, download
from enigm_tuf_client.targets import hashed_path
from enigm_tuf_client.workflow import TufWorkflow
from enigm_tuf_repository.devices import FreshStore, load_product_roles
from enigm_tuf_repository.lineage import READINGS
from enigm_tuf_repository.negative.judging import JudgedOnce, Seen


@dataclass(frozen=True, slots=True)
class StoppedClock:
    """Implements ``enigm_tuf.ports.Clock``."""

    time: datetime

    def now(self) -> datetime:
        return self.time


@dataclass(frozen=True, slots=True)
class Device:
    """What it is, what it remembers, and what its clock says. ``floor`` is its rollback index.

    It follows one channel of one product; with ``product`` None it only looks at the roles that everybody needs.
    ``seen`` is shared by the devices of one scene, and spares them no question of trust.
    """

    environment: Environment
    product: str | None
    channel: str | None
    state: DeviceState
    now: datetime
    floor: int = 0
    seen: Seen = field(default_factory=Seen, repr=False, compare=False)

    def refresh(self, fetcher: Fetcher) -> tuple[DeviceState, tuple[AgreedPayload, ...]]:
        """What it remembers then, and the payloads of the newest release that both authorities agree on."""
        store = FreshStore(self.state)
        admission = JudgedOnce(AuthorityAdmission(self.environment), self.seen)
        workflow = TufWorkflow(store, fetcher, StoppedClock(self.now), admission, readings=READINGS)
        workflow.refresh()
        agreed: tuple[AgreedPayload, ...] = ()
        if self.product:
            load_product_roles(workflow, self.product)
            agreed = self._newest(workflow, self.product)
        return store.load(), agreed

    def receive(self, fetcher: Fetcher, agreed: AgreedPayload, place: Path) -> None:
        """Download one payload to ``place``, as it would be before it is installed."""
        payload = agreed.payload
        name = f"targets/{hashed_path(payload.path, payload.hashes['sha256'])}"
        got = download([fetcher], Wanted(name, payload.length, payload.hashes, agreed.chunks), place)
        agreement.admit_artifact(agreed, place, got.length, got.hashes)

    def _newest(self, workflow: TufWorkflow, product: str) -> tuple[AgreedPayload, ...]:
        manifest = self._manifest(workflow, product)
        if manifest is None:
            return ()
        release = manifest.releases[0]
        dual = view_trusted_root(workflow.trusted.root).extension.authority_model == "dual"

        def agree(payload: ManifestPayload) -> AgreedPayload:
            if not dual:
                return agreement.by_manifest_alone(product, release, payload)
            target = workflow.target(payload.path, payload_role(product))
            return agreement.agree(product, release, payload, target)

        agreed = tuple(agree(payload) for payload in release.payloads)
        for item in agreed:
            agreement.rollback_index(item, self.floor)
        return agreed

    def _manifest(self, workflow: TufWorkflow, product: str) -> OtaManifest | None:
        """The channel's; None where it has no release."""
        if self.channel is None:
            return None
        path = manifest_path(product, self.channel)
        try:
            data = workflow.small_target(path, LIMITS.manifest_bytes, manifest_role(product))
        except RefusedError as refusal:
            if refusal.rule == TufRule.TARGET_MISSING:
                return None
            raise
        manifest = read_manifest(data, path)
        agreement.manifest_matches(manifest, self.environment, product, self.channel)
        return manifest
