"""Whose keys sign a product's roles, by the settings: one delegation for each authority that there is."""

from enigm_tuf.model.keys import KeyRecord
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf_repository.role_building import product_role
from enigm_tuf_repository.settings import Settings


def product_delegations(settings: Settings, product: str) -> dict[str, tuple[JsonObject, tuple[KeyRecord, ...]]]:
    """The delegated roles of a product by name, each with the records of its keys."""
    config, records = settings.config, settings.records()
    manifest, payload = manifest_role(product), payload_role(product)
    roles = {manifest: (product_role(manifest, records["manifest"], config.manifest_threshold), records["manifest"])}
    if config.payload_threshold is None:
        return roles
    own = product_role(payload, records["payload"], config.payload_threshold)
    return {payload: (own, records["payload"])} | roles
