"""Versions that are not in force any more: nobody needs them, but what is there was signed by those who might then."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from enigm_tuf.errors import EnigmTufError, NotFoundError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.ports import Fetcher
from enigm_tuf.trust.threshold import signers
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf_repository.integrity.damage import Findings, Kind
from enigm_tuf_repository.integrity.heads import metadata_path
from enigm_tuf_repository.lineage import SignedFile, read_signed_file


@dataclass(frozen=True, slots=True)
class _Quorum:
    """Who could sign a role at some time."""

    keys: Mapping[str, Key]
    keyids: tuple[str, ...]
    threshold: int

    def signed(self, file: SignedFile) -> bool:
        return len(signers(self.keys, self.keyids, file.signatures, file.canonical)) >= self.threshold


@dataclass
class History:
    """Old versions in a tree, judged by every root there ever was and every ``targets`` that is still there."""

    tree: Fetcher
    roots: Sequence[Root]
    found: Findings
    _delegated: dict[str, list[_Quorum]] = field(default_factory=dict)

    def top_level(self, role: str, head: int) -> None:
        """Older versions of snapshot or targets; and who could sign product roles under each targets."""
        quorums = [self._of(root, role) for root in reversed(self.roots)]
        for file in self._older(role, head, quorums):
            if isinstance(file.value, Targets):
                self.learn(file.value)

    def learn(self, targets: Targets) -> None:
        """Who could sign each product role while these targets were in force. Each set of keys is kept once."""
        delegations = targets.delegations
        if delegations is None:
            return
        for name, role in (delegations.roles or {}).items():
            keys = {keyid: delegations.keys[keyid] for keyid in role.keyids if keyid in delegations.keys}
            quorum = _Quorum(keys, tuple(sorted(role.keyids)), role.threshold)
            known = self._delegated.setdefault(name, [])
            if quorum not in known:
                known.append(quorum)

    def delegated(self, role: str, head: int) -> Iterator[Targets]:
        """The older versions of a product role that were signed by those who might."""
        for file in self._older(role, head, list(self._delegated.get(role, ()))):
            yield file.value_as(Targets)

    def signed(self, role: str, version: int) -> SignedFile:
        """A version, old or in force, if it was signed by those who might; RefusedError, NotFoundError."""
        roots = [self._of(root, role) for root in reversed(self.roots)] if "." not in role else []
        return self._read(role, version, metadata_path(role, version), [*roots, *self._delegated.get(role, ())])

    def _older(self, role: str, head: int, quorums: list[_Quorum]) -> Iterator[SignedFile]:
        """Newest first. What is not there was pruned, or never published: no device asks for it."""
        for version in range(head - 1, 0, -1):
            path = metadata_path(role, version)
            try:
                file = self._read(role, version, path, quorums)
            except NotFoundError:
                continue
            except EnigmTufError as error:
                self.found.add(Kind.REFUSED, path, str(error))
                continue
            self.found.count("older versions")
            yield file

    def _read(self, role: str, version: int, path: str, quorums: list[_Quorum]) -> SignedFile:
        file = read_signed_file(self.tree.fetch(path, LIMITS.stated_targets_bytes), role, path)
        if file.version != version:
            raise RefusedError(TufRule.TARGETS_VERSION, path, expected=f"version {version}", got=str(file.version))
        for index, quorum in enumerate(quorums):
            if quorum.signed(file):
                quorums.insert(0, quorums.pop(index))  # most likely the next one's too
                return file
        expected = "a threshold of the keys that the role once had"
        raise RefusedError(TufRule.SIGNATURE_THRESHOLD, path, expected=expected, got="too few of their signatures")

    def _of(self, root: Root, role: str) -> _Quorum:
        definition = root.roles[role]
        return _Quorum(root.keys, tuple(definition.keyids), definition.threshold)
