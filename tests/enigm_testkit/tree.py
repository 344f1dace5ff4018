"""A tree of delegations, and a search in it that admits roles as it goes."""

from tuf.api.metadata import DelegatedRole, TargetFile, Targets

from enigm_testkit.authorities import Cast, keyids, make_role, make_snapshot, make_targets, make_timestamp, signed
from enigm_testkit.clauses import rooted
from enigm_tuf.model import tuf
from enigm_tuf.trust.delegation import search
from enigm_tuf.trust.metadata import Lineage, admit_snapshot, admit_targets, admit_timestamp

PATH = "payloads/phone/1/ota.zip"


class Tree:
    """Roles by name, all signed by the manifest keys."""

    def __init__(self, cast: Cast, roles: dict[str, Targets], unlisted: tuple[str, ...] = ()) -> None:
        self.cast = cast
        self.roles = roles
        self.visited: list[str] = []
        self.state = admit_timestamp(rooted(cast), signed(make_timestamp(), cast.timestamp))
        snapshot = make_snapshot({role: 1 for role in roles if role not in unlisted})
        self.state = admit_snapshot(self.state, signed(snapshot, cast.manifest))

    def find(self, path: str = PATH) -> tuf.TargetFile:
        """5.6.7; ``visited`` grows."""
        steps = search(path)
        try:
            wanted = next(steps)
            while True:
                self.visited.append(wanted[-1])
                self.admit(wanted)
                wanted = steps.send(self.state.targets[wanted])
        except StopIteration as found:
            target: tuf.TargetFile = found.value
            return target

    def admit(self, lineage: Lineage) -> None:
        data = signed(self.roles[lineage[-1]], self.cast.manifest)
        self.state = admit_targets(self.state, lineage, data)


def delegating(cast: Cast, *roles: DelegatedRole) -> Targets:
    """A role that lists nothing and delegates, in this order."""
    return make_targets(cast, {role.name: role for role in roles})


def to(cast: Cast, name: str, *, terminating: bool = False, paths: list[str] | None = None) -> DelegatedRole:
    return DelegatedRole(name, keyids(cast.manifest), 1, terminating, paths or ["payloads/phone/*/*"])


def leaf(path: str = PATH) -> Targets:
    """A role that lists ``path``."""
    return make_role({path: TargetFile.from_data(path, b"payload")})
