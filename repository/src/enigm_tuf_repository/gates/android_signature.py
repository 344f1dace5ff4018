"""ANDROID-SIGNATURE: package, payload and payload metadata carry signatures that devices will accept."""

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.gates.android import evidence_of, packages, refuse, refused, why_no_package
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.rules import ArtifactRule


class AndroidSignature:
    """Verifies all three signatures of an update package with one key."""

    rule = ArtifactRule.ANDROID_SIGNATURE
    proves = (
        "The whole-file signature, the payload's and that of the payload's metadata verify with the key in "
        "otacert, and that key is one of `update_keys` in repository.toml."
    )
    does_not_prove = "That devices trust that key: see UPDATE-KEYS."

    def applies(self, context: GateContext) -> str:
        """To update packages of Android."""
        return why_no_package(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError ANDROID-SIGNATURE names the signature."""
        pinned = context.artifacts.rules().update_keys or ()
        found = list(packages(context))
        for done, (artifact, package) in enumerate(found):
            progress(done, len(found))
            key = package.certificate.spki_sha256
            if key not in pinned:
                expected = "one of update_keys in repository.toml" if pinned else "update_keys in repository.toml"
                raise refuse(self.rule, f"{artifact.name}, otacert", expected, f"key {key}" if pinned else "none")
            if package.signature.cms.certificate.spki_sha256 != key:
                raise refuse(self.rule, artifact.name, "the key of otacert", "a signature by another key")
            try:
                package.signature.verify(artifact.source)
                package.payload.verify(package.certificate.key)
            except MalformedError as error:
                raise refused(self.rule, f"a signature by key {key}", error) from error
        facts: dict[str, object] = {artifact.name: package.certificate.spki_sha256 for artifact, package in found}
        return evidence_of(context, f"{len(found)} packages, three signatures each by a pinned key", facts)


GATE = AndroidSignature()
