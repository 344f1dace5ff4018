"""enigm-sign ceremony new: a shipped script, filled in for this house."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.ceremony.checking import require_checked
from enigm_tuf.authorities.ceremony.shipped import Filling, initialised_in, tokens_of, write_shipped
from enigm_tuf.authorities.cli.ceremony_options import CONFIGURES
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.confirming import digest_lines
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.ceremony import CEREMONY_TYPES, CeremonyToken, read_script
from enigm_tuf.model.shapes import SHA256
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("type", metavar="TYPE", choices=CEREMONY_TYPES, help=", ".join(CEREMONY_TYPES))
    add_home(parser)
    parser.add_argument("--token", metavar="NAME=URI", action="append", default=[], help="a token of the script")
    parser.add_argument("--bag", metavar="NAME=NUMBER", action="append", default=[], help="the bag a token comes in")
    parser.add_argument("--set", metavar="NAME=TEXT", action="append", default=[], help="what the script leaves open")
    parser.add_argument("--image", metavar="SHA256", help="of the image that the machine runs")
    parser.add_argument("--out", required=True, metavar="FILE", help="the script, such as root-keygen.toml")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    out, home = Path(arguments.out), open_home(Path(arguments.home))
    require_new(out)
    uris, bags = _pairs("--token", arguments.token), _pairs("--bag", arguments.bag)
    fresh = initialised_in(arguments.type)
    if unknown := bags.keys() - uris.keys():
        raise MisuseError(f"--bag: no token is called {', '.join(sorted(unknown))}")
    if missing := [name for name in tokens_of(arguments.type) if name not in uris]:
        raise MisuseError(f"--token: {', '.join(missing)} must be given", hint="--token NAME=URI")
    tokens = {name: _token(name, uri, bags.get(name), fresh, edges) for name, uri in uris.items()}
    image = None if arguments.image is None else SHA256.read(arguments.image, "--image", "")
    text = write_shipped(arguments.type, home, Filling(_pairs("--set", arguments.set), tokens, image))
    data = text.encode()
    require_checked(read_script(data, str(out)), CONFIGURES)
    write_new(out, data)
    digest = sha256(data)
    return Outcome({"script": digest, "type": arguments.type}, [f"written to {out}; read it", *digest_lines(digest)])


def _token(name: str, uri: str, bag: str | None, fresh: frozenset[str], edges: "Edges") -> CeremonyToken:
    """With its serial, as it says it now; NoTokenError. A PKCS#11 token that is yet to be made has none."""
    if name in fresh and not uri.startswith("piv:"):
        return CeremonyToken(uri, None, bag)
    return CeremonyToken(uri, edges.open_token(uri).identity().serial, bag)


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    names = [name for name, _, _ in pairs]
    for name, equals, text in pairs:
        if not (name and equals and text) or names.count(name) > 1:
            raise MisuseError(f"{option} {name[:80]}: must be NAME=TEXT, each name once")
    return {name: text for name, _, text in pairs}


COMMAND: "Command[Edges]" = Command(
    name="ceremony new",
    summary="Write a ceremony script for this house from the one that is shipped: policy, serials and bags filled in.",
    details="Asks for no PIN. Where something is missing, it says what. The script is yours: change it where your "
    "house works otherwise, and check it again.",
    examples=(
        "enigm-sign ceremony new routine-sign --home release --token token='pkcs11:token=root-a?module-path=/usr/lib/"
        "softhsm/libsofthsm2.so' --bag token=A-1001 --set name=release-12 --set label=root "
        "--set request=release.enigmreq --set approval-a=alice.dsse.json --set approval-b=bob.dsse.json "
        "--out release-12.toml"
    ),
    configure=configure,
    run=run,
)
