"""enigm-sign key enrol: write the public record of a key, with proof that it answers."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enigm_tuf.authorities.cli.key_show import record_facts, record_lines
from enigm_tuf.authorities.cli.token_options import add_label, add_token
from enigm_tuf.authorities.enrolment import Enrolment, enrol
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input, require_new, write_new
from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import ENVIRONMENT, PURPOSE, write_key_record
from enigm_tuf.model.shapes import NAME

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_token(parser)
    add_label(parser)
    parser.add_argument("--purpose", required=True, choices=PURPOSE.words)
    parser.add_argument("--environment", required=True, choices=ENVIRONMENT.words)
    parser.add_argument("--custodian", required=True, metavar="OPERATOR", help="the id of the person who keeps it")
    parser.add_argument(
        "--attestation-root", metavar="PEM", action="append", default=[], help="a pinned root of the card's maker"
    )
    parser.add_argument(
        "--attestation-intermediate",
        metavar="PEM",
        action="append",
        default=[],
        help="what the maker publishes between its cards and its root; a file may hold several",
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="the key record, such as root-a.key.json")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out = Path(arguments.out)
    require_new(out)
    enrolment = Enrolment(
        arguments.purpose,
        arguments.environment,
        NAME.read(arguments.custodian, "--custodian", ""),
        tuple(_root(Path(file)) for file in arguments.attestation_root),
        tuple(data for file in arguments.attestation_intermediate for data in _certificates(Path(file))),
    )
    with edges.open_token(arguments.token).session(edges.person.ask_secret) as session:
        record = enrol(session, arguments.label, enrolment, edges.clock.now().replace(microsecond=0))
    write_new(out, write_key_record(record))
    return Outcome(record_facts(record), [*record_lines(record), f"written to {out}"])


def _root(file: Path) -> bytes:
    """One for each file: a root is pinned on purpose."""
    found = _certificates(file)
    if len(found) != 1:
        raise MalformedError(str(file), "", f"must be one certificate, not {len(found)}: a root is pinned on purpose")
    return found[0]


def _certificates(file: Path) -> tuple[bytes, ...]:
    try:
        found = x509.load_pem_x509_certificates(read_input(file, LIMITS.document_bytes))
    except ValueError as error:
        raise MalformedError(str(file), "", "must be a PEM certificate") from error
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in found)


COMMAND: "Command[Edges]" = Command(
    name="key enrol",
    summary="Write the public record of a key: attributes read back, attestation verified, proof of possession.",
    examples=(
        "enigm-sign key enrol --token 'pkcs11:token=rel-a?module-path=/usr/lib/softhsm/libsofthsm2.so' --label root "
        "--purpose root --environment staging --custodian carol --out root-a.key.json"
    ),
    configure=configure,
    run=run,
)
