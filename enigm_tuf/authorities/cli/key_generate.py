"""enigm-sign key generate: make a key on a token, which it never leaves."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.key_show import key_facts, key_lines
from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.model.public_keys import ALGORITHMS

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_token(parser)
    add_label(parser)
    parser.add_argument("--algorithm", choices=ALGORITHMS, default="ecdsa-p256")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with edges.open_token(arguments.token).session(edges.person.ask_secret) as session:
        key = session.generate(label_of(arguments), arguments.algorithm)
    return Outcome(key_facts(key), key_lines(key))


COMMAND: "Command[Edges]" = Command(
    name="key generate",
    summary="Make a signing key on a token; its attributes are set, read back, and refused on any difference.",
    examples=(
        "enigm-sign key generate --token 'pkcs11:token=rel-a?module-path=/usr/lib/softhsm/libsofthsm2.so' "
        "--label root --algorithm ecdsa-p384\n"
        "enigm-sign key generate --token piv:serial=12345678 --label 9c"
    ),
    configure=configure,
    run=run,
)
