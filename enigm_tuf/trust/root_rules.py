"""The authorities' rules on root metadata (DESIGN section 3.2). Each function is one rule and returns its evidence.

They run after the TUF client workflow has admitted the root (specification 5.3), on every root of the chain.
"""

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.lean import Callable, Collection, Mapping
from enigm_tuf.model.root_extension import FIELD, RootExtension, read_root_extension
from enigm_tuf.model.tuf import Root
from enigm_tuf.model.tuf_fields import Role
from enigm_tuf.model.value import Value
from enigm_tuf.trust.rules import AuthorityRule, Evidence
from enigm_tuf.trust.test_keys import known_test_key
from enigm_tuf.trust.threshold import signers, spki_sha256
from enigm_tuf.trust.verified import Verified


class RootView(Value):
    """A root with its extension; ``spki`` gives the SPKI digest of each keyid in force.

    The root may be a proposal that nobody has signed yet: a view says what a root defines, not that it is trusted.
    """

    root: Root
    extension: RootExtension
    spki: dict[str, str]

    @property
    def version(self) -> int:
        return self.root.version

    @property
    def subject(self) -> str:
        return f"root version {self.version}"

    def role(self, name: str) -> Role:
        return self.root.roles[name]

    def digests(self, keyids: Collection[str]) -> frozenset[str]:
        """The public keys behind keyids, each once."""
        return frozenset(self.spki[keyid] for keyid in keyids)

    @property
    def manifest_keys(self) -> frozenset[str]:
        return self.digests(self.extension.authorities.manifest.keyids)

    @property
    def release_keys(self) -> frozenset[str]:
        release = self.extension.authorities.release
        return self.digests(release.keyids) if release else frozenset()

    @property
    def payload_keys(self) -> frozenset[str]:
        release = self.extension.authorities.release
        return self.digests(release.payload_keyids) if release else frozenset()

    @property
    def payload_threshold(self) -> int:
        release = self.extension.authorities.release
        return release.payload_threshold if release else 1


def view_root(root: Root) -> RootView:
    """Read the extension and resolve every keyid in force to its public key; MalformedError."""
    view = _view(root)
    for keyid, digest in view.spki.items():
        if keyid in root.keys and spki_sha256(root.keys[keyid]) != digest:
            rule = "must be the digest of that very key"
            raise MalformedError(view.subject, f"{FIELD}.keyinfo.{keyid}.spki_sha256", rule)
    return view


def view_trusted_root(root: Verified[Root]) -> RootView:
    """The same of a root that was admitted: its keys were compared with their digests then."""
    return _view(root.value)


def _view(root: Root) -> RootView:
    source = f"root version {root.version}"
    extension = read_root_extension(root.raw, source)
    return RootView(root, extension, _digests_in_force(root, extension, source))


def _digests_in_force(root: Root, extension: RootExtension, source: str) -> dict[str, str]:
    release = extension.authorities.release
    keyids = {*extension.authorities.manifest.keyids, *(release.keyids if release else ())}
    for role in root.roles.values():
        keyids |= set(role.keyids)
    digests = {}
    for keyid in sorted(keyids):
        if keyid not in extension.keyinfo:
            raise MalformedError(source, f"{FIELD}.keyinfo", f"no entry for key {keyid}, which is in force")
        digests[keyid] = extension.keyinfo[keyid].spki_sha256
    return digests


def authority_disjoint(view: RootView) -> Evidence:
    """AUTHORITY-DISJOINT: manifest, release and freshness keys share no public key."""
    owners = {
        "manifest authority": view.manifest_keys,
        "release authority": view.release_keys,
        "freshness key": view.digests(view.role("timestamp").keyids),
    }
    seen: dict[str, str] = {}
    for owner, keys in owners.items():
        for key in sorted(keys):
            if key in seen:
                got = f"public key {key} in both {seen[key]} and {owner}"
                raise RefusedError(
                    AuthorityRule.AUTHORITY_DISJOINT, view.subject, expected="a public key in one place only", got=got
                )
            seen[key] = owner
    return Evidence(AuthorityRule.AUTHORITY_DISJOINT, view.subject, f"{len(seen)} public keys, none shared")


def threshold_distinct(view: RootView) -> Evidence:
    """THRESHOLD-DISTINCT: every threshold can be met by distinct public keys, and only by them."""
    thresholds: dict[str, tuple[Collection[str], int]] = {
        name: (role.keyids, role.threshold) for name, role in view.root.roles.items()
    }
    if release := view.extension.authorities.release:
        thresholds["payload roles"] = (release.payload_keyids, release.payload_threshold)
    for name, (keyids, threshold) in thresholds.items():
        require_distinct(f"{view.subject}, {name}", view.spki, keyids, threshold)
    return Evidence(AuthorityRule.THRESHOLD_DISTINCT, view.subject, f"{len(thresholds)} roles")


def require_distinct(subject: str, spki: Mapping[str, str], keyids: Collection[str], threshold: int) -> None:
    """No public key stands under two keyids of one role, and there are enough for the threshold."""
    distinct = {spki[keyid] for keyid in keyids}
    if len(distinct) < max(threshold, len(set(keyids))):
        raise RefusedError(
            AuthorityRule.THRESHOLD_DISTINCT,
            subject,
            expected=f"a threshold of {threshold} out of keys that are all different",
            got=f"{len(set(keyids))} keyids, {len(distinct)} public keys",
        )


def authority_roles(view: RootView) -> Evidence:
    """AUTHORITY-ROLES: root belongs to the release authority, targets and snapshot to the manifest authority."""
    dual = view.extension.authority_model == "dual"
    owners = {
        "root": ("release" if dual else "manifest", view.release_keys if dual else view.manifest_keys),
        "targets": ("manifest", view.manifest_keys),
        "snapshot": ("manifest", view.manifest_keys),
    }
    for name, (owner, allowed) in owners.items():
        require_owner(f"{view.subject}, role {name}", view.digests(view.role(name).keyids), allowed, owner)
    return Evidence(AuthorityRule.AUTHORITY_ROLES, view.subject, "root, targets and snapshot use their own keys")


def require_owner(subject: str, keys: Collection[str], allowed: frozenset[str], owner: str) -> None:
    """Every key of a role belongs to the authority ``owner``."""
    for key in sorted(keys):
        if key not in allowed:
            raise RefusedError(
                AuthorityRule.AUTHORITY_ROLES, subject, expected=f"keys of the {owner} authority only", got=f"key {key}"
            )


def environment_match(view: RootView, environment: Environment) -> Evidence:
    """ENVIRONMENT-MATCH: root and every key in force belong to ``environment``; file keys to development alone."""
    if view.extension.environment != environment:
        raise RefusedError(
            AuthorityRule.ENVIRONMENT_MATCH,
            view.subject,
            expected=f"environment {environment}",
            got=view.extension.environment,
        )
    for keyid in view.spki:
        info = view.extension.keyinfo[keyid]
        if info.environment != environment:
            _refuse_environment(view, keyid, f"a key of environment {environment}", info.environment)
        if info.home == "development" and environment != "development":
            _refuse_environment(view, keyid, "a key on a hardware token", "a development key")
    return Evidence(AuthorityRule.ENVIRONMENT_MATCH, view.subject, f"{len(view.spki)} keys of {environment}")


def _refuse_environment(view: RootView, keyid: str, expected: str, got: str) -> None:
    subject = f"{view.subject}, key {keyid}"
    raise RefusedError(AuthorityRule.ENVIRONMENT_MATCH, subject, expected=expected, got=got)


def no_test_key(view: RootView) -> Evidence:
    """TEST-KEY: no key in force is one whose private half the world knows."""
    for keyid, digest in view.spki.items():
        if name := known_test_key(digest):
            subject = f"{view.subject}, key {keyid}"
            raise RefusedError(AuthorityRule.TEST_KEY, subject, expected="a key that is ours alone", got=name)
    return Evidence(AuthorityRule.TEST_KEY, view.subject, f"{len(view.spki)} keys looked up")


def model_ratchet(previous: RootView, view: RootView) -> Evidence:
    """MODEL-RATCHET: from ``dual`` there is no way back."""
    before, after = previous.extension.authority_model, view.extension.authority_model
    if before == "dual" and after != "dual":
        raise RefusedError(AuthorityRule.MODEL_RATCHET, view.subject, expected="authority_model dual", got=after)
    return Evidence(AuthorityRule.MODEL_RATCHET, view.subject, f"{before} to {after}")


def recovery_threshold(view: RootView) -> Evidence:
    """ROOT-CONSENT, its recovery path: more root keys than root's own threshold, and no more than there are."""
    root, recovery = view.role("root"), view.extension.recovery.threshold
    available = len(view.digests(root.keyids))
    if not root.threshold < recovery <= available:
        raise RefusedError(
            AuthorityRule.ROOT_CONSENT,
            f"{view.subject}, recovery threshold",
            expected=f"above root's {root.threshold} and at most its {available} keys",
            got=str(recovery),
        )
    return Evidence(AuthorityRule.ROOT_CONSENT, view.subject, f"recovery by {recovery} of {available}")


def root_consent(previous: RootView, new: Verified[Root]) -> Evidence:
    """ROOT-CONSENT: a change of the manifest authority carries its own quorum, or the recovery quorum of root."""
    view = view_root(new.value)
    changed = manifest_changes(previous, view)
    if not changed:
        return Evidence(AuthorityRule.ROOT_CONSENT, view.subject, "the manifest authority is unchanged")
    targets = previous.role("targets")
    consenting = _signers_of(previous, targets.keyids, new)
    if len(consenting) >= targets.threshold:
        detail = f"{', '.join(changed)} changed with {len(consenting)} signatures of the outgoing authority"
        return Evidence(AuthorityRule.ROOT_CONSENT, view.subject, detail)
    recovering = _signers_of(previous, previous.role("root").keyids, new)
    needed = previous.extension.recovery.threshold
    if len(recovering) >= needed:
        detail = f"{', '.join(changed)} changed by recovery with {len(recovering)} root keys"
        return Evidence(AuthorityRule.ROOT_CONSENT, view.subject, detail)
    raise RefusedError(
        AuthorityRule.ROOT_CONSENT,
        f"{view.subject}, which changes the manifest authority ({', '.join(changed)})",
        expected=f"{targets.threshold} signatures of the outgoing manifest authority, or {needed} of root's keys",
        got=f"{len(consenting)} and {len(recovering)}",
    )


def manifest_changes(previous: RootView, view: RootView) -> list[str]:
    """What the manifest authority is: its keys, its roles' keys and thresholds, its policy, and who can replace it.

    Without the last a root could make its own keys a recovery quorum first, and recover with them in the next version.
    """
    return [name for name, of in _MANIFEST_PARTS.items() if of(previous) != of(view)]


def _role_parts(name: str, view: RootView) -> tuple[frozenset[str], int]:
    return view.digests(view.role(name).keyids), view.role(name).threshold


_MANIFEST_PARTS: dict[str, Callable[[RootView], object]] = {
    "keys": lambda view: view.manifest_keys,
    "role targets": lambda view: _role_parts("targets", view),
    "role snapshot": lambda view: _role_parts("snapshot", view),
    "policy": lambda view: view.extension.policies.manifest,
    "recovery": lambda view: (view.digests(view.role("root").keyids), view.extension.recovery.threshold),
}


def _signers_of(previous: RootView, keyids: Collection[str], new: Verified[Root]) -> frozenset[str]:
    """The distinct public keys among ``keyids`` of the previous root that signed the new one."""
    return signers(previous.root.keys, keyids, new.signatures, new.canonical)
