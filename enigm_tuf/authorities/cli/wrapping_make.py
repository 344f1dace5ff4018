"""enigm-sign wrapping make: two security officers make a wrapping key, which is never outside of their two tokens."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.backup.wrapping import TwoTokens, make_wrapping_key
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.cli.token_options import add_token
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.shapes import WORD
from enigm_tuf.model.value import as_dict
from enigm_tuf.model.wrapping import write_wrapping_key

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    add_token(parser)
    parser.add_argument("--spare", required=True, metavar="URI", help="the token that will take the copies")
    parser.add_argument("--label", required=True, help="what the wrapping key is called on both tokens")
    parser.add_argument("--out", required=True, metavar="FILE", help="its record, such as kek-1.wrapping.json")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out, label = Path(arguments.out), WORD.read(arguments.label, "--label", "")
    require_new(out)
    token, spare = (edges.open_backup_token(uri) for uri in (arguments.token, arguments.spare))
    two = TwoTokens(token, spare, edges.person.ask_secret)
    key = make_wrapping_key(open_home(Path(arguments.home)), two, label, edges.clock)
    write_new(out, write_wrapping_key(key))
    places = {place.use: place.token.serial for place in key.places}
    lines = [
        f"wrapping key {key.label}, id {key.id}: wraps on {places['wrap']}, unwraps on {places['unwrap']}",
        f"written to {out}; nothing is wrapped before the inventory lists it",
    ]
    return Outcome({"id": key.id, "label": key.label, "places": [as_dict(place) for place in key.places]}, lines)


COMMAND: "Command[Edges]" = Command(
    name="wrapping make",
    summary="Make a wrapping key on a token and on a spare one, with the SO PINs of both.",
    details="Both tokens agree on it: it is TRUSTED, never extractable, and never outside of them. The record goes "
    "into the inventory. Afterwards the spare token travels to where it is kept.",
    examples=(
        "enigm-sign wrapping make --home release --token 'pkcs11:token=pay-a?module-path=/usr/lib/softhsm/"
        "libsofthsm2.so' --spare 'pkcs11:token=spare?module-path=/usr/lib/softhsm/libsofthsm2.so' --label kek-1 "
        "--out kek-1.wrapping.json"
    ),
    configure=configure,
    run=run,
)
