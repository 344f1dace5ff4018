"""enigm-sign key generate: make a key on a token, which it never leaves."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.key_show import key_facts, key_lines
from enigm_tuf.authorities.cli.token_options import add_class, add_label, add_token, label_of
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.model.public_keys import ALGORITHMS

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_token(parser)
    add_label(parser)
    parser.add_argument("--algorithm", choices=ALGORITHMS, default="ecdsa-p256")
    add_class(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    label, ask = label_of(arguments), edges.person.ask_secret
    if arguments.key_class == "wrapped-backup":
        with edges.open_backup_token(arguments.token).backup_session(ask) as backups:
            key = backups.generate(label, arguments.algorithm, arguments.key_class)
    else:
        with edges.open_token(arguments.token).session(ask) as session:
            key = session.generate(label, arguments.algorithm)
    return Outcome(key_facts(key), key_lines(key))


COMMAND: "Command[Edges]" = Command(
    name="key generate",
    summary="Make a signing key on a token; its attributes are set, read back, and refused on any difference.",
    examples=(
        "enigm-sign key generate --token 'pkcs11:token=rel-a?module-path=/usr/lib/softhsm/libsofthsm2.so' "
        "--label root --algorithm ecdsa-p384\n"
        "enigm-sign key generate --token piv:serial=12345678 --label 9c\n"
        "enigm-sign key generate --token 'pkcs11:token=pay-a?module-path=/usr/lib/softhsm/libsofthsm2.so' "
        "--label payload --class wrapped-backup"
    ),
    configure=configure,
    run=run,
)
