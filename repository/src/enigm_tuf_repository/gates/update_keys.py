"""UPDATE-KEYS: the next update that a device of this build accepts is one of ours, and nobody else's."""

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf_repository.gates.android import refused
from enigm_tuf_repository.gates.avb import why_no_chain
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.gates.image_sets import ImageSet
from enigm_tuf_repository.inspection.android.otacerts import update_certificates
from enigm_tuf_repository.inspection.certificates import SigningCertificate, keys_of
from enigm_tuf_repository.rules import ArtifactRule

DEFAULT_IMAGES = ("system",)


class UpdateKeys:
    """Reads otacerts.zip out of every file system and ramdisk of the release."""

    rule = ArtifactRule.UPDATE_KEYS
    proves = (
        "In each image that verifies updates, the keys in `otacerts.zip` are exactly `update_keys` of "
        "repository.toml: none more, none less, none for tests. Every image of `update_key_images` (by default "
        "`system`) has such a file."
    )
    does_not_prove = (
        "That nothing else in the image can install updates. That the image is the one that boots: AVB-VERIFIED."
    )

    def applies(self, context: GateContext) -> str:
        """To artifacts of Android, and wherever repository.toml pins AVB keys."""
        return why_no_chain(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError UPDATE-KEYS names the image."""
        del progress
        rules = context.artifacts.rules()
        pinned, needed = sorted(rules.update_keys or ()), rules.update_key_images or DEFAULT_IMAGES
        sets = context.artifacts.images(lambda _: None)
        if not pinned or not sets:
            got = "no whole images in this release" if pinned else "no update_keys in repository.toml"
            _refuse(context.record.id, "pinned keys, and images to read them from", got)
        seen = {images.origin: _keys(images, pinned, needed) for images in sets}
        count = sum(map(len, seen.values()))
        return Evidence(
            f"{count} images verify updates, with exactly the pinned keys", {"images": seen, "keys": pinned}
        )


GATE = UpdateKeys()


def _keys(images: ImageSet, pinned: list[str], needed: tuple[str, ...]) -> list[str]:
    """The images that verify updates."""
    found = []
    for name, image in images.images.items():
        subject = f"{images.origin}, {name}"
        try:
            certificates = update_certificates(image)
        except MalformedError as error:
            raise refused(GATE.rule, "an image whose update keys can be read", error) from error
        if certificates is not None:
            _require_pinned(subject, certificates, pinned)
            found.append(name)
    for name in needed:
        if name not in found:
            got = "none" if name in images.images else "no such image"
            _refuse(f"{images.origin}, {name}", "otacerts.zip in the image", got)
    return found


def _require_pinned(subject: str, certificates: tuple[SigningCertificate, ...], pinned: list[str]) -> None:
    for certificate in certificates:
        if why := certificate.why_test():
            _refuse(subject, "production certificates", why)
    if (keys := keys_of(certificates)) != pinned:
        _refuse(subject, f"exactly the keys {', '.join(pinned)}", ", ".join(keys))


def _refuse(subject: str, expected: str, got: str) -> None:
    raise RefusedError(GATE.rule, subject, expected=expected, got=got)
