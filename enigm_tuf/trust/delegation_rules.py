"""The authorities' rules on targets metadata: who may delegate what to whom (DESIGN section 3.3)."""

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.delegations import Delegations
from enigm_tuf.model.shapes import NAME
from enigm_tuf.model.tuf import Targets
from enigm_tuf.trust.root_rules import RootView, require_distinct, require_owner
from enigm_tuf.trust.rules import AuthorityRule, Evidence
from enigm_tuf.trust.test_keys import known_test_key
from enigm_tuf.trust.threshold import spki_sha256
from enigm_tuf.trust.verified import Verified

_PATHS = {"manifest": "manifests/{}/*", "payload": "payloads/{}/*/*"}


def manifest_role(product: str) -> str:
    """The name of the role that signs a product's manifests."""
    return f"{product}.manifest"


def payload_role(product: str) -> str:
    """The name of the role that signs a product's payload records."""
    return f"{product}.payload"


def delegated_paths(role: str) -> list[str]:
    """The only path pattern that the role may be given; empty for a name that is no product role."""
    product, _, kind = role.rpartition(".")
    return [_PATHS[kind].format(product)] if kind in _PATHS and NAME.accepts(product) else []


def targets_delegations(view: RootView, targets: Targets) -> tuple[Evidence, ...]:
    """AUTHORITY-ROLES and THRESHOLD-DISTINCT on ``targets``: no files, only product roles with their own keys."""
    subject = f"targets version {targets.version}"
    if targets.targets:
        _refuse(subject, "no target files in role targets", f"{len(targets.targets)} files")
    delegations = targets.delegations
    if delegations is None:
        return (Evidence(AuthorityRule.AUTHORITY_ROLES, subject, "no delegations"),)
    if delegations.roles is None:
        _refuse(subject, "delegations by name", "succinct hash bins")
        return ()
    keys = _KeysOf(view, delegations)
    for name, keyids, threshold, terminating, paths in delegations.roles.stated():
        _product_role(view, subject, name, paths, terminating=terminating)
        keys.require(subject, name, keyids, threshold)
    detail = f"{len(delegations.roles)} product roles with their own keys"
    return (
        Evidence(AuthorityRule.AUTHORITY_ROLES, subject, detail),
        Evidence(AuthorityRule.THRESHOLD_DISTINCT, subject, detail),
    )


def _product_role(view: RootView, targets: str, name: str, paths: list[str], *, terminating: bool) -> None:
    only = delegated_paths(name)
    if not only:
        _refuse(f"{targets}, role {name}", "<product>.manifest or <product>.payload", name)
    if paths != only or not terminating:
        got = f"{', '.join(paths)}, terminating {terminating}"
        _refuse(f"{targets}, role {name}", f"a terminating delegation of {only[0]}", got)
    if name.endswith(".payload") and view.extension.authority_model != "dual":
        _refuse(f"{targets}, role {name}", "no payload roles in model manifest-only", name)


class _KeysOf:
    """The rules on the keys of delegated roles. Thousands of roles have the same few: what was asked of keyids,
    threshold and kind of role is not asked again in one document."""

    def __init__(self, view: RootView, delegations: Delegations) -> None:
        self._view = view
        self._keys = delegations.keys
        self._passed: set[tuple[object, ...]] = set()

    def require(self, targets: str, name: str, keyids: tuple[str, ...], threshold: int) -> None:
        """AUTHORITY-ROLES, THRESHOLD-DISTINCT, TEST-KEY, and PAYLOAD-PINNED on a delegation."""
        asked = name.rpartition(".")[2], keyids, threshold
        if asked not in self._passed:
            subject = f"{targets}, role {name}"
            digests = {keyid: self._digest(keyid, subject) for keyid in keyids}
            require_distinct(subject, digests, keyids, threshold)
            _own_keys(self._view, subject, name, threshold, frozenset(digests.values()))
            self._passed.add(asked)

    def _digest(self, keyid: str, subject: str) -> str:
        if keyid not in self._keys:
            _refuse(subject, "a key of a known type for every keyid", f"none for {keyid}")
        return spki_sha256(self._keys[keyid])


def _own_keys(view: RootView, subject: str, name: str, threshold: int, keys: frozenset[str]) -> None:
    for digest in sorted(keys):
        if known := known_test_key(digest):
            raise RefusedError(AuthorityRule.TEST_KEY, subject, expected="a key that is ours alone", got=known)
    if name.endswith(".manifest"):
        require_owner(subject, keys, view.manifest_keys, "manifest")
    else:
        _payload_keys(view, subject, keys, threshold)


def _payload_keys(view: RootView, subject: str, keys: frozenset[str], threshold: int) -> None:
    """PAYLOAD-PINNED on the delegation: root's payload keys and no lower threshold."""
    if not keys <= view.payload_keys or threshold < view.payload_threshold:
        foreign = len(keys - view.payload_keys)
        raise RefusedError(
            AuthorityRule.PAYLOAD_PINNED,
            subject,
            expected=f"{view.payload_threshold} of the payload keys that root version {view.version} pins",
            got=f"threshold {threshold} with {foreign} other keys",
        )


def payload_pinned(view: RootView, role: str, payload: Verified[Targets]) -> Evidence:
    """PAYLOAD-PINNED on the metadata: enough of the keys that root pins did sign, whatever ``targets`` delegates."""
    pinned = payload.signers & view.payload_keys
    subject = f"{role} version {payload.value.version}"
    if len(pinned) < view.payload_threshold:
        raise RefusedError(
            AuthorityRule.PAYLOAD_PINNED,
            subject,
            expected=f"{view.payload_threshold} signatures by payload keys that root version {view.version} pins",
            got=str(len(pinned)),
        )
    return Evidence(AuthorityRule.PAYLOAD_PINNED, subject, f"{len(pinned)} pinned keys signed")


def no_further_delegation(role: str, metadata: Targets) -> Evidence:
    """AUTHORITY-ROLES on a product role: it delegates to nobody."""
    subject = f"{role} version {metadata.version}"
    if metadata.delegations is not None:
        _refuse(subject, "no delegations by a product role", "delegations")
    return Evidence(AuthorityRule.AUTHORITY_ROLES, subject, "delegates to nobody")


def _refuse(subject: str, expected: str, got: str) -> None:
    raise RefusedError(AuthorityRule.AUTHORITY_ROLES, subject, expected=expected, got=got)
