"""enigm-sign ceremony run: play a script with its people, and write the transcript."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.ceremony_running import configure_run, run_ceremony
from enigm_tuf.commandline import Command, Outcome

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    return run_ceremony(arguments, edges, rehearsal=False)


COMMAND: "Command[Edges]" = Command(
    name="ceremony run",
    summary="Play a checked script step by step; every participant signs the transcript, and the audit log takes it.",
    details="Run it again with the same transcript to go on after a stop or a power cut: what may have happened is "
    "looked up in the audit log, the files and on the token, and never blindly done again. --abort REASON ends a "
    "ceremony that must not go on: all its people sign that too, and it is open no more.",
    examples=(
        "enigm-sign ceremony run root-keygen.toml --home release --person custodian=carol --person witness=bob "
        "--transcript root-keygen.transcript\n"
        "enigm-sign ceremony run root-keygen.toml --home release --person custodian=carol --person witness=bob "
        "--key bob='pkcs11:token=bob;object=bob?module-path=/usr/lib/softhsm/libsofthsm2.so' "
        "--transcript t.transcript\n"
        "enigm-sign ceremony run root-keygen.toml --home release --person custodian=carol --person witness=bob "
        "--transcript root-keygen.transcript --abort 'the token fell'"
    ),
    configure=configure_run,
    run=run,
)
