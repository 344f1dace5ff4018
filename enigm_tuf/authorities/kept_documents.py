"""Documents of an authority of which one version is in force: files in its home, the newest named by the audit log.

The log is the chain: an older version put back, a changed or a missing file does not match what it says last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.rules import InventoryRule, OperatorsRule
from enigm_tuf.durable import read_input, write_new
from enigm_tuf.errors import RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import JsonObject, sha256
from enigm_tuf.trust.rules import Rule


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of document: its folder in the home, the entry that puts a version in force, the rule, the verb."""

    folder: str
    entry: EntryType
    rule: Rule
    verb: str

    def last(self, log: MerkleLog) -> JsonObject | None:
        """The body of the newest entry, None before the first."""
        found: AuditEntry | None = None
        for entry in log.entries():
            found = entry if entry.type == self.entry else found
        return found.body if found else None

    def in_force(self, home: Home, named: JsonObject | None) -> bytes:
        """The bytes of the version that the log names; RefusedError where the file is another, or none was adopted."""
        if named is None:
            hint = f"enigm-sign {self.verb} propose, sign, adopt"
            self.refuse(f"{_an(self.folder)} that was adopted", "none", hint)
        path = self.path(home, named["version"])
        data = read_input(path, LIMITS.inventory_bytes) if path.is_file() else b""
        digest: str = named["sha256"]
        if sha256(data) != digest:
            got = sha256(data) if data else "no such file"
            self.refuse(f"{path.name} with SHA-256 {digest}", got, "adopt it again")
        return data

    def require_next(self, version: int, previous: str | None, last: JsonObject | None) -> None:
        """RefusedError unless it follows what the log names last."""
        number, digest = (last["version"], last["sha256"]) if last else (0, None)
        if (version, previous) != (number + 1, digest):
            hint = "propose it anew from the one in force"
            self.refuse(f"version {number + 1} after {digest}", f"version {version} after {previous}", hint)

    def keep(self, home: Home, version: int, data: bytes, envelopes: Sequence[bytes]) -> None:
        """Write it, and its votes beside it. The log says which bytes are right: what a crash left is replaced."""
        folder = home.path / self.folder
        folder.mkdir(exist_ok=True)
        for envelope in envelopes:
            _write(folder / f"{version}.{sha256(envelope)[:16]}.dsse.json", envelope)
        _write(self.path(home, version), data)

    def refuse(self, expected: str, got: str, hint: str) -> NoReturn:
        """RefusedError of this kind's rule."""
        raise RefusedError(self.rule, self.folder, expected=expected, got=got, hint=hint)

    def path(self, home: Home, version: int) -> Path:
        """Where a version lies."""
        return home.path / self.folder / f"{version}.json"


INVENTORY = Kept("inventory", EntryType.INVENTORY_CHANGED, InventoryRule.INVENTORY_HEAD, "inventory")
OPERATORS = Kept("operators", EntryType.OPERATORS_CHANGED, OperatorsRule.OPERATORS_HEAD, "operator")


def _an(noun: str) -> str:
    return f"an {noun}" if noun == "inventory" else noun


def _write(path: Path, data: bytes) -> None:
    if not path.is_file() or path.read_bytes() != data:
        path.unlink(missing_ok=True)
        write_new(path, data)
