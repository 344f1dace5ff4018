"""enigm-sign key show: fingerprint, words and attributes of a key on a token or in a record."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enigm_tuf.authorities.cli.attestation_options import add_roots, read_roots
from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.authorities.token_fit import find_key
from enigm_tuf.authorities.tokens.attestation import certificates_of, read_claims, verify_record
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import KeyRecord, read_key_record
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import words
from enigm_tuf.ports import TokenKey

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_token(parser, required=False)
    add_label(parser)
    parser.add_argument("--record", metavar="FILE", help="a .key.json file")
    add_roots(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    if arguments.record:
        record = read_key_record(read_input(Path(arguments.record), LIMITS.document_bytes), arguments.record)
        if roots := read_roots(arguments):
            verify_record(record, roots)
        return Outcome(record_facts(record), record_lines(record))
    if not arguments.token:
        raise MisuseError("which key?", hint="give --record FILE, or --token URI and --label LABEL")
    with edges.open_token(arguments.token).session(edges.person.ask_secret) as session:
        key = find_key(session, label_of(arguments))
        attested = _attested(session.attestation(key.label))
    return Outcome(key_facts(key) | attested, key_lines(key, attested))


def _attested(chain: tuple[bytes, ...]) -> dict[str, str]:
    """What the maker says of the key, for people to read; it is checked when the key is enrolled."""
    return read_claims(chain).described() if chain else {}


def key_facts(key: TokenKey) -> dict[str, Any]:
    digest = sha256(key.spki)
    return {
        "label": key.label,
        "algorithm": key.algorithm,
        "spki_sha256": digest,
        "words": " ".join(words(digest)),
        "attributes": key.attributes,
    }


def key_lines(key: TokenKey, attested: dict[str, str] | None = None) -> list[str]:
    facts = key_facts(key)
    facts |= facts.pop("attributes") | (attested or {})
    return table(("fact", "value"), [(name, str(value)) for name, value in facts.items()])


def record_facts(record: KeyRecord) -> dict[str, Any]:
    return {
        "keyid": record.keyid,
        "spki_sha256": record.spki_sha256,
        "words": " ".join(words(record.spki_sha256)),
        "purpose": record.purpose,
        "class": record.key_class,
        "environment": record.environment,
        "home": record.home,
        "custodian": record.custodian,
        "token_serial": record.token.serial,
        "attested": bool(record.attestation),
        **_attested(certificates_of(record)),
        "attributes": {
            name: item.text if item.flag is None else item.flag for name, item in sorted(record.attributes.items())
        },
    }


def record_lines(record: KeyRecord) -> list[str]:
    facts = record_facts(record)
    attributes = facts.pop("attributes")
    return table(("fact", "value"), [(name, str(value)) for name, value in (facts | attributes).items()])


COMMAND: "Command[Edges]" = Command(
    name="key show",
    summary="Show a key: fingerprint, words to read aloud, attributes.",
    details="Facts that begin with attested_ are what the maker's certificates say. With --attestation-root the record "
    "of a PIV key is checked: its chain to that root, its key, its card.",
    examples="enigm-sign key show --record root-a.key.json\nenigm-sign key show --token piv:serial=12345678 --label 9c",
    configure=configure,
    run=run,
)
