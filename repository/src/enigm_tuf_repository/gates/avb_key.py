"""AVB-KEY: whoever signed the images' vbmeta is who repository.toml says, partition by partition."""

from enigm_tuf.errors import RefusedError
from enigm_tuf.trust.test_keys import known_test_key
from enigm_tuf_repository.gates.avb import chains, silent, why_no_chain
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.rules import ArtifactRule


class AvbKey:
    """Looks at the key of every vbmeta in the chain."""

    rule = ArtifactRule.AVB_KEY
    proves = (
        "Every vbmeta in the chain is signed by the key that `avb_keys` pins for its partition, every pinned "
        "partition is in the chain, and no key is a well-known test key."
    )
    does_not_prove = "That devices have that key burnt in."

    def applies(self, context: GateContext) -> str:
        """To artifacts of Android, and wherever repository.toml pins AVB keys."""
        return why_no_chain(context)

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError AVB-KEY names the partition."""
        del progress
        pinned = context.artifacts.rules().avb_keys or {}
        seen = {}
        for images, chain in chains(context, self.rule, silent):
            keys = {name: meta.key.spki_sha256 for name, meta in chain.metas.items() if meta.key}
            for name in sorted(keys.keys() | pinned.keys()):
                _require_pinned(f"{images.origin}, {name}", keys.get(name), pinned.get(name))
            seen[images.origin] = keys
        return Evidence(f"{sum(map(len, seen.values()))} vbmeta images, each with its pinned key", {"keys": seen})


GATE = AvbKey()


def _require_pinned(subject: str, key: str | None, pinned: str | None) -> None:
    known = known_test_key(key) if key else None
    if known or key is None or key != pinned:
        expected = f"key {pinned}" if pinned else "a key that avb_keys in repository.toml pins"
        got = f"the key of {known}" if known else f"key {key}" if key else "no vbmeta of that partition in the chain"
        raise RefusedError(GATE.rule, subject, expected=expected, got=got)
