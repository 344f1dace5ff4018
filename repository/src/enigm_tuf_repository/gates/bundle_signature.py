"""BUNDLE-SIGNATURE: RAUC and SWUpdate bundles are signed by whom repository.toml says, over all their bytes."""

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.gates.android import refuse, refused
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.inspection.bundles import rauc, swupdate
from enigm_tuf_repository.inspection.bundles.rauc import RaucBundle
from enigm_tuf_repository.inspection.bundles.swupdate import SwupdateImage
from enigm_tuf_repository.rules import ArtifactRule

_KINDS = (rauc.KIND, swupdate.KIND)


class BundleSignature:
    """Verifies the signature in a bundle, and the digests under it."""

    rule = ArtifactRule.BUNDLE_SIGNATURE
    proves = (
        "The certificate in the bundle is not for tests and its key is one of `bundle_keys`; it signed the "
        "manifest (or `sw-description`), and every image in the bundle is the one that it names."
    )
    does_not_prove = "That devices have that certificate, or its authority, in their keyring."

    def applies(self, context: GateContext) -> str:
        """To bundles of RAUC and SWUpdate."""
        if context.record.action != "release":
            return f"a {context.record.action} brings no artifacts"
        return "" if context.artifacts.kinds() & set(_KINDS) else "no RAUC or SWUpdate bundle in this release"

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError BUNDLE-SIGNATURE names the bundle."""
        pinned = context.artifacts.rules().bundle_keys or ()
        found = list(context.artifacts.of_kind(*_KINDS))
        signers: dict[str, object] = {}
        for done, (artifact, inspection) in enumerate(found):
            progress(done, len(found))
            bundle = inspection.value
            if not isinstance(bundle, RaucBundle | SwupdateImage):
                raise refuse(self.rule, artifact.name, "a bundle", "something else")
            signers[artifact.name] = _require_pinned(artifact.name, bundle, pinned)
            try:
                bundle.verify()
            except MalformedError as error:
                raise refused(self.rule, "a signature over these bytes", error) from error
        return Evidence(
            f"{len(found)} bundles, signed by pinned keys",
            {"signers": signers},
            tuple(item.staged for item, _ in found),
        )


GATE = BundleSignature()


def _require_pinned(name: str, bundle: RaucBundle | SwupdateImage, pinned: tuple[str, ...]) -> str:
    certificate = bundle.signature.certificate
    if why := certificate.why_test():
        raise refuse(GATE.rule, f"{name}, signer", "a production certificate", why)
    if certificate.spki_sha256 not in pinned:
        raise refuse(
            GATE.rule, f"{name}, signer", "one of bundle_keys in repository.toml", f"key {certificate.spki_sha256}"
        )
    return certificate.spki_sha256
