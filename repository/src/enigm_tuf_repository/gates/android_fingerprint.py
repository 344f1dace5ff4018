"""ANDROID-FINGERPRINT: a build for release, and the same one in the package's metadata and in its vbmeta."""

from enigm_tuf_repository.gates.android import packages, refuse
from enigm_tuf_repository.gates.artifacts import ANDROID
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.inspection.android.fingerprint import Fingerprint, read_fingerprint
from enigm_tuf_repository.inspection.android.images import FINGERPRINT, ImagePackage
from enigm_tuf_repository.inspection.avb.vbmeta import Vbmeta
from enigm_tuf_repository.rules import ArtifactRule

_WITH_VBMETA = ("android-images", "vbmeta")
_SUFFIX = ".fingerprint"


class AndroidFingerprint:
    """Looks at the fingerprints in metadata, and at those that vbmeta has of each partition."""

    rule = ArtifactRule.ANDROID_FINGERPRINT
    proves = (
        "Every build fingerprint in metadata and in the top vbmeta is of type `user` with tags `release-keys`, "
        "and vbmeta is of the build that the metadata names."
    )
    does_not_prove = "That apps and modules inside the images are signed with release keys."

    def applies(self, context: GateContext) -> str:
        """To artifacts that only Android has."""
        return why_not_android(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError ANDROID-FINGERPRINT names the fingerprint."""
        del progress
        seen: dict[str, list[str]] = {}
        for artifact, package in packages(context):
            ours = [package.after, *([package.before] if package.before else [])]
            ours += _of_vbmeta(artifact.name, package.vbmeta, package.after) if package.vbmeta else []
            seen[artifact.name] = _require_release(artifact.name, ours)
        for artifact, inspection in context.artifacts.of_kind(*_WITH_VBMETA):
            vbmeta = inspection.value.vbmeta if isinstance(inspection.value, ImagePackage) else inspection.value
            if isinstance(vbmeta, Vbmeta):
                seen[artifact.name] = _require_release(artifact.name, _of_vbmeta(artifact.name, vbmeta, None))
        count = len({text for texts in seen.values() for text in texts})
        judged = tuple(artifact.staged for artifact, _ in context.artifacts.of_kind("android-ota", *_WITH_VBMETA))
        return Evidence(f"{count} fingerprints, all of builds for release", {"fingerprints": seen}, judged)


GATE = AndroidFingerprint()


def why_not_android(context: GateContext) -> str:
    """Empty if one of the artifacts is of a kind that only Android has."""
    if context.record.action != "release":
        return f"a {context.record.action} brings no artifacts"
    return "" if context.artifacts.kinds() & ANDROID else "no artifact of Android in this release"


def _of_vbmeta(name: str, vbmeta: Vbmeta, after: Fingerprint | None) -> list[Fingerprint]:
    """All that it has; the system's must be of the build ``after``."""
    texts = {key: text for key, text in vbmeta.properties().items() if key.endswith(_SUFFIX)}
    found = {key: read_fingerprint(text, vbmeta.source, key) for key, text in texts.items()}
    system = found.get(FINGERPRINT)
    if after and system and (system.id, system.incremental) != (after.id, after.incremental):
        expected = f"a vbmeta of build {after.id}, {after.incremental}"
        raise refuse(GATE.rule, f"{name}, vbmeta", expected, f"{system.id}, {system.incremental}")
    return list(found.values())


def _require_release(name: str, found: list[Fingerprint]) -> list[str]:
    for fingerprint in found:
        if why := fingerprint.why_not_release():
            raise refuse(GATE.rule, f"{name}, {fingerprint.text}", "a user build with release-keys", why)
    return sorted({fingerprint.text for fingerprint in found})
