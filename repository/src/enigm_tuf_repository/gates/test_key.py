"""TEST-KEY: no key in force is well known, or enrolled for another environment."""

from collections.abc import Iterator

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.keys import read_key_record
from enigm_tuf.model.tuf import Targets
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf.trust.test_keys import known_test_key
from enigm_tuf.trust.threshold import spki_sha256
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress


class TestKey:
    """Looks at root, its extension and every delegation."""

    rule = AuthorityRule.TEST_KEY
    proves = (
        "No public key in root or in a delegation is on the list of keys that everybody has, or enrolled elsewhere."
    )
    does_not_prove = "That a key which is not on the list is secret."

    def applies(self, context: GateContext) -> str:
        """Always."""
        del context
        return ""

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError TEST-KEY names the key."""
        del progress
        foreign = _foreign_keys(context)
        digests = set(view_root(context.root).spki.values()) | {spki_sha256(key) for key in _keys(context)}
        for digest in sorted(digests):
            if found := known_test_key(digest) or foreign.get(digest):
                expected = "a key of this environment alone"
                raise RefusedError(self.rule, f"key {digest}", expected=expected, got=found)
        return Evidence(f"{len(digests)} public keys in force, none of them a test key", {"keys": sorted(digests)})


GATE = TestKey()


def _keys(context: GateContext) -> Iterator[Key]:
    yield from context.root.keys.values()
    targets = context.after.get("targets")
    delegations = targets.value_as(Targets).delegations if targets else None
    if delegations:
        yield from delegations.keys.values()


def _foreign_keys(context: GateContext) -> dict[str, str]:
    """Keys in ``keys/`` that are enrolled for another environment than the repository's."""
    here = context.workspace.configuration().environment
    records = {
        path: read_key_record(path.read_bytes(), str(path)) for path in context.workspace.keys.glob("*.key.json")
    }
    return {
        record.spki_sha256: f"{path.name}, enrolled for {record.environment}"
        for path, record in records.items()
        if record.environment != here
    }
