"""enigm-sign token init: make a token ready, with secrets that only its people know."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.token_options import add_token
from enigm_tuf.authorities.tokens.uri import open_new_token
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import MisuseError

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges, Person


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    token = open_new_token(arguments.token, edges.tokens)
    token.initialise(*(_twice(edges.person, what) for what in token.SECRETS))
    identity = token.identity()
    return Outcome({"token": identity.label, "serial": identity.serial}, [f"{identity.label}: ready"])


def _twice(person: "Person", what: str) -> str:
    """A new secret is typed twice."""
    first = person.ask_secret(f"new {what}")
    if person.ask_secret(f"new {what} again") != first:
        raise MisuseError(f"the two {what}s differ; nothing was changed")
    return first


COMMAND: "Command[Edges]" = Command(
    name="token init",
    summary="Make a token ready: a PKCS#11 token, a PIV card fresh from the factory, or a development key file.",
    details="Asks for each new secret twice: SO PIN and user PIN, or PIN, PUK and management key.",
    examples=(
        "enigm-sign token init --token 'pkcs11:token=rel-a?module-path=/usr/lib/softhsm/libsofthsm2.so'\n"
        "enigm-sign token init --token piv:serial=12345678\n"
        "enigm-sign token init --token development:dev.json"
    ),
    configure=add_token,
    run=run,
)
