"""Names of files on a server, and small target files: fetched whole, verified before anybody sees them."""

from __future__ import annotations

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.tuf import TargetFile, matches
from enigm_tuf.ports import Fetcher
from enigm_tuf.trust.tuf_rules import TufRule


def hashed_path(path: str, digest: str) -> str:
    """Consistent snapshots put a hash in front of the file name (TUF specification 5.7.3)."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{digest}.{name}" if folder else f"{digest}.{name}"


def read_target(fetcher: Fetcher, path: str, target: TargetFile) -> bytes:
    """A small target, whole and verified; RefusedError TARGET-HASH."""
    data = fetcher.fetch(path, target.length)
    if wrong := matches(data, target.length, target.hashes):
        raise RefusedError(
            TufRule.TARGET_HASH, target.path, expected="the length and hashes that are signed", got=wrong
        )
    return data


def file_name(role: str) -> str:
    """The role's name, percent-encoded but for unreserved characters (RFC 3986 section 2.3)."""
    return "".join(chr(byte) if chr(byte) in _UNRESERVED else f"%{byte:02X}" for byte in role.encode())


_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
