"""enigm-sign timestamp: the freshness key signs a timestamp. Online, outside the trust boundary, no policy."""

import argparse
import json
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.authorities.freshness_key import require_freshness_key, view_own_root
from enigm_tuf.authorities.token_fit import find_key, require_never_copied
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.trust.signable import freshness

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_token(parser)
    add_label(parser)
    parser.add_argument("--root", required=True, metavar="FILE", help="the root that names this key for timestamps")
    parser.add_argument("--pin-file", required=True, metavar="FILE", help="the PIN; a file that only you can read")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    pin = read_pin(Path(arguments.pin_file))
    root = view_own_root(read_input(Path(arguments.root), LIMITS.root_bytes), arguments.root, edges.clock.now())
    message = freshness(sys.stdin.buffer.read(LIMITS.timestamp_bytes + 1))
    with edges.open_token(arguments.token).session(lambda _: pin) as session:
        key = find_key(session, label_of(arguments))
        require_never_copied(key, "the freshness key")
        keyid = require_freshness_key(root, session.identity, key)
        signature = session.sign(key.label, message)
    data = {"keyid": keyid, "sig": signature.hex()}
    return Outcome(data, [json.dumps(data)])


def read_pin(path: Path) -> str:
    """The first line; MisuseError unless it is a plain file of this user that nobody else may read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise MisuseError(f"{path}: {error.strerror}", hint="--pin-file needs a plain file, no link") from error
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or stat.S_IMODE(facts.st_mode) & 0o177 or facts.st_uid != os.geteuid():
            raise MisuseError(f"{path}: must be your own plain file with mode 0600", hint=f"chmod 600 {path}")
        return file.readline(1_024).decode(errors="replace").rstrip("\r\n")


COMMAND: "Command[Edges]" = Command(
    name="timestamp",
    summary="Sign a timestamp with the freshness key: canonical bytes in, a signature as JSON out.",
    examples=(
        "enigm-sign timestamp --token 'pkcs11:token=fresh?module-path=/usr/lib/softhsm/libsofthsm2.so' "
        "--label timestamp --root /etc/enigm/1.root.json --pin-file /etc/enigm/timestamp.pin < timestamp.canonical.json"
    ),
    configure=configure,
    run=run,
    details="enigm-repo calls this through timestamp_signer in repository.toml. Nothing but a timestamp is signed, and "
    "with no key but one that --root gives to the role.",
)
