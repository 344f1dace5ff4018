"""Who must sign a root, how many of them, and to which authority they belong (TUF 5.3.4, 5.3.5, and ROOT-CONSENT).

A device counts all of this in ``metadata.admit_root`` and ``root_rules.root_consent``. Here it is said beforehand, for
those who ask for the signatures and those who give them.
"""

from __future__ import annotations

from collections.abc import Mapping

from enigm_tuf.model.request import Authority
from enigm_tuf.model.tuf import Root
from enigm_tuf.model.value import Value
from enigm_tuf.trust.root_rules import RootView, manifest_changes
from enigm_tuf.trust.threshold import signers, spki_sha256


class RootQuorum(Value):
    """``threshold`` of the keys ``keyids`` of ``root``, which belong to ``authority``. ``name`` is for people."""

    name: str
    authority: Authority
    root: Root
    keyids: tuple[str, ...]
    threshold: int

    def public_keys(self) -> dict[str, str]:
        """SPKI digests by keyid."""
        keys = self.root.keys
        return {keyid: spki_sha256(keys[keyid]) for keyid in self.keyids if keyid in keys}

    def signed_by(self, signatures: Mapping[str, str], data: bytes) -> frozenset[str]:
        """The distinct public keys of this quorum with a valid hex signature over ``data``."""
        return signers(self.root.keys, self.keyids, signatures, data)


def root_owner(view: RootView) -> Authority:
    """Whose keys sign root."""
    return "release" if view.extension.authority_model == "dual" else "manifest"


def root_quorums(before: RootView | None, after: RootView, *, recovering: bool) -> tuple[RootQuorum, ...]:
    """Every quorum that ``after`` needs; ``recovering`` is the way round a manifest authority that cannot consent."""
    own = _quorum("incoming root keys", root_owner(after), after, "root", after.role("root").threshold)
    if before is None:
        return (own,)
    if recovering:
        needed = before.extension.recovery.threshold
        return _quorum("root keys, to recover", root_owner(before), before, "root", needed), own
    outgoing = _quorum("outgoing root keys", root_owner(before), before, "root", before.role("root").threshold)
    if not manifest_changes(before, after):
        return outgoing, own
    needed = before.role("targets").threshold
    return outgoing, own, _quorum("manifest authority, to consent", "manifest", before, "targets", needed)


def _quorum(name: str, authority: Authority, view: RootView, role: str, threshold: int) -> RootQuorum:
    return RootQuorum(name, authority, view.root, tuple(view.role(role).keyids), threshold)
