"""``product retire``: the product's delegations leave ``targets``. What was published of it stays until ``prune``.

Its roles stay in snapshot for ever, as TUF demands (5.5.5): that is how a device tells retired from unknown, and why a
product that is added again goes on with the next version, never from the first.
"""

from collections.abc import Sequence
from datetime import datetime

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.shapes import NAME
from enigm_tuf.model.tuf import Snapshot, Targets
from enigm_tuf.trust.authority_admission import judge_targets_definition
from enigm_tuf.trust.delegation_rules import manifest_role
from enigm_tuf_repository.lineage import Lineage, lineage_of, root_chain
from enigm_tuf_repository.preparing import Plan, new_record, open_record
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.register import load_register, save_register
from enigm_tuf_repository.requests import Draft
from enigm_tuf_repository.role_building import with_versions, without_product
from enigm_tuf_repository.staging import require_no_signed_root
from enigm_tuf_repository.standing import open_records
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace


def prepare_retirement(workspace: Workspace, product: str, given_up: Sequence[str], now: datetime) -> ReleaseRecord:
    """Open the record ``retire-<product>-<version of targets>``, with a request for the manifest authority.

    ``given_up`` are open records of the product that nobody has signed for: they are closed, since they can come to
    nothing.

    The release authority is not asked: what it signed stays as it is, and nobody looks for it any more.
    MisuseError where there is no such product, or a record of it is open.
    """
    NAME.read(product, "argument", product)
    config, register = workspace.configuration(), load_register(workspace)
    root = admit_chain(root_chain(workspace.published), config.environment, now).root.value
    require_no_signed_root(workspace, register)
    lineage = lineage_of(workspace, register)
    if not lineage.delegates(product):
        known = ", ".join(sorted(register.products)) or "none"
        raise MisuseError(f"there is no product {product} here, or it is retired", hint=f"products here: {known}")
    _require_nothing_under_way(workspace, product, given_up)
    days = config.expiry_days
    targets = without_product(lineage.require("targets", Targets), product, now + days.of("targets"))
    judge_targets_definition(root, "targets", targets)
    before = lineage.require("snapshot", Snapshot)
    snapshot = with_versions(before, {"targets": targets.version}, now, now + days.of("snapshot"))
    shown = {f"manifests-before/{path}": data for path, data in _manifests(lineage, product)}
    draft = Draft("manifest", {"targets": targets, "snapshot": snapshot}, shown, (manifest_role(product),))
    record_id = f"retire-{product}-{targets.version}"
    with new_record(workspace, record_id):
        record = open_record(workspace, lineage, Plan(record_id, "retire", product, (draft,)), now)
        for other in given_up:
            save_register(workspace, load_register(workspace).closed(other))
        return record


def _manifests(lineage: Lineage, product: str) -> list[tuple[str, bytes]]:
    role = lineage.require(manifest_role(product), Targets)
    return [(path, lineage.target(target)) for path, target in role.targets.items()]


def _require_nothing_under_way(workspace: Workspace, product: str, given_up: Sequence[str]) -> None:
    """Whoever approves a release of a product should not learn of its end from a refusal."""
    ours = {
        record.id: record
        for record in open_records(workspace)
        if record.action != "retire" and product in {record.product, *record.products}
    }
    if strange := sorted(set(given_up) - set(ours)):
        raise MisuseError(f"{strange[0]} is no open record of product {product}")
    for record_id in ours:
        if any((workspace.record(record_id) / "responses").glob("*.enigmresp")):
            raise MisuseError(f"{record_id} is open, and an authority has signed for it", hint="publish it first")
        if record_id not in given_up:
            hint = f"publish it first, or give it up: --give-up {record_id}"
            raise MisuseError(f"{record_id} is open, and is about product {product}", hint=hint)
