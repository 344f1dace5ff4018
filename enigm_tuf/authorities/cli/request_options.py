"""Reading a request and its approvals, and what a person is shown of them before they decide."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from enigm_tuf.authorities.cli.token_options import add_label, add_token, label_of
from enigm_tuf.authorities.confirming import digest_lines, require_words
from enigm_tuf.authorities.judging import Brought
from enigm_tuf.authorities.vouching import InputFile, Papers, Signatory
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.request import SigningRequest, read_request
from enigm_tuf.policy.difference import difference
from enigm_tuf.policy.question import Question

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges

T = TypeVar("T")


def add_request(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("request", metavar="REQUEST", help="the .enigmreq file")


def add_approvals(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--approval",
        metavar="FILE",
        action="append",
        default=[],
        help="an approval or a waiver; repeatable",
    )


def add_consents(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--consent",
        metavar="RESPONSE",
        action="append",
        default=[],
        help="the other authority's .enigmresp to its request for the same root; may be given several times",
    )


def add_home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", metavar="DIR", required=True, help="the authority's folder")


def add_signatory(parser: argparse.ArgumentParser, out: str) -> None:
    """Who signs with which approval key, what they work under, and where it goes."""
    parser.add_argument("--policy", required=True, metavar="FILE", help="the authority's policy file")
    parser.add_argument("--operators", required=True, metavar="FILE", help="the registry of operators in force")
    parser.add_argument("--operator", required=True, metavar="ID", help="who you are in the registry")
    add_token(parser)
    add_label(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help=out)


def signatory_of(arguments: argparse.Namespace, edges: "Edges", confirm: Callable[[T], None]) -> Signatory[T]:
    """Who ``add_signatory`` asks for."""
    token = edges.open_token(arguments.token)
    return Signatory(arguments.operator, token, label_of(arguments), edges.person.ask_secret, confirm)


def load_policy(arguments: argparse.Namespace) -> InputFile:
    """The file of ``--policy``."""
    return InputFile(read_input(Path(arguments.policy), LIMITS.document_bytes), arguments.policy)


def load_operators(arguments: argparse.Namespace) -> InputFile:
    """The file of ``--operators``."""
    return InputFile(read_input(Path(arguments.operators), LIMITS.inventory_bytes), arguments.operators)


def load_papers(arguments: argparse.Namespace) -> Papers:
    """Both."""
    return Papers(load_policy(arguments), load_operators(arguments))


def load_votes(arguments: argparse.Namespace) -> tuple[bytes, ...]:
    """The files of ``--vote``."""
    return tuple(read_input(Path(file), LIMITS.document_bytes) for file in arguments.vote)


def load_request(arguments: argparse.Namespace) -> SigningRequest:
    """MalformedError names the member and the rule."""
    return read_request(read_input(Path(arguments.request), LIMITS.request_bytes), arguments.request)


def load_approvals(arguments: argparse.Namespace) -> tuple[bytes, ...]:
    """The files of ``--approval``."""
    return tuple(read_input(Path(file), LIMITS.document_bytes) for file in arguments.approval)


def load_brought(arguments: argparse.Namespace) -> Brought:
    """The files of ``--approval`` and ``--consent``."""
    return Brought(
        load_approvals(arguments),
        tuple(read_input(Path(file), LIMITS.request_bytes) for file in arguments.consent),
    )


def request_lines(question: Question) -> list[str]:
    """Who asks for what, what would change, and the digest that a decision is about."""
    index = question.request.index
    return [
        f"request {index.request_id}, number {index.sequence}, from {index.requester}",
        f"{index.authority} authority, {index.environment}, action {index.action}, expires {index.expires.isoformat()}",
        "",
        *difference(question),
        "",
        *digest_lines(question.request.digest),
    ]


def show_and_confirm(question: Question, edges: "Edges") -> None:
    """RefusedError CONFIRM-WORDS unless the person types the words of what they were shown."""
    request = question.request
    edges.person.notify("\n".join(request_lines(question)))
    require_words(request.digest, f"request {request.index.request_id}", edges.person.ask)
