"""The home of an authority: one folder, inside the trust boundary, that says who it is and what it did.

``authority.toml`` (which authority, which environment), ``policy.toml`` (the first; later ones are in ``policies/``),
``root/<version>.root.json`` (the chain that it trusts), ``operators/``, ``inventory/``, ``findings/`` (what was found
out after crashes, with the votes), the folder ``audit.log``, its key ``log.key``, and ``history.json``, what the log
says in short. No key of any role and no PIN ever stands here: those keys are on tokens. The log's key can only
say what this log says (decision 19).
"""

from dataclasses import dataclass, replace
from pathlib import Path

from enigm_tuf.durable import read_input, write_new
from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.inventory import Inventory
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.operators import OperatorRegistry
from enigm_tuf.model.policy import Policy, read_policy
from enigm_tuf.model.request import AUTHORITY, Authority
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.shapes import Record
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf.model.tuf import Root
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.verified import read_document


@dataclass(frozen=True, slots=True)
class Identity:
    """Which authority this is."""

    authority: Authority
    environment: Environment


_IDENTITY = Record(Identity, 1, authority=AUTHORITY, environment=ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class Home:
    """An authority's folder, read. ``policy_data`` is the policy in force, the bytes that root pins."""

    path: Path
    authority: Authority
    environment: Environment
    policy_data: bytes

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return read_policy(self.policy_data, str(self.policy_file))

    @property
    def policy_pin(self) -> PolicyPin:
        return PolicyPin(self.policy.version, sha256(self.policy_data))

    @property
    def policy_file(self) -> Path:
        """Where the policy in force lies."""
        adopted = self.kept_policy(sha256(self.policy_data))
        return adopted if adopted.is_file() else self.path / "policy.toml"

    def under(self, root: Root | None) -> "Home":
        """The same, with the policy that ``root`` pins, if this authority adopted it; else as it is."""
        if root is None:
            return self
        policies = view_root(root).extension.policies
        pin = policies.manifest if self.authority == "manifest" else policies.release
        file = self.kept_policy(pin.sha256) if pin else None
        if pin is None or file is None or not file.is_file():
            return self
        data = read_input(file, LIMITS.document_bytes)
        if sha256(data) != pin.sha256:
            raise MalformedError(str(file), "", "its bytes are not those of its name")
        read_policy(data, str(file))
        return replace(self, policy_data=data)

    def kept_policy(self, digest: str) -> Path:
        """Where an adopted policy lies, named by its digest."""
        return self.path / "policies" / f"{digest}.toml"

    def require_own(self, document: Inventory | OperatorRegistry, what: str, source: str) -> None:
        """MisuseError unless the document is of this authority in this environment."""
        if (document.authority, document.environment) != (self.authority, self.environment):
            whose = f"the {what} of the {document.authority} authority in {document.environment}"
            raise MisuseError(f"{source} is {whose}, not of {self.path}")

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
    home = Home(path, identity.authority, identity.environment, policy_data)
    chain = home.roots()
    return home.under(read_document(chain[-1], Root, "root", LIMITS.root_bytes).value if chain else None)
