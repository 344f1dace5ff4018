"""AVB-VERIFIED: a device with verified boot would accept every image of the release, bit for bit."""

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf_repository.gates.android import packages, refused
from enigm_tuf_repository.gates.avb import chains, why_no_chain
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.gates.image_sets import ImageSet
from enigm_tuf_repository.inspection.avb.vbmeta import HASHTREE_DISABLED, VERIFICATION_DISABLED
from enigm_tuf_repository.inspection.avb.verification import Chain, uncovered, verify_images
from enigm_tuf_repository.rules import ArtifactRule


class AvbVerified:
    """Takes the images out of their packages, and works out every digest that the chain of vbmeta images names."""

    rule = ArtifactRule.AVB_VERIFIED
    proves = (
        "Signatures, chain links, hashes and hash trees of all partitions hold; verification is not disabled; "
        "every partition is covered, but for those in `avb_uncovered`; a delta makes the very partitions of the "
        "full package beside it."
    )
    does_not_prove = "Forward error correction, which is not worked out; partitions that a device makes by itself."

    def applies(self, context: GateContext) -> str:
        """To artifacts of Android, and wherever repository.toml pins AVB keys."""
        return why_no_chain(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError AVB-VERIFIED names the partition."""
        counter = _Counter(progress, 2 * sum(artifact.source.length for artifact in context.artifacts.all()))
        allowed = context.artifacts.rules().avb_uncovered or ()
        seen = {}
        for images, chain in chains(context, self.rule, counter.moved):
            _require_enabled(images, chain)
            try:
                verify_images(chain, images.images, counter.moved, images.trees_by_device)
            except MalformedError as error:
                raise refused(self.rule, "the image that vbmeta names", error) from error
            if bare := [name for name in uncovered(chain, images.images) if name not in allowed]:
                expected = "a descriptor in a vbmeta, or the partition in avb_uncovered"
                raise RefusedError(self.rule, f"{images.origin}, {bare[0]}", expected=expected, got="neither")
            seen[images.origin] = dict(chain.covered)
        _require_same_partitions(context)
        return Evidence(f"{sum(map(len, seen.values()))} partitions as vbmeta names them", {"covered": seen})


GATE = AvbVerified()


class _Counter:
    """Adds up what was read and written; packed packages unpack to more, so that the total is a guess."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def moved(self, count: int) -> None:
        self._done += count
        self._progress(min(self._done, self._total), self._total)


def _require_enabled(images: ImageSet, chain: Chain) -> None:
    for name, meta in chain.metas.items():
        if meta.flags:
            names = {HASHTREE_DISABLED: "HASHTREE_DISABLED", VERIFICATION_DISABLED: "VERIFICATION_DISABLED"}
            got = names.get(meta.flags, f"flags {meta.flags:#x}")
            raise RefusedError(GATE.rule, f"{images.origin}, {name}", expected="no flags", got=got)


def _require_same_partitions(context: GateContext) -> None:
    """What a delta makes cannot be seen, but its digests can: those of the full package, which was verified."""
    found = [(artifact.name, package.payload) for artifact, package in packages(context)]
    full = {item.name: item.sha256 for _, payload in found if not payload.delta for item in payload.partitions}
    for name, payload in found:
        for item in payload.partitions if payload.delta else ():
            if full.get(item.name) != item.sha256:
                expected = "the partition of the full package beside it"
                got = item.sha256.hex() if item.name in full else "no full package with that partition"
                raise RefusedError(GATE.rule, f"{name}, {item.name}", expected=expected, got=got)
