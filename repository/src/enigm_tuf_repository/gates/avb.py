"""What the gates for verified boot share: the chains of the release's images."""

from collections.abc import Iterator

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf_repository.gates.android import refused, why_not_android
from enigm_tuf_repository.gates.artifacts import Moved
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.image_sets import ImageSet
from enigm_tuf_repository.inspection.avb.verification import Chain, read_chain
from enigm_tuf_repository.rules import ArtifactRule


def why_no_chain(context: GateContext) -> str:
    """Verified boot matters to artifacts of Android, and wherever repository.toml pins its keys."""
    why = why_not_android(context)
    pinned = context.record.action == "release" and context.artifacts.rules().avb_keys
    return "" if pinned else why


def chains(context: GateContext, rule: ArtifactRule, moved: Moved) -> Iterator[tuple[ImageSet, Chain]]:
    """Each set of images with its chain; refused under ``rule`` where there is none, or where it does not hold."""
    sets = context.artifacts.images(moved)
    if not sets:
        expected = "whole images: a full package, a package of images, or images"
        raise RefusedError(
            rule, context.record.id, expected=expected, got="none; a delta needs its full package beside it"
        )
    for images in sets:
        try:
            yield images, read_chain(images.images)
        except MalformedError as error:
            raise refused(rule, "a chain of signed vbmeta images", error) from error


def silent(_: int) -> None:
    """For what takes no time."""
