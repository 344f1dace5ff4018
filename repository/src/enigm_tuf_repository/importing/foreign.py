"""A TUF repository that other tools made, verified from a root of its own. Nothing in it is trusted by ours for that.

1. the root that people handed over, and every newer one (TUF specification 5.3)
2. timestamp, snapshot, targets (5.4 to 5.6)
3. every delegated role, each under its delegation
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.tuf import Root, TargetFile, Targets
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.ports import Clock, DeviceState, Fetcher
from enigm_tuf.trust.metadata import Lineage, TrustedMetadata, admit_targets, current_meta, targets_bound
from enigm_tuf.trust.threshold import spki_sha256
from enigm_tuf.trust.verified import Verified
from enigm_tuf_client.targets import file_name
from enigm_tuf_client.workflow import TufWorkflow
from enigm_tuf_repository.devices import FreshStore

ROLES = 10_000  # that are looked at; more is no repository of releases


class _AnyTuf:
    """An Admission that adds nothing to TUF. No device has it: what it lets through is only looked at and copied."""

    identity = "a foreign repository"

    def root(self, previous: Verified[Root] | None, new: Verified[Root]) -> None:
        """Whatever TUF accepts."""

    def targets(
        self, root: Verified[Root], delegator: Verified[Root] | Verified[Targets], role: str, new: Verified[Targets]
    ) -> None:
        """Whatever TUF accepts."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where it is: ``name`` for people; ``metadata`` and ``targets`` are folders below the fetcher's base, or empty."""

    fetcher: Fetcher
    name: str
    metadata: str = "metadata"
    targets: str = "targets"

    def below(self, folder: str, path: str) -> str:
        return f"{folder}/{path}" if folder else path


@dataclass
class ForeignTree:
    """All of it in force, verified at the clock's time. ``roles`` in the order in which a client would look."""

    source: Source
    workflow: TufWorkflow
    roles: dict[str, Verified[Targets]] = field(default_factory=dict)
    delegated_by: dict[str, str] = field(default_factory=dict)
    _state: TrustedMetadata = field(init=False)

    def __post_init__(self) -> None:
        self._state = self.workflow.trusted

    @property
    def root(self) -> Root:
        return self._state.root.value

    @property
    def trusted(self) -> TrustedMetadata:
        """Root, timestamp and snapshot in force."""
        return self._state

    def load(self) -> None:
        """Every role; RefusedError and TransportError name the first that is not as it must be."""
        to_visit: list[Lineage] = [("targets",)]
        while to_visit:
            lineage = to_visit.pop(0)
            if lineage[-1] in self.roles:
                continue
            if len(self.roles) >= ROLES:
                raise MisuseError(f"{self.source.name}: more than {ROLES:,} roles")
            self._load(lineage)
            to_visit += [(*lineage, name) for name in _delegates(self.roles[lineage[-1]].value)]

    def _load(self, lineage: Lineage) -> None:
        role = lineage[-1]
        if lineage not in self._state.targets:
            meta = current_meta(self._state, role)
            prefix = f"{meta.version}." if self.root.consistent_snapshot else ""
            path = self.source.below(self.source.metadata, f"{prefix}{file_name(role)}.json")
            data = self.source.fetcher.fetch(path, targets_bound(meta))
            self._state = admit_targets(self._state, lineage, data)
        self.roles[role] = self._state.targets[lineage]
        self.delegated_by[role] = ("root", *lineage)[-2]

    def targets(self) -> Iterator[tuple[str, TargetFile]]:
        """Every target with the role that lists it."""
        for role, verified in self.roles.items():
            for target in verified.value.targets.values():
                yield role, target

    def keys(self) -> Mapping[str, Key]:
        """Every key by keyid: of root and of all delegations."""
        found = dict(self.root.keys)
        for verified in self.roles.values():
            found |= verified.value.delegations.keys if verified.value.delegations else {}
        return found

    def users(self) -> Mapping[str, list[str]]:
        """The roles that each keyid may sign."""
        found: dict[str, list[str]] = {}
        for name, role in self.root.roles.items():
            for keyid in role.keyids:
                found.setdefault(keyid, []).append(name)
        for role_name, parent in self.delegated_by.items():
            definition = self.roles[parent].value.get_delegated_role(role_name) if parent in self.roles else None
            for keyid in definition.keyids if definition else ():
                found.setdefault(keyid, []).append(role_name)
        return found

    def quorum(self, role: str) -> tuple[int, tuple[str, ...]]:
        """Threshold and keyids of a role."""
        parent = self.delegated_by.get(role, "root")
        definition = self.root.roles[role] if parent == "root" else self.roles[parent].value.get_delegated_role(role)
        return (definition.threshold, tuple(definition.keyids)) if definition else (0, ())


def open_foreign(source: Source, root: bytes, clock: Clock) -> ForeignTree:
    """Refreshed from ``root`` on, with every role. RefusedError, MalformedError, TransportError."""
    store = FreshStore(DeviceState(metadata={"root": root}))
    workflow = TufWorkflow(store, source.fetcher, clock, _AnyTuf(), source.below(source.metadata, ""))
    workflow.refresh()
    tree = ForeignTree(source, workflow)
    tree.load()
    return tree


def spki_of_all(keys: Mapping[str, Key]) -> dict[str, str]:
    """SHA-256 of the SPKI by keyid."""
    return {keyid: spki_sha256(key) for keyid, key in keys.items()}


def _delegates(targets: Targets) -> list[str]:
    delegations = targets.delegations
    if delegations is None:
        return []
    if delegations.roles is not None:
        return list(delegations.roles)
    bins = delegations.succinct_roles
    if bins is None:
        return []
    if 2**bins.bit_length > ROLES:
        raise MisuseError(f"{bins.name_prefix}: more than {ROLES:,} bins")
    width = len(f"{2**bins.bit_length - 1:x}")
    return [f"{bins.name_prefix}-{number:0{width}x}" for number in range(2**bins.bit_length)]
