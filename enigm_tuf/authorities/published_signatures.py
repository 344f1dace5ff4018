"""Every signature of this authority in a published repository has its entry in the audit log."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.trust_root import read_root
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MalformedError, MisuseError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import canonical, parse, sha256
from enigm_tuf.trust.root_rules import view_root


@dataclass(frozen=True, slots=True)
class PublishedSignature:
    """A signature in a file of published metadata; ``sha256`` is that of the bytes that it is over."""

    source: str
    keyid: str
    signature: str
    sha256: str


def require_all_logged(home: Home, logged: Container[tuple[str, str, str]], repository: Path) -> int:
    """How many signatures were found and are ``logged`` (key id, signature, SHA-256 of what it is over).

    RefusedError LOG-SIGNATURES for the first that is not.
    """
    found = list(_signatures(home, repository))
    for item in found:
        if (item.keyid, item.signature, item.sha256) not in logged:
            raise RefusedError(
                AuditRule.LOG_SIGNATURES,
                item.source,
                expected=f"an entry for the signature of key {item.keyid}",
                got="none",
                hint="this key has signed outside of the tool, or the log was cut: find out before anything else",
            )
    return len(found)


def _signatures(home: Home, repository: Path) -> Iterator[PublishedSignature]:
    files = sorted((repository / "metadata").glob("*.json"))
    if not files:
        raise MisuseError(f"{repository}: no published metadata here", hint="the folder that holds metadata/")
    roots = [*home.roots(), *(_read(path) for path in files if path.name.endswith(".root.json"))]
    keyids = {keyid for data in roots for keyid in _keyids(home, data)}
    for path in files:
        value = parse(_read(path), source=str(path), max_bytes=LIMITS.stated_targets_bytes)
        digest = sha256(canonical(value.get("signed", {})))
        for item in value.get("signatures", []):
            keyid, signature = _signature(item, str(path))
            if keyid in keyids:
                yield PublishedSignature(str(path), keyid, signature, digest)


def _keyids(home: Home, root: bytes) -> tuple[str, ...]:
    authorities = view_root(read_root(root).value).extension.authorities
    if home.authority == "manifest":
        return authorities.manifest.keyids
    return authorities.release.keyids if authorities.release else ()


def _signature(item: object, source: str) -> tuple[str, str]:
    if isinstance(item, dict) and isinstance(item.get("keyid"), str) and isinstance(item.get("sig"), str):
        return item["keyid"], item["sig"]
    raise MalformedError(source, "signatures", "each has keyid and sig")


def _read(path: Path) -> bytes:
    return read_input(path, LIMITS.stated_targets_bytes)
