"""A configuration with all that it names, key records and policies: read from beside it, put in force as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.durable import read_input
from enigm_tuf.errors import ConflictError, MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import KeyRecord, Purpose, read_key_record
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import Authority
from enigm_tuf.model.root_extension import Policies
from enigm_tuf_repository.configuration import RepositoryConfig, read_configuration
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.requests import policy_pin
from enigm_tuf_repository.workspace import Workspace

_REPLACED = "replaced.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """``data`` are the bytes of the configuration; ``keys`` are key records by file name."""

    data: bytes
    config: RepositoryConfig
    keys: Mapping[str, bytes]
    policies: Mapping[Authority, bytes]

    def records(self) -> dict[Purpose, tuple[KeyRecord, ...]]:
        """The key records by what the configuration uses them for."""
        return {
            purpose: tuple(read_key_record(self.keys[Path(name).name], name) for name in names)
            for purpose, names in self.config.key_files().items()
        }

    def pins(self) -> Policies:
        """How root refers to the policies."""
        release = self.policies.get("release")
        return Policies(policy_pin(self.policies["manifest"]), policy_pin(release) if release is not None else None)

    def write(self, workspace: Workspace) -> None:
        """Into a workspace, the configuration last: killed before it, the one in force is whole."""
        for name, content in self.keys.items():
            write_durably(workspace.keys / name, content)
        for authority, content in self.policies.items():
            write_durably(workspace.policy_file(authority), content)
        write_durably(workspace.configuration_file, self.data)


def read_settings(configuration_file: Path) -> Settings:
    """The configuration and what stands beside it; MisuseError, MalformedError."""
    data = read_input(configuration_file, LIMITS.document_bytes)
    config = read_configuration(data, str(configuration_file))
    folder = configuration_file.parent
    return Settings(data, config, _read_keys(config, folder), _read_policies(config, folder))


def settings_in(workspace: Workspace) -> Settings:
    """Those of a workspace, as ``write`` put them there."""
    data = workspace.configuration_file.read_bytes()
    config = read_configuration(data, str(workspace.configuration_file))
    names = {Path(name).name for group in config.key_files().values() for name in group}
    keys = {name: (workspace.keys / name).read_bytes() for name in sorted(names)}
    return Settings(data, config, keys, {authority: workspace.policy(authority) for authority in config.policy_files()})


def keep_for_record(workspace: Workspace, record_id: str, settings: Settings) -> None:
    """Into a root's record, beside the configuration that they will replace."""
    place = workspace.with_new_settings_of(record_id)
    settings.write(place)
    write_durably(place.configuration_file.with_name(_REPLACED), workspace.configuration_file.read_bytes())


def require_as_prepared(workspace: Workspace, record_id: str) -> None:
    """ConflictError where the configuration in force is not the one that the record's settings were made to replace.

    Whoever changed it since would see the change go without a word.
    """
    place = workspace.with_settings_of(record_id)
    replaced = place.configuration_file.with_name(_REPLACED)
    if place == workspace or not replaced.is_file():
        return
    allowed = {replaced.read_bytes(), place.configuration_file.read_bytes()}
    if workspace.configuration_file.read_bytes() not in allowed:
        hint = f"put it back as it is in {replaced}, publish, and then change it again"
        raise ConflictError(f"{workspace.configuration_file}: changed since {record_id} was prepared", hint=hint)


def put_in_force(workspace: Workspace, record_id: str) -> None:
    """The settings of a root that is published now. Killed half way, once more does it."""
    place = workspace.with_settings_of(record_id)
    if place != workspace:
        settings_in(place).write(workspace)


def _read_keys(config: RepositoryConfig, folder: Path) -> dict[str, bytes]:
    """The bytes of every key record by file name; two records of one name are refused."""
    found: dict[str, bytes] = {}
    for names in config.key_files().values():
        for name in names:
            data = read_input(folder / name, LIMITS.document_bytes)
            read_key_record(data, str(folder / name))
            if found.setdefault(Path(name).name, data) != data:
                raise MisuseError(f"two different key records are called {Path(name).name}")
    return found


def _read_policies(config: RepositoryConfig, folder: Path) -> dict[Authority, bytes]:
    policies: dict[Authority, bytes] = {}
    for authority, name in config.policy_files().items():
        policies[authority] = read_input(folder / name, LIMITS.document_bytes)
        policy = read_policy(policies[authority], str(folder / name))
        if (policy.authority, policy.environment) != (authority, config.environment):
            raise MisuseError(
                f"{name} is the policy of the {policy.authority} authority in {policy.environment}, "
                f"not of the {authority} authority in {config.environment}"
            )
    return policies
