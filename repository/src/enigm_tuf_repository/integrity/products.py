"""One product of a tree: its roles, every file that they list, and what its manifests offer."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from enigm_tuf.errors import EnigmTufError, NotFoundError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.manifest import OtaManifest, read_manifest
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.trust.agreement import agree, manifest_matches
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf.trust.metadata import TrustedMetadata, admit_targets
from enigm_tuf_client.targets import read_target
from enigm_tuf_repository.integrity.damage import Findings, Kind
from enigm_tuf_repository.integrity.files import check_file
from enigm_tuf_repository.integrity.heads import metadata_path, version_of
from enigm_tuf_repository.integrity.history import History
from enigm_tuf_repository.integrity.tree import Tree, is_there
from enigm_tuf_repository.role_building import hashed_name

_BATCH = 256  # files that wait at once


@dataclass
class Product:
    """Everything about one product; when it is done, nothing of it stays in memory.

    ``unjudged`` gains the folders whose role cannot be read: nobody can say what belongs there.
    """

    name: str
    tree: Tree
    state: TrustedMetadata
    environment: Environment
    history: History
    found: Findings
    pruned: frozenset[str]
    watch: Callable[[Findings], None]
    unjudged: list[str]

    def check(self, pool: ThreadPoolExecutor) -> Iterator[str]:
        """The names below ``targets/`` of all that the product ever listed, without chunk files.

        A product that was retired has no role in force: all of its versions are older ones.
        """
        roles = [role for role in (manifest_role(self.name), payload_role(self.name)) if self._is_delegated(role)]
        dual = payload_role(self.name) in roles
        manifests, *rest = [self._role(role) for role in roles] or [{}]
        payloads = rest[0] if dual else {}
        offered = dict(self._offered(manifests, payloads, dual))
        in_force = [*manifests.values(), *(payloads if dual else offered).values()]
        self._files(pool, in_force)
        known = {hashed_name(target) for target in in_force}
        yield from known
        for older in self._older(roles):
            listed = self._named(f"{self.name}, version {older.version}", older).values()
            fresh = [target for target in listed if hashed_name(target) not in known]
            fresh += [target for target in self._once_offered(fresh, dual) if hashed_name(target) not in known]
            self._files(pool, [target for target in fresh if is_there(self.tree, f"targets/{hashed_name(target)}")])
            known |= {hashed_name(target) for target in fresh}
            yield from map(hashed_name, fresh)

    def _older(self, roles: list[str]) -> Iterator[Targets]:
        for role in (manifest_role(self.name), payload_role(self.name)):
            head = version_of(self.state, role)
            yield from self.history.delegated(role, head if role in roles else head + 1)

    def _is_delegated(self, role: str) -> bool:
        return self.state.targets["targets",].value.get_delegated_role(role) is not None

    def _role(self, role: str) -> Mapping[str, TargetFile]:
        """The targets of a role in force; none where it is missing or refused."""
        path = metadata_path(role, version_of(self.state, role))
        try:
            data = self.tree.fetch(path, LIMITS.targets_bytes)
            verified = admit_targets(self.state, ("targets", role), data).targets["targets", role]
        except EnigmTufError as error:
            self.found.add(Kind.MISSING if isinstance(error, NotFoundError) else Kind.REFUSED, path, str(error))
            self.unjudged.append(_folder(role))
            return {}
        self.found.count("roles in force")
        return self._named(path, verified.value)

    def _named(self, path: str, role: Targets) -> Mapping[str, TargetFile]:
        """The targets of a role, if each has the hash that its file is named by."""
        nameless = [target.path for target in role.targets.values() if "sha256" not in target.hashes]
        if nameless:
            self.found.add(Kind.REFUSED, path, f"{nameless[0]}: must have sha256, which its file is named by")
            return {}
        return role.targets

    def _offered(
        self, manifests: Mapping[str, TargetFile], payloads: Mapping[str, TargetFile], dual: bool
    ) -> Iterator[tuple[str, TargetFile]]:
        """What the manifests in force offer; in model ``dual`` both authorities agree on each."""
        for target in manifests.values():
            with self.found.noting(Kind.AGREEMENT, target.path):
                manifest = self._manifest(target)
                manifest_matches(
                    manifest, self.environment, self.name, target.path.split("/")[-1].removesuffix(".json")
                )
                for release in manifest.releases:
                    for payload in release.payloads:
                        if dual and _folder(payload_role(self.name)) not in self.unjudged:
                            agree(self.name, release, payload, payloads.get(payload.path))
                        self.found.count("payloads offered")
                        yield payload.path, TargetFile(payload.path, payload.length, dict(payload.hashes))

    def _once_offered(self, targets: list[TargetFile], dual: bool) -> list[TargetFile]:
        """Model ``manifest-only``: payloads of manifests that were replaced. No role lists them."""
        listed = [] if dual else [target for target in targets if target.path.startswith("manifests/")]
        offered = []
        for target in listed:
            try:
                manifest = self._manifest(target)
            except EnigmTufError:
                continue  # gone, or damaged: said by whoever looks at the file itself
            payloads = [payload for release in manifest.releases for payload in release.payloads]
            offered += [TargetFile(item.path, item.length, dict(item.hashes)) for item in payloads]
        return offered

    def _manifest(self, target: TargetFile) -> OtaManifest:
        return read_manifest(read_target(self.tree, f"targets/{hashed_name(target)}", target), target.path)

    def _files(self, pool: ThreadPoolExecutor, targets: list[TargetFile]) -> None:
        """Several files at a time; those that were pruned are not there."""
        kept = [target for target in targets if f"targets/{hashed_name(target)}" not in self.pruned]
        for start in range(0, len(kept), _BATCH):
            for result in pool.map(lambda target: check_file(self.tree, target), kept[start : start + _BATCH]):
                self.found.merge(result)
        self.watch(self.found)


def _folder(role: str) -> str:
    """Where the files of a product role lie in a tree."""
    product, _, kind = role.rpartition(".")
    return f"targets/{kind}s/{product}/"
