"""enigm-sign token unblock: a new PIN where it is locked or forgotten, by the PUK or the security officer's PIN."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.token_options import add_token
from enigm_tuf.authorities.tokens.uri import open_blocked_token
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import MisuseError

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges, Person


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    token = open_blocked_token(arguments.token, edges.tokens)
    identity = token.identity()
    token.unblock(*(_ask(edges.person, what, identity.label) for what in token.UNBLOCK_SECRETS))
    return Outcome({"token": identity.label, "serial": identity.serial}, [f"{identity.label}: has a new PIN"])


def _ask(person: "Person", what: str, token: str) -> str:
    """A new secret is typed twice."""
    first = person.ask_secret(f"{what} of {token}")
    if what.startswith("new ") and person.ask_secret(f"{what} of {token} again") != first:
        raise MisuseError(f"the two {what}s differ; nothing was changed")
    return first


COMMAND: "Command[Edges]" = Command(
    name="token unblock",
    summary="Give a token a new PIN: a PIV card by its PUK, a PKCS#11 token by its SO PIN.",
    details="Asks for the PUK (or SO PIN) once and for the new PIN twice. The token's keys stay.",
    examples="enigm-sign token unblock --token piv:serial=12345678",
    configure=add_token,
    run=run,
)
