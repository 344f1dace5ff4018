"""enigm-sign audit export: a copy of the log for auditors, in the form that tools of others read."""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import copy_log, log_signer
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import fsync_directory
from enigm_tuf.errors import MisuseError

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("--out", required=True, metavar="DIR", help="a folder that is not there yet")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges
    out, home = Path(arguments.out), open_home(Path(arguments.home))
    if out.exists() or not out.parent.is_dir():
        raise MisuseError(f"{out}: must be a new folder in one that is there")
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        size = copy_log(home.log, draft)
        draft.chmod(0o755)
        draft.rename(out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    fsync_directory(out.parent)
    key = log_signer(home.log).log.text
    return Outcome({"entries": size, "public_key": key}, [f"{size} entries copied to {out}", f"log {key}"])


COMMAND: "Command[Edges]" = Command(
    name="audit export",
    summary="Copy the log, compared with its checkpoint, for auditors and their own tools (C2SP tlog-tiles).",
    examples="enigm-sign audit export --home release --out release.log",
    configure=configure,
    run=run,
    details="The log's private key stays where it is.",
)
