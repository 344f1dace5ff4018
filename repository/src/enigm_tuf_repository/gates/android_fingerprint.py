"""ANDROID-FINGERPRINT: a build for release, and the same one in metadata, images and manifest."""

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.gates.android import packages, refuse, refused, why_not_android
from enigm_tuf_repository.gates.avb import chains, silent
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.inspection.android.fingerprint import Fingerprint, read_fingerprint
from enigm_tuf_repository.inspection.android.images import FINGERPRINT
from enigm_tuf_repository.inspection.avb.verification import Chain
from enigm_tuf_repository.rules import ArtifactRule

_SUFFIX = ".fingerprint"


class AndroidFingerprint:
    """Looks at the fingerprints in metadata, and at those that the chain of vbmeta images has of each partition."""

    rule = ArtifactRule.ANDROID_FINGERPRINT
    proves = (
        "Every build fingerprint in metadata and in the chain of vbmeta images is of type `user` with tags "
        "`release-keys`, and the system partition is of the build that the manifest names."
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
            builds = [package.after, *([package.before] if package.before else [])]
            seen[artifact.name] = _require_release(artifact.name, builds)
        for images, chain in chains(context, self.rule, silent):
            found = _of_chain(chain)
            _require_system(context, images.origin, found.get(FINGERPRINT))
            seen[f"{images.origin}: vbmeta"] = _require_release(images.origin, list(found.values()))
        count = len({text for texts in seen.values() for text in texts})
        judged = tuple(artifact.staged for artifact in context.artifacts.all())
        return Evidence(f"{count} fingerprints, all of builds for release", {"fingerprints": seen}, judged)


GATE = AndroidFingerprint()


def _of_chain(chain: Chain) -> dict[str, Fingerprint]:
    """By property. A partition's property stands in the vbmeta that covers it, whichever that is."""
    found: dict[str, Fingerprint] = {}
    for meta in chain.metas.values():
        try:
            texts = {key: text for key, text in meta.properties().items() if key.endswith(_SUFFIX)}
            found |= {key: read_fingerprint(text, meta.source, key) for key, text in texts.items()}
        except MalformedError as error:
            raise refused(GATE.rule, "fingerprints that can be read", error) from error
    return found


def _require_system(context: GateContext, origin: str, system: Fingerprint | None) -> None:
    release = context.artifacts.release()
    if system is None or (system.id, system.incremental) != (release.build_id, release.version):
        got = f"{system.id}, {system.incremental}" if system else f"no property {FINGERPRINT}"
        expected = f"build {release.build_id}, {release.version} as in the manifest"
        raise refuse(GATE.rule, f"{origin}, system", expected, got)


def _require_release(name: str, found: list[Fingerprint]) -> list[str]:
    for fingerprint in found:
        if why := fingerprint.why_not_release():
            raise refuse(GATE.rule, f"{name}, {fingerprint.text}", "a user build with release-keys", why)
    return sorted({fingerprint.text for fingerprint in found})
