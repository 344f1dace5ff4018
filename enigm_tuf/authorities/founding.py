"""The home of an authority is made: its policy, its operators, an empty log. Whole or not at all."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import create_log, open_log
from enigm_tuf.audit.pins import log_place
from enigm_tuf.authorities.home import Home, Identity
from enigm_tuf.authorities.operators.keeping import adopt
from enigm_tuf.authorities.vouching import InputFile
from enigm_tuf.durable import fsync_directory, write_new
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.policy import read_policy
from enigm_tuf.ports import Clock


@dataclass(frozen=True, slots=True)
class Founders:
    """What an authority begins with: its policy, version 1 of its operators, and their votes for it."""

    policy: InputFile
    operators: InputFile
    votes: tuple[bytes, ...]


def create_home(path: Path, identity: Identity, founders: Founders, clock: Clock, log_name: str | None = None) -> Home:
    """Make the folder; MisuseError if it is there already or the policy is somebody else's.

    ``log_name`` begins the origin of its audit log, see ``create_log``.

    RefusedError OPERATORS-QUORUM, OPERATORS-HEAD: the first operators are those that the policy names, and they agree.
    """
    policy = read_policy(founders.policy.data, founders.policy.source)
    if Identity(policy.authority, policy.environment) != identity:
        raise MisuseError(
            f"{founders.policy.source} is the policy of the {policy.authority} authority in {policy.environment}, "
            f"not of the {identity.authority} authority in {identity.environment}"
        )
    if path.exists():
        raise MisuseError(f"{path}: exists already; an authority is made once")
    if not path.parent.is_dir():
        raise MisuseError(f"{path.parent}: no such folder")
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        home = _fill(draft, identity, founders.policy.data, clock, log_name)
        with open_log(home.log, clock) as log:
            adopt(home, log, founders.operators.data, founders.operators.source, founders.votes, clock)
        draft.rename(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    fsync_directory(path.parent)
    return Home(path, home.authority, home.environment, home.policy_data)


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
