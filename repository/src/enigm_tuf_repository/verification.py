"""Step 6: two implementations verify the staged tree as devices will see it, from the first root to the head.

1. the freshness key signs the candidate timestamp
2. our device workflow with the authorities' rules, on a fresh store: every role, every new target's bytes
3. DUAL-AGREEMENT on every payload of the newest release of each manifest that changed
4. python-tuf's ngclient, unmodified: every new target downloaded
5. where the record brings a root: both again from every root that a device may have been shipped with or stopped at
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from enigm_tuf.model.keys import Environment
from enigm_tuf.model.manifest import ManifestPayload, Release, read_manifest
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import TargetFile, Targets, Timestamp
from enigm_tuf.ports import Clock, Fetcher
from enigm_tuf.trust import agreement
from enigm_tuf.trust.agreement import AgreedPayload
from enigm_tuf.trust.delegation_rules import payload_role
from enigm_tuf.trust.root_rules import view_trusted_root
from enigm_tuf_client.download import Wanted, download
from enigm_tuf_client.targets import read_target
from enigm_tuf_client.workflow import TufWorkflow
from enigm_tuf_repository.devices import load_product_roles, refresh_as_device
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.foreign_client import verify_roots_with_tuf, verify_with_ngclient
from enigm_tuf_repository.lineage import Lineage, root_chain
from enigm_tuf_repository.mirror import bring
from enigm_tuf_repository.overlay import OverlayFetcher
from enigm_tuf_repository.records import (
    ReleaseRecord,
    Step,
    StepEvidence,
    digests_of,
    load_record,
    require_before,
    save_record,
    staged_files,
)
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.role_building import hashed_name
from enigm_tuf_repository.root_replaying import Replay
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.staging import TIMESTAMP, new_targets, require_only_signed, signed_roles, staged_path
from enigm_tuf_repository.timestamps import next_timestamp, sign_timestamp
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace

OURS = "VERIFY-DEVICE"


@dataclass(frozen=True, slots=True)
class _Verification:
    """One run over one record's tree."""

    workspace: Workspace
    record: ReleaseRecord
    environment: Environment
    overlay: OverlayFetcher
    chain: list[bytes]
    products: Mapping[str, tuple[str, ...]]
    clock: Clock
    remote: Fetcher | None

    def findings(self) -> Iterator[RuleOutcome]:
        """The evidence of both implementations; RefusedError where one of them says no."""
        if not self._has_timestamp:
            admit_chain(self.chain, self.environment, self.clock.now())
            yield RuleOutcome(OURS, True, f"{len(self.chain)} roots admitted under the rules of the authorities")
            yield RuleOutcome(RepositoryRule.VERIFY_NGCLIENT, True, verify_roots_with_tuf(self.chain))
            return
        targets = new_targets(self.workspace, self.record)
        with tempfile.TemporaryDirectory(dir=self.workspace.record(self.record.id)) as folder:
            yield RuleOutcome(OURS, True, self._device(targets, Path(folder) / "target"))
            paths = [target.path for target in targets]
            seen = verify_with_ngclient(
                self.overlay, self.chain[0], paths, Path(folder), found=list(self._listed_anew())
            )
            yield RuleOutcome(RepositoryRule.VERIFY_NGCLIENT, True, seen)
        if "root" in self.record.roles:
            yield from Replay(self.overlay, self.chain, self.environment, self.products, self.clock).findings()

    @property
    def _has_timestamp(self) -> bool:
        return (self.workspace.record(self.record.id) / TIMESTAMP).is_file()

    def _listed_anew(self) -> Iterator[str]:
        """A target of each product role that the record signs anew: to find it, a client has to load the role.

        Under a new root a replay looks at all of them.
        """
        if "root" in self.record.roles:
            return
        for file in signed_roles(self.workspace, self.record).values():
            if isinstance(file.value, Targets):
                yield from list(file.value.targets)[:1]

    def _device(self, targets: list[TargetFile], place: Path) -> str:
        workflow = refresh_as_device(self.overlay, self.chain[0], self.environment, self.clock)
        for product in () if "root" in self.record.roles else self.record.products:
            load_product_roles(workflow, product)
        agreed = 0
        for target in targets:
            workflow.target(target.path)
            if target.path.startswith("manifests/"):
                agreed += self._newest_release(workflow, target, place)
        version = workflow.trusted.root.value.version
        return f"roots 1 to {version}, new targets: {len(targets)}, payloads agreed and hashed: {agreed}"

    def _newest_release(self, workflow: TufWorkflow, target: TargetFile, place: Path) -> int:
        """Every payload of the manifest's newest release: both authorities agree, and the bytes are these."""
        data = read_target(self.overlay, f"targets/{hashed_name(target)}", target)
        manifest = read_manifest(data, target.path)
        _, product, name = target.path.split("/")
        agreement.manifest_matches(manifest, self.environment, product, name.removesuffix(".json"))
        release = manifest.releases[0]
        for payload in release.payloads:
            file = self._listed(workflow, manifest.product, payload)
            agreed = self._agreed(workflow, manifest.product, release, payload, file)
            self._bring(file)
            wanted = Wanted(f"targets/{hashed_name(file)}", file.length, payload.hashes, agreed.chunks)
            digests = download([self.overlay], wanted, place)
            agreement.admit_artifact(agreed, place, digests.length, digests.hashes)
            place.unlink()
        return len(release.payloads)

    def _listed(self, workflow: TufWorkflow, product: str, payload: ManifestPayload) -> TargetFile:
        """As the payload role lists it; in model ``manifest-only`` there is none, and the manifest alone does."""
        if _is_manifest_only(workflow):
            return TargetFile(payload.path, payload.length, dict(payload.hashes))
        return workflow.target(payload.path, payload_role(product))

    def _agreed(
        self, workflow: TufWorkflow, product: str, release: Release, payload: ManifestPayload, file: TargetFile
    ) -> AgreedPayload:
        if _is_manifest_only(workflow):
            return agreement.by_manifest_alone(product, release, payload)
        return agreement.agree(product, release, payload, file)

    def _bring(self, file: TargetFile) -> None:
        """What is published already may lie in the bucket alone."""
        if not (self.workspace.record(self.record.id) / staged_path(file)).is_file():
            bring(self.workspace.published, self.remote, file)


def _is_manifest_only(workflow: TufWorkflow) -> bool:
    return view_trusted_root(workflow.trusted.root).extension.authority_model == "manifest-only"


def verify(workspace: Workspace, record_id: str, clock: Clock, remote: Fetcher | None = None) -> ReleaseRecord:
    """Make the candidate timestamp, verify twice, and record the evidence over the whole staged set.

    ``remote`` has the bytes of payloads that are published and not in this record.
    """
    record = load_record(workspace, record_id)
    require_before(workspace, record, Step.VERIFIED)
    if record.evidence(Step.PUBLISHED):
        return record
    require_only_signed(workspace, record)
    config, staged = workspace.configuration(), workspace.staged(record_id)
    chain = root_chain(staged, workspace.published)
    _stage_timestamp(workspace, record, chain, clock)
    overlay = OverlayFetcher((staged, workspace.published))
    products = load_register(workspace).products
    run = _Verification(workspace, record, config.environment, overlay, chain, products, clock, remote)
    findings = tuple(run.findings())
    digests = digests_of(workspace.record(record_id), list(staged_files(workspace, record_id)))
    before = Lineage(workspace.published, []).head("timestamp")
    record = replace(record, base=sha256(before.data) if before else None)
    record = record.with_evidence(StepEvidence(Step.VERIFIED, clock.now(), digests, findings))
    save_record(workspace, record)
    return record


def _stage_timestamp(workspace: Workspace, record: ReleaseRecord, chain: list[bytes], clock: Clock) -> None:
    """The candidate: what will be published last, if all goes well. None before there is a snapshot.

    A root on its own gets one too: it may have other keys for it.
    """
    config, now = workspace.with_settings_of(record.id).configuration(), clock.now().replace(microsecond=0)
    root = admit_chain(chain, config.environment, now).root.value
    published = Lineage(workspace.published, [])
    snapshot = signed_roles(workspace, record).get("snapshot") or published.head("snapshot")
    if snapshot is None:
        return
    before = published.value("timestamp", Timestamp)
    timestamp = next_timestamp(before, snapshot, now, now + config.expiry_days.of("timestamp"))
    place = workspace.record(record.id) / TIMESTAMP
    write_durably(place, sign_timestamp(config.timestamp_signer, timestamp, root))
