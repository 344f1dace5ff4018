"""enigm-repo secrets scan: private keys in files, archives, Git history and the environment."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf_repository.cli.options import reading
from enigm_tuf_repository.leaks.git import scan_git
from enigm_tuf_repository.leaks.images import Closed
from enigm_tuf_repository.leaks.leaks import Leak, closed_of, leaks_of, read_exceptions, require_no_leak
from enigm_tuf_repository.leaks.owners import enrolled_keys
from enigm_tuf_repository.leaks.scanning import Scan, files_below
from enigm_tuf_repository.secret_exceptions import SecretException

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files, and directories with all that is in them")
    parser.add_argument("--git", metavar="DIR", action="append", default=[], help="every object of a Git repository")
    parser.add_argument(
        "--environment", action="store_true", help="the variables of this very process, as CI sets them"
    )
    meaning = "says which of this repository's keys was found, and takes its secret_exceptions"
    parser.add_argument("--repository", metavar="DIR", help=meaning)
    parser.add_argument("--exceptions", metavar="FILE", help="a TOML file of [[exceptions]]: digest, reason, expires")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    if not (arguments.paths or arguments.git or arguments.environment):
        raise MisuseError("nothing to scan", hint="name a file or directory, or use --git DIR or --environment")
    enrolled, exceptions = _known(arguments)
    scan = Scan()
    for path in map(Path, arguments.paths):
        if not path.exists():
            raise MisuseError(f"{path}: no such file or directory")
        for file in files_below(path):
            scan.path(file)
    for directory in arguments.git:
        scan_git(scan, Path(directory))
    if arguments.environment:
        for name, value in sorted(os.environb.items()):
            scan.data(value, f"${name.decode('utf-8', 'replace')}")
    leaks, closed = leaks_of(scan, enrolled, exceptions, edges.now()), closed_of(scan, exceptions, edges.now())
    return _outcome(scan, leaks, closed)


def _known(arguments: argparse.Namespace) -> tuple[dict[str, str], tuple[SecretException, ...]]:
    """Enrolled keys and exceptions."""
    enrolled: dict[str, str] = {}
    exceptions: tuple[SecretException, ...] = ()
    if arguments.repository:
        workspace = reading(arguments)
        enrolled = dict(enrolled_keys(workspace))
        exceptions = workspace.configuration().secret_exceptions or ()
    if arguments.exceptions:
        file = Path(arguments.exceptions)
        exceptions += read_exceptions(read_input(file, LIMITS.document_bytes), str(file))
    return enrolled, exceptions


def _outcome(scan: Scan, leaks: tuple[Leak, ...], closed: tuple[Closed, ...]) -> Outcome:
    rows = [
        (leak.found.place, f"{leak.found.offset}", leak.found.candidate.kind, _whose(leak), leak.found.candidate.digest)
        for leak in leaks
    ]
    lines = table(("PLACE", "BYTE", "WHAT", "WHOSE", "DIGEST"), rows) if rows else []
    lines += [f"not opened: {name}" for name in scan.unread]
    lines += [f"closed image: {item.place}: {item.reason}; digest {item.digest}" for item in closed]
    lines += [f"{scan.files} files and members, {scan.scanned:,} bytes, private keys: {len(leaks)}"]
    data = {"bytes": scan.scanned, "not_opened": scan.unread, "found": [_facts(leak) for leak in leaks]}
    data["closed_images"] = [{"place": item.place, "why": item.reason, "digest": item.digest} for item in closed]
    try:
        require_no_leak(leaks, closed)
    except RefusedError as refusal:
        return Outcome(data, lines, refusal)
    return Outcome(data, lines)


def _whose(leak: Leak) -> str:
    return f"excused: {leak.excused}" if leak.excused else leak.whose or "unknown"


def _facts(leak: Leak) -> dict[str, Any]:
    return {
        "place": leak.found.place,
        "byte": leak.found.offset,
        "kind": leak.found.candidate.kind,
        "digest": leak.found.candidate.digest,
        "public_key": leak.found.candidate.spki_sha256,
        "whose": leak.whose,
        "excused": leak.excused,
    }


COMMAND: "Command[Edges]" = Command(
    name="secrets scan",
    summary="Look for private keys, in archives inside archives too, and say whose they are.",
    details="Exit status 3 if there is one. Keys that are meant to be there: docs/howto/find-leaked-keys.md.",
    examples="enigm-repo secrets scan build/out --repository repo\n"
    "enigm-repo secrets scan --git . --environment --exceptions keys-in-tests.toml",
    configure=configure,
    run=run,
)
