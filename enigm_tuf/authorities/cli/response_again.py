"""enigm-sign response again: the response once more, when its file was lost. Signs nothing, opens no token."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.answering_again import answer_again
from enigm_tuf.authorities.cli.request_options import (
    add_approvals,
    add_home,
    add_request,
    load_approvals,
    load_request,
)
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_request(parser)
    add_home(parser)
    add_approvals(parser)
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="the response, such as carol.enigmresp; earlier ones beside it"
    )


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out, request, home = Path(arguments.out), load_request(arguments), open_home(Path(arguments.home))
    require_new(out)
    with open_log(home.log, edges.clock) as log:
        found = answer_again(home, request, load_approvals(arguments), log)
    files = {_place(out, number): answer for number, answer in enumerate(found, 1)}
    for path in files:
        require_new(path)
    lines, signatures = [], []
    for path, (response, file) in files.items():
        write_new(path, file)
        for item in response.signatures:
            signatures.append({"role": item.role, "version": item.version, "keyid": item.keyid, "file": str(path)})
            lines.append(f"signed {item.role} version {item.version} with key {item.keyid}")
        lines.append(f"response written to {path}")
    return Outcome({"request_id": request.index.request_id, "signatures": signatures}, lines)


def _place(out: Path, number: int) -> Path:
    """The newest where it was asked for; the one before that as carol.2.enigmresp."""
    return out if number == 1 else out.with_name(f"{out.stem}.{number}{out.suffix}")


COMMAND: "Command[Edges]" = Command(
    name="response again",
    summary="Write the response once more from the audit log, with every signature that was made of the request.",
    details="For a response that was lost, also by a crash right after the signature. Asks for no token and no PIN. A "
    "response tells one decision: where the request was signed at several times, the newest is FILE, and those before "
    "it are written beside it, numbered from 2. Attach all of them.",
    examples=(
        "enigm-sign response again release.enigmreq --home release --approval alice.dsse.json --approval bob.dsse.json "
        "--out again.enigmresp"
    ),
    configure=configure,
    run=run,
)
