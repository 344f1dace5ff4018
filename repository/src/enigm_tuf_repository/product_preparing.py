"""``product add``: two terminating delegations in ``targets``, and the first, empty version of both product roles."""

from datetime import datetime

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.shapes import NAME
from enigm_tuf.model.tuf import Snapshot, Targets
from enigm_tuf.trust.authority_admission import judge_targets_definition
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf_repository.configuration import ExpiryDays
from enigm_tuf_repository.lineage import Lineage, Signed, lineage_of, root_chain
from enigm_tuf_repository.preparing import Plan, new_record, open_record
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.register import load_register, save_register
from enigm_tuf_repository.requests import Draft, role_evidence
from enigm_tuf_repository.role_building import product_role, with_delegations, with_targets, with_versions
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace


def prepare_product(workspace: Workspace, product: str, channels: tuple[str, ...], now: datetime) -> ReleaseRecord:
    """Open the record ``product-<product>``."""
    for name in (product, *channels):
        NAME.read(name, "argument", name)
    config, register = workspace.configuration(), load_register(workspace)
    root = admit_chain(root_chain(workspace.published), config.environment, now).root.value
    record_id = f"product-{product}"
    lineage = lineage_of(workspace, register, without=record_id)
    if lineage.head(payload_role(product)) or lineage.head(manifest_role(product)):
        raise MisuseError(f"product {product} is there already")
    with new_record(workspace, record_id):
        targets = _targets(workspace, lineage, product, now)
        judge_targets_definition(root, "targets", targets)
        drafts = _drafts(lineage, product, targets, config.expiry_days, now)
        save_register(workspace, register.with_product(product, channels))
        return open_record(workspace, lineage, Plan(record_id, "product", product, drafts), now)


def _targets(workspace: Workspace, lineage: Lineage, product: str, now: datetime) -> Targets:
    """The next ``targets``, with the delegations of both product roles."""
    config = workspace.configuration()
    payloads, manifests = payload_role(product), manifest_role(product)
    payload_keys = workspace.key_records(config.payload_keys)
    manifest_keys = workspace.key_records(config.manifest_keys)
    delegations = {
        payloads: (product_role(payloads, payload_keys, config.payload_threshold), payload_keys),
        manifests: (product_role(manifests, manifest_keys, config.manifest_threshold), manifest_keys),
    }
    return with_delegations(lineage.value("targets", Targets), delegations, now + config.expiry_days.of("targets"))


def _drafts(lineage: Lineage, product: str, targets: Targets, days: ExpiryDays, now: datetime) -> tuple[Draft, Draft]:
    """The payload role for the release authority; targets, manifest role and snapshot for the manifest authority."""
    payloads, manifests = payload_role(product), manifest_role(product)
    payload = with_targets(None, {}, now + days.of(payloads))
    manifest = with_targets(None, {}, now + days.of(manifests))
    versions = {"targets": targets.version, payloads: payload.version, manifests: manifest.version}
    snapshot = with_versions(lineage.value("snapshot", Snapshot), versions, now, now + days.of("snapshot"))
    proposals: dict[str, Signed] = {"targets": targets, manifests: manifest, "snapshot": snapshot}
    return (
        Draft("release", {payloads: payload}),
        Draft("manifest", proposals, role_evidence({payloads: payload})),
    )
