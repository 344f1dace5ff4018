"""The home of an authority: one folder, inside the trust boundary, that says who it is and what it did.

``authority.toml`` (which authority, which environment), ``policy.toml``, ``root/<version>.root.json`` (the chain that
it trusts), the folder ``audit.log`` and its key ``log.key``. No key of any role and no PIN ever stands here: those keys
are on tokens. The log's key can only say what this log says (decision 19).
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import create_log, open_log
from enigm_tuf.audit.pins import log_place
from enigm_tuf.durable import fsync_directory, read_input, write_new
from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import AUTHORITY, Authority
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.shapes import Record
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf.ports import Clock


@dataclass(frozen=True, slots=True)
class Identity:
    """Which authority this is."""

    authority: Authority
    environment: Environment


_IDENTITY = Record(Identity, 1, authority=AUTHORITY, environment=ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class Home:
    """An authority's folder, read. ``policy_data`` are the exact bytes that root pins."""

    path: Path
    authority: Authority
    environment: Environment
    policy_data: bytes

    @property
    def policy_pin(self) -> PolicyPin:
        return PolicyPin(read_policy(self.policy_data, "policy.toml").version, sha256(self.policy_data))

    @property
    def log(self) -> Path:
        return self.path / "audit.log"

    def roots(self) -> list[bytes]:
        """The trusted chain, oldest first; empty before the first root is trusted."""
        chain: list[bytes] = []
        while (path := self._root(len(chain) + 1)).is_file():
            chain.append(path.read_bytes())
        return chain

    def add_root(self, data: bytes, version: int) -> None:
        """Keep the next root of the chain. The caller has admitted it."""
        write_new(self._root(version), data)

    def _root(self, version: int) -> Path:
        return self.path / "root" / f"{version}.root.json"


def create_home(
    path: Path, identity: Identity, policy_data: bytes, policy_source: str, clock: Clock, log_name: str | None = None
) -> Home:
    """Make the folder, whole or not at all; MisuseError if it is there already or the policy is somebody else's.

    ``log_name`` begins the origin of its audit log, see ``create_log``.
    """
    policy = read_policy(policy_data, policy_source)
    if Identity(policy.authority, policy.environment) != identity:
        raise MisuseError(
            f"{policy_source} is the policy of the {policy.authority} authority in {policy.environment}, "
            f"not of the {identity.authority} authority in {identity.environment}"
        )
    if path.exists():
        raise MisuseError(f"{path}: exists already; an authority is made once")
    if not path.parent.is_dir():
        raise MisuseError(f"{path.parent}: no such folder")
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        home = _fill(draft, identity, policy_data, clock, log_name)
        draft.rename(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    fsync_directory(path.parent)
    return Home(path, home.authority, home.environment, home.policy_data)


def open_home(path: Path) -> Home:
    """Read an authority's folder; MisuseError if it is none, MalformedError if a file in it is damaged."""
    if not (path / "authority.toml").is_file():
        raise MisuseError(f"{path}: not the home of an authority", hint="`enigm-sign authority init` makes one")
    source = str(path / "authority.toml")
    identity = _IDENTITY.read(parse_toml(read_input(path / "authority.toml", LIMITS.document_bytes), source), source)
    policy_data = read_input(path / "policy.toml", LIMITS.document_bytes)
    policy = read_policy(policy_data, str(path / "policy.toml"))
    if Identity(policy.authority, policy.environment) != identity:
        raise MalformedError(str(path / "policy.toml"), "authority", "must be the policy of this very authority")
    return Home(path, identity.authority, identity.environment, policy_data)


def _fill(draft: Path, identity: Identity, policy_data: bytes, clock: Clock, log_name: str | None) -> Home:
    home = Home(draft, identity.authority, identity.environment, policy_data)
    text = f'schema = 1\nauthority = "{identity.authority}"\nenvironment = "{identity.environment}"\n'
    write_new(draft / "authority.toml", text.encode())
    write_new(draft / "policy.toml", policy_data)
    (draft / "root").mkdir()
    create_log(home.log, log_place(identity.environment, identity.authority), log_name)
    pin = home.policy_pin
    with open_log(home.log, clock) as log:
        log.append(
            EntryType.AUTHORITY_CREATED,
            {
                "authority": identity.authority,
                "environment": identity.environment,
                "policy_version": pin.version,
                "policy_sha256": pin.sha256,
            },
        )
    return home
