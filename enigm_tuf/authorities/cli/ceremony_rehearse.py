"""enigm-sign ceremony rehearse: the same on software tokens, marked as what it is."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.ceremony_running import configure_run, run_ceremony
from enigm_tuf.commandline import Command, Outcome

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    return run_ceremony(arguments, edges, rehearsal=True)


COMMAND: "Command[Edges]" = Command(
    name="ceremony rehearse",
    summary="Play a script on SoftHSM, every screen marked REHEARSAL; refuses production and every other token.",
    examples=(
        "enigm-sign ceremony rehearse root-keygen.toml --home staging.home --person custodian=carol "
        "--person witness=bob --transcript rehearsal.transcript"
    ),
    configure=configure_run,
    run=run,
)
