"""ROLLBACK-INDEX-PRESENT: verified boot counts with the same number as the manifest."""

from enigm_tuf.errors import RefusedError
from enigm_tuf_repository.gates.avb import chains, silent, why_no_chain
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.inspection.avb.descriptors import ChainDescriptor
from enigm_tuf_repository.inspection.avb.verification import TOP, Chain
from enigm_tuf_repository.rules import ArtifactRule


class RollbackIndexPresent:
    """Looks at the rollback index and location of every vbmeta in the chain."""

    rule = ArtifactRule.ROLLBACK_INDEX_PRESENT
    proves = (
        "The top vbmeta has a rollback index above zero, which is the manifest's, and so has every chained one, "
        "each at a location of its own."
    )
    does_not_prove = "That a device stores it: that is up to its boot loader."

    def applies(self, context: GateContext) -> str:
        """To artifacts of Android, and wherever repository.toml pins AVB keys."""
        return why_no_chain(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError ROLLBACK-INDEX-PRESENT names the partition."""
        del progress
        wanted = context.artifacts.release().rollback_index
        seen = {}
        for images, chain in chains(context, self.rule, silent):
            indexes = {name: meta.rollback_index for name, meta in chain.metas.items()}
            for name, index in indexes.items():
                if index == 0:
                    _refuse(f"{images.origin}, {name}", "a rollback index above zero", "0")
            if indexes[TOP] != wanted:
                _refuse(f"{images.origin}, {TOP}", f"{wanted} as in the manifest", str(indexes[TOP]))
            _require_own_locations(images.origin, chain)
            seen[images.origin] = indexes
        return Evidence(f"rollback index {wanted} in manifest and vbmeta", {"indexes": seen})


GATE = RollbackIndexPresent()


def _require_own_locations(origin: str, chain: Chain) -> None:
    top = chain.metas[TOP]
    links = [item for item in top.descriptors if isinstance(item, ChainDescriptor)]
    locations = [top.location, *(link.location for link in links)]
    if len(set(locations)) != len(locations):
        _refuse(origin, "a location of its own for each rollback index", ", ".join(map(str, locations)))


def _refuse(subject: str, expected: str, got: str) -> None:
    raise RefusedError(GATE.rule, subject, expected=expected, got=got)
