"""The options that pin a card maker's root, and the files that they name."""

import argparse
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enigm_tuf.durable import read_input
from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS


def add_roots(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--attestation-root", metavar="PEM", action="append", default=[], help="a pinned root of the card's maker"
    )


def add_intermediates(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--attestation-intermediate",
        metavar="PEM",
        action="append",
        default=[],
        help="what the maker publishes between its cards and its root; a file may hold several",
    )


def read_roots(arguments: argparse.Namespace) -> tuple[bytes, ...]:
    """DER, one for each file: a root is pinned on purpose. MalformedError."""
    return tuple(_root(Path(file)) for file in arguments.attestation_root)


def read_intermediates(arguments: argparse.Namespace) -> tuple[bytes, ...]:
    """DER of all certificates in all files. MalformedError."""
    return tuple(data for file in arguments.attestation_intermediate for data in _certificates(Path(file)))


def _root(file: Path) -> bytes:
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
