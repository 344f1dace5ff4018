"""enigm-sign key enrol: write the public record of a key, with proof that it answers."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.attestation_options import (
    add_intermediates,
    add_roots,
    read_intermediates,
    read_roots,
)
from enigm_tuf.authorities.cli.key_show import record_facts, record_lines
from enigm_tuf.authorities.cli.token_options import add_class, add_label, add_token, label_of
from enigm_tuf.authorities.enrolment import Enrolment, enrol
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.keys import ENVIRONMENT, PURPOSE, write_key_record
from enigm_tuf.model.shapes import NAME
from enigm_tuf.ports import TokenIdentity

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_token(parser)
    add_label(parser)
    parser.add_argument("--purpose", required=True, choices=PURPOSE.words)
    parser.add_argument("--environment", required=True, choices=ENVIRONMENT.words)
    parser.add_argument("--custodian", required=True, metavar="OPERATOR", help="the id of the person who keeps it")
    add_class(parser)
    add_roots(parser)
    add_intermediates(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="the key record, such as root-a.key.json")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out = Path(arguments.out)
    require_new(out)
    enrolment = Enrolment(
        arguments.purpose,
        arguments.environment,
        NAME.read(arguments.custodian, "--custodian", ""),
        read_roots(arguments),
        read_intermediates(arguments),
        arguments.key_class,
    )
    with edges.open_token(arguments.token).session(edges.person.ask_secret) as session:
        if session.identity.home == "hsm":  # a card has its maker's word
            edges.person.notify(_statement(enrolment, session.identity))
        record = enrol(session, label_of(arguments), enrolment, edges.clock.now().replace(microsecond=0))
    write_new(out, write_key_record(record))
    return Outcome(record_facts(record), [*record_lines(record), f"written to {out}"])


def _statement(enrolment: Enrolment, token: TokenIdentity) -> str:
    """What the custodian says by typing the PIN."""
    what = f"this is a {enrolment.purpose} key for {enrolment.environment}, made on token {token.label}"
    return f"{enrolment.custodian} states by this key's signature: {what}, serial {token.serial}, which they keep"


COMMAND: "Command[Edges]" = Command(
    name="key enrol",
    summary="Write the public record of a key: attributes read back, attestation verified, signed by the key itself.",
    examples=(
        "enigm-sign key enrol --token 'pkcs11:token=rel-a?module-path=/usr/lib/softhsm/libsofthsm2.so' --label root "
        "--purpose root --environment staging --custodian carol --out root-a.key.json"
    ),
    configure=configure,
    run=run,
)
