"""SECRET-SCAN: every private key that was found is a leak, unless somebody said for how long and why it is none.

So is every image that could not be looked into: nothing that nobody saw is clean."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.shapes import Record
from enigm_tuf.model.strict_toml import parse_toml
from enigm_tuf_repository.leaks.images import Closed
from enigm_tuf_repository.leaks.owners import owner_of
from enigm_tuf_repository.leaks.scanning import Found, Scan
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.secret_exceptions import SECRET_EXCEPTIONS, SecretException

_FILE: Record[dict[str, tuple[SecretException, ...]]] = Record(dict, exceptions=SECRET_EXCEPTIONS)


@dataclass(frozen=True, slots=True)
class Leak:
    """``whose`` is None for a key that nobody here knows; ``excused`` the reason of an exception that counts."""

    found: Found
    whose: str | None
    excused: str | None


def read_exceptions(data: bytes, source: str) -> tuple[SecretException, ...]:
    """A TOML file of ``[[exceptions]]``; MalformedError."""
    return _FILE.read(parse_toml(data, source), source)["exceptions"]


def leaks_of(
    scan: Scan, enrolled: Mapping[str, str], exceptions: Iterable[SecretException], now: datetime
) -> tuple[Leak, ...]:
    """What the scan found, with whose it is. No exception excuses a key that is enrolled."""
    excused = {item.digest: item.reason for item in exceptions if now < item.expires}

    def leak(found: Found) -> Leak:
        digest = found.candidate.spki_sha256
        is_enrolled = digest is not None and digest in enrolled
        reason = None if is_enrolled else excused.get(found.candidate.digest)
        return Leak(found, owner_of(digest, enrolled) if digest else None, reason)

    return tuple(leak(found) for found in scan.found)


def closed_of(scan: Scan, exceptions: Iterable[SecretException], now: datetime) -> tuple[Closed, ...]:
    """The images that nobody looked into, and that no exception which counts names by its digest."""
    excused = {item.digest for item in exceptions if now < item.expires}
    return tuple(image for image in scan.closed if image.digest not in excused)


def require_no_leak(leaks: Sequence[Leak], closed: Sequence[Closed]) -> None:
    """RefusedError SECRET-SCAN names the worst: a key of ours before any other, keys before closed images."""
    open_ones = sorted((leak for leak in leaks if leak.excused is None), key=lambda leak: leak.whose is None)
    if open_ones:
        first = open_ones[0]
        more = f" (and {len(open_ones) - 1} more)" if len(open_ones) > 1 else ""
        raise RefusedError(
            RepositoryRule.SECRET_SCAN,
            f"{first.found.place}, byte {first.found.offset:,}",
            expected="no private key",
            got=f"{first.found.candidate.kind}: {first.whose or 'a key that is enrolled nowhere'}{more}",
            hint="take it out; a key that was published is lost, and must be revoked",
        )
    if closed:
        more = f" (and {len(closed) - 1} more)" if len(closed) > 1 else ""
        raise RefusedError(
            RepositoryRule.SECRET_SCAN,
            closed[0].place,
            expected="an image that can be looked into",
            got=f"{closed[0].reason}{more}",
            hint=f"make it in a way that is read, or except these bytes for a while: digest {closed[0].digest}",
        )
