"""enigm-sign audit recover: people say what they found out about a signature that nobody knows of; signing goes on."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.confirming import digest_lines, require_words
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.signing_log import one_line
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import MisuseError

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("--finding", required=True, metavar="TEXT", help="what was found out, and by whom")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    home = open_home(Path(arguments.home))
    finding = one_line(arguments.finding, 2_000).strip()
    if not finding:
        raise MisuseError("--finding: say what was found out, and by whom")
    with open_log(home.log, edges.clock) as log:
        intent = history_of(log.entries()).open_intent
        if intent is None:
            raise MisuseError("nothing is in doubt: every intent in the audit log has its result")
        what = f"{intent['role']} version {intent['version']}"
        edges.person.notify("\n".join([f"in doubt: {what}, key {intent['key']}", *digest_lines(intent["sha256"])]))
        require_words(intent["sha256"], what, edges.person.ask)
        names = ("request_sha256", "request_id", "sequence", "role", "version", "sha256", "key")
        entry = log.append(EntryType.SIGN_RECOVERED, {name: intent[name] for name in names} | {"finding": finding})
    data = {"entry": entry.sequence, "role": intent["role"], "version": intent["version"]}
    return Outcome(data, [f"entry {entry.sequence}: {what} is no longer in doubt", "signing goes on"])


COMMAND: "Command[Edges]" = Command(
    name="audit recover",
    summary="Log what was found out about an intent without a result, after a crash; until then nothing is signed.",
    examples="enigm-sign audit recover --home release --finding 'carol and the auditor: the token was pulled'",
    configure=configure,
    run=run,
    details=(
        "If a signature was made and lost, it is over the very bytes that were approved. The repository takes none "
        "without an entry of its own, so the request is signed again."
    ),
)
