"""``product add``: terminating delegations in ``targets``, and the first, empty version of the product's roles.

A product that was retired comes back with the next version of its roles: its payload role with what it held, so that
the authority knows which versions there were, its manifest role without an offer.
"""

from datetime import datetime

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.shapes import NAME
from enigm_tuf.model.tuf import Snapshot, Targets
from enigm_tuf.trust.authority_admission import judge_targets_definition
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf_repository.configuration import ExpiryDays
from enigm_tuf_repository.delegating import product_delegations
from enigm_tuf_repository.lineage import Lineage, Signed, lineage_of, root_chain
from enigm_tuf_repository.preparing import Plan, new_record, open_record
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.register import load_register, save_register
from enigm_tuf_repository.requests import Draft, role_evidence
from enigm_tuf_repository.role_building import with_delegations, with_targets, with_versions
from enigm_tuf_repository.settings import settings_in
from enigm_tuf_repository.staging import require_no_signed_root
from enigm_tuf_repository.standing import open_records
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace


def add_channels(workspace: Workspace, product: str, channels: tuple[str, ...]) -> tuple[str, ...]:
    """Those that a product did not have yet; none for a product that is not here, or was not published yet.

    Nobody signs for that: the delegation is for all manifests of the product, and a channel begins with its first
    release, for which both authorities are asked.
    """
    for name in (product, *channels):
        NAME.read(name, "argument", name)
    register = load_register(workspace)
    known = register.products.get(product, ())
    new = tuple(dict.fromkeys(name for name in channels if name not in known))
    if not known or not new or not Lineage(workspace.published, []).delegates(product):
        return ()
    save_register(workspace, register.with_product(product, (*known, *new)))
    return new


def prepare_product(workspace: Workspace, product: str, channels: tuple[str, ...], now: datetime) -> ReleaseRecord:
    """Open the record ``product-<product>``; for one that was retired, with the version of ``targets`` behind it."""
    for name in (product, *channels):
        NAME.read(name, "argument", name)
    config, register = workspace.configuration(), load_register(workspace)
    root = admit_chain(root_chain(workspace.published), config.environment, now).root.value
    record_id = f"product-{product}"
    require_no_signed_root(workspace, register)
    lineage = lineage_of(workspace, register, without=record_id)
    if lineage.delegates(product):
        raise MisuseError(f"product {product} is there already")
    for record in open_records(workspace):
        if (record.action, record.product) == ("retire", product):
            raise MisuseError(f"{record.id} retires it, and is not published yet", hint="publish it first")
    if {payload_role(product), manifest_role(product)} & set(lineage.heads):
        record_id = f"{record_id}-{lineage.require('targets', Targets).version + 1}"
    with new_record(workspace, record_id):
        delegations = product_delegations(settings_in(workspace), product)
        expires = now + config.expiry_days.of("targets")
        targets = with_delegations(lineage.value("targets", Targets), delegations, expires)
        judge_targets_definition(root, "targets", targets)
        drafts = _drafts(lineage, targets, list(delegations), config.expiry_days, now)
        save_register(workspace, register.with_product(product, channels))
        return open_record(workspace, lineage, Plan(record_id, "product", product, drafts), now)


def _drafts(lineage: Lineage, targets: Targets, roles: list[str], days: ExpiryDays, now: datetime) -> tuple[Draft, ...]:
    """The payload role for the release authority; targets, manifest role and snapshot for the manifest authority."""
    new = {role: _started(lineage, role, now + days.of(role)) for role in roles}
    versions = {"targets": targets.version} | {role: value.version for role, value in new.items()}
    snapshot = with_versions(lineage.value("snapshot", Snapshot), versions, now, now + days.of("snapshot"))
    payloads: dict[str, Signed] = {role: value for role, value in new.items() if role.endswith(".payload")}
    manifests: dict[str, Signed] = {role: value for role, value in new.items() if role not in payloads}
    manifest = Draft("manifest", {"targets": targets, **manifests, "snapshot": snapshot}, role_evidence(payloads))
    return (Draft("release", payloads), manifest) if payloads else (manifest,)


def _started(lineage: Lineage, role: str, expires: datetime) -> Targets:
    before = lineage.value(role, Targets)
    offered = before.targets if before and role.endswith(".manifest") else {}
    return with_targets(before, {}, expires, without=offered)
