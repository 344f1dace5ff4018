"""ANDROID-CERTIFICATE: no certificate for tests in an update package."""

from enigm_tuf_repository.gates.android import evidence_of, packages, refuse, why_no_package
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.rules import ArtifactRule


class AndroidCertificate:
    """Looks at otacert and at the certificate in the whole-file signature."""

    rule = ArtifactRule.ANDROID_CERTIFICATE
    proves = (
        "Neither certificate has the key of a well-known test key or a subject that says it is for tests, and "
        "both are the same certificate."
    )
    does_not_prove = "That the key is the production key: see ANDROID-SIGNATURE."

    def applies(self, context: GateContext) -> str:
        """To update packages of Android."""
        return why_no_package(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError ANDROID-CERTIFICATE names the certificate."""
        del progress
        facts: dict[str, object] = {}
        for artifact, package in packages(context):
            signer = package.signature.cms.certificate
            for what, certificate in (("otacert", package.certificate), ("whole-file signature", signer)):
                if why := certificate.why_test():
                    raise refuse(self.rule, f"{artifact.name}, {what}", "a production certificate", why)
            if signer.der != package.certificate.der:
                got = f"{signer.subject} in the signature, {package.certificate.subject} in otacert"
                raise refuse(self.rule, artifact.name, "one certificate", got)
            facts[artifact.name] = {"subject": signer.subject, "spki_sha256": signer.spki_sha256}
        return evidence_of(context, f"{len(facts)} packages, no certificate for tests", facts)


GATE = AndroidCertificate()
