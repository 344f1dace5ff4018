"""``init``: a working directory from ``repository.toml``, and the request for the first root."""

from datetime import datetime
from pathlib import Path

from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import read_key_record
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import Authority
from enigm_tuf.model.root_extension import Policies
from enigm_tuf.model.tuf import Root
from enigm_tuf.trust.authority_admission import judge_root_definition
from enigm_tuf_repository.configuration import RepositoryConfig, read_configuration
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.lineage import lineage_of
from enigm_tuf_repository.preparing import Plan, new_record, open_record
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.requests import Draft, policy_pin
from enigm_tuf_repository.root_building import first_root
from enigm_tuf_repository.workspace import Workspace

RECORD = "root-1"


def initialise(workspace: Workspace, configuration_file: Path, now: datetime) -> ReleaseRecord:
    """Copy what the configuration names, and open ``root-1``. Again is fine until an authority has signed."""
    data = read_input(configuration_file, LIMITS.document_bytes)
    config = read_configuration(data, str(configuration_file))
    keys = _read_keys(config, configuration_file.parent)
    policies = _read_policies(config, configuration_file.parent)
    draft = Draft("release", {"root": _root(config, keys, policies, now)})
    with new_record(workspace, RECORD):
        for path, content in {**_placed(workspace, keys, policies), workspace.configuration_file: data}.items():
            write_durably(path, content)
        lineage = lineage_of(workspace, load_register(workspace), without=RECORD)
        return open_record(workspace, lineage, Plan(RECORD, "root", None, (draft,)), now)


def _root(config: RepositoryConfig, keys: dict[str, bytes], policies: dict[Authority, bytes], now: datetime) -> Root:
    """The first root, which breaks none of the rules."""
    records = {
        purpose: tuple(read_key_record(keys[Path(name).name], name) for name in names)
        for purpose, names in config.key_files().items()
    }
    pins = Policies(policy_pin(policies["manifest"]), policy_pin(policies["release"]))
    root = first_root(config, records, pins, now)
    judge_root_definition(root, config.environment)
    return root


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
    files: dict[Authority, str] = {"manifest": config.policies.manifest, "release": config.policies.release}
    for authority, name in files.items():
        policies[authority] = read_input(folder / name, LIMITS.document_bytes)
        policy = read_policy(policies[authority], str(folder / name))
        if (policy.authority, policy.environment) != (authority, config.environment):
            raise MisuseError(
                f"{name} is the policy of the {policy.authority} authority in {policy.environment}, "
                f"not of the {authority} authority in {config.environment}"
            )
    return policies


def _placed(workspace: Workspace, keys: dict[str, bytes], policies: dict[Authority, bytes]) -> dict[Path, bytes]:
    return {
        **{workspace.keys / name: data for name, data in keys.items()},
        workspace.policy_file("manifest"): policies["manifest"],
        workspace.policy_file("release"): policies["release"],
    }
