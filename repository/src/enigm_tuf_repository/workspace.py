"""The working directory of a repository, and where everything in it is.

repository.toml   the configuration, as given to ``init`` or to the last root that was published
register.json     what is open, which sequence numbers are used, which products there are
pruned.json       paths that `prune` took away from published/
keys/             key records by file name
policies/         manifest.toml and release.toml, the bytes that root pins
operators/        manifest.json and release.json: the registries of operators that the authorities have in force
published/        the tree that is served: metadata/ and targets/; with a [store], the mirror of what is served there
records/<id>/     record.json, requests/, responses/, approvals/, evidence/, staged/ (laid over published/), and for a
                  root settings/: the repository.toml, keys/ and policies/ that its publication puts in force
"""

from dataclasses import dataclass, replace
from pathlib import Path

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.request import Authority
from enigm_tuf_repository.configuration import RepositoryConfig, read_configuration
from enigm_tuf_repository.stores.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class Workspace:
    """The paths of a working directory. ``settings`` is where configuration, keys and policies are read from.

    None for those in force; a root that is not published yet has its own. ``store_url`` stands in for the URL in the
    configuration.
    """

    path: Path
    settings: Path | None = None
    store_url: str | None = None

    @property
    def configuration_file(self) -> Path:
        return (self.settings or self.path) / "repository.toml"

    @property
    def register_file(self) -> Path:
        return self.path / "register.json"

    @property
    def keys(self) -> Path:
        return (self.settings or self.path) / "keys"

    @property
    def published(self) -> Path:
        return self.path / "published"

    def policy_file(self, authority: Authority) -> Path:
        return (self.settings or self.path) / "policies" / f"{authority}.toml"

    def operators_file(self, authority: Authority) -> Path:
        return self.path / "operators" / f"{authority}.json"

    def operators(self, authority: Authority) -> bytes:
        """The authority's registry of operators, as ``operators put`` left it; MisuseError if there is none."""
        file = self.operators_file(authority)
        if not file.is_file():
            hint = "enigm-repo operators put FILE, with the registry that the authority has in force"
            raise MisuseError(f"{file}: the operators of the {authority} authority are not known here", hint=hint)
        return file.read_bytes()

    def record(self, record_id: str) -> Path:
        return self.path / "records" / record_id

    def staged(self, record_id: str) -> Path:
        """The part of the tree that this record adds, laid over ``published``."""
        return self.record(record_id) / "staged"

    def with_settings_of(self, record_id: str) -> "Workspace":
        """The same, as it will be when this record is published."""
        made = self.with_new_settings_of(record_id)
        return made if made.configuration_file.is_file() else self

    def with_new_settings_of(self, record_id: str) -> "Workspace":
        """The same, to write them."""
        return replace(self, settings=self.record(record_id) / "settings")

    def configuration(self) -> RepositoryConfig:
        """MisuseError if this is no working directory."""
        if not self.configuration_file.is_file():
            raise MisuseError(f"{self.path}: not a repository's directory", hint="run `enigm-repo init` there first")
        return read_configuration(self.configuration_file.read_bytes(), str(self.configuration_file))

    def store_settings(self) -> StoreSettings | None:
        """Where the tree is published; None for ``published`` itself."""
        configured = self.configuration().store
        if self.store_url is None:
            return configured
        return replace(configured, url=self.store_url) if configured else StoreSettings(self.store_url)

    def policy(self, authority: Authority) -> bytes:
        return self.policy_file(authority).read_bytes()
