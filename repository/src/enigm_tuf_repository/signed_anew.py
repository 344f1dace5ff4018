"""Requests for roles that are signed anew with what they held: after a root, or because they expire."""

from collections.abc import Iterator, Mapping

from enigm_tuf.model.tuf import Targets
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf_repository.lineage import Lineage, Signed
from enigm_tuf_repository.requests import Draft, role_evidence
from enigm_tuf_repository.settings import Settings


def drafts_anew(lineage: Lineage, settings: Settings, roles: Mapping[str, Signed]) -> tuple[Draft, ...]:
    """Payload roles for the release authority, the rest for the manifest authority; both see what is offered."""
    payloads = {role: value for role, value in roles.items() if role.endswith(".payload")}
    others = {role: value for role, value in roles.items() if role not in payloads}
    products = dict.fromkeys(role.rpartition(".")[0] for role in roles if "." in role)
    shown = {f"manifests/{path}": data for product in products for path, data in _manifests(lineage, product)}
    beside = {role for product in products for role in (manifest_role(product), payload_role(product))}
    context = tuple(sorted({"targets", *beside} - set(roles)))
    manifest = Draft("manifest", others, shown | role_evidence(payloads), context, settings.policies["manifest"])
    if not payloads:
        return (manifest,)
    return Draft("release", payloads, shown, policy=settings.policies["release"]), manifest


def _manifests(lineage: Lineage, product: str) -> Iterator[tuple[str, bytes]]:
    role = lineage.value(manifest_role(product), Targets)
    for path, target in role.targets.items() if role else ():
        yield path, lineage.target(target)
