"""How a token is named: ``pkcs11:`` (RFC 7512), ``piv:serial=N``, ``development:FILE``.

``pkcs11:token=rel-a?module-path=/usr/lib/softhsm/libsofthsm2.so``: ``token`` or ``serial`` or both, and the module.
PINs have no place in a name: ``pin-value`` and ``pin-source`` are refused.
"""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from enigm_tuf.authorities.tokens.development import DevelopmentToken
from enigm_tuf.authorities.tokens.piv_touch import Waiting
from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.model.value import Protocol
from enigm_tuf.ports import Token, TokenIdentity

if TYPE_CHECKING:
    from enigm_tuf.authorities.tokens.piv import CardSource

_EXAMPLE = "pkcs11:token=rel-a?module-path=/usr/lib/softhsm/libsofthsm2.so, piv:serial=12345678, development:dev.json"


@dataclass(frozen=True)
class TokenEdges:
    """What opening a token needs from outside. ``cards`` None means the machine's readers, through PC/SC.

    ``waiting`` tells the person to touch a card, for as long as the card waits.
    """

    ask_secret: Callable[[str], str]
    waiting: Waiting
    cards: "CardSource | None" = None


class NewToken(Token, Protocol):
    """A token that can be made ready: ``initialise`` takes one new secret for each name in ``SECRETS``."""

    SECRETS: ClassVar[tuple[str, ...]]

    def initialise(self, *secrets: str) -> None: ...


class UnblockableToken(Token, Protocol):
    """A token whose PIN an officer can set anew: ``unblock`` takes one secret for each name in ``UNBLOCK_SECRETS``."""

    UNBLOCK_SECRETS: ClassVar[tuple[str, ...]]

    def unblock(self, *secrets: str) -> None: ...


_OTHER_WAYS = {
    "pkcs11": "the security officer sets a new user PIN with the vendor's tool, or with "
    "pkcs11-tool --module FILE --token-label LABEL --login --login-type so --init-pin",
    "development": "a key file's PIN is the passphrase of its keys: make a new file",
}


def open_token(uri: str, edges: TokenEdges) -> Token:
    """The token that ``uri`` names; nothing is contacted yet. MalformedError, MisuseError."""
    return open_new_token(uri, edges)


def open_new_token(uri: str, edges: TokenEdges) -> NewToken:
    """The same, as what ``token init`` needs."""
    scheme, _, rest = uri.partition(":")
    openers: dict[str, Callable[[str, str, TokenEdges], NewToken]] = {
        "pkcs11": _pkcs11,
        "piv": _piv,
        "development": _development,
    }
    if scheme not in openers:
        raise MalformedError("--token", uri[:60], f"must be such as {_EXAMPLE}")
    return openers[scheme](uri, rest, edges)


def open_blocked_token(uri: str, edges: TokenEdges) -> UnblockableToken:
    """The same, as what ``token unblock`` needs; MisuseError for a token that has another way."""
    kind = uri.partition(":")[0]
    if kind in _OTHER_WAYS:
        raise MisuseError(f"{kind} tokens have no PUK", hint=_OTHER_WAYS[kind])
    token: Any = open_new_token(uri, edges)  # a PIV card: there are no other kinds
    blocked: UnblockableToken = token
    return blocked


def _pkcs11(uri: str, rest: str, edges: TokenEdges) -> NewToken:
    del edges
    path, _, query = rest.partition("?")
    attributes = _attributes(uri, path, ";", {"token", "serial"}) | _attributes(uri, query, "&", {"module-path"})
    if "module-path" not in attributes:
        raise MalformedError("--token", uri, "needs ?module-path=, the PKCS#11 module's file")
    if not attributes.keys() & {"token", "serial"}:
        raise MalformedError("--token", uri, "needs token= or serial=")
    hsm = _backend("hsm", "hsm")
    name = hsm.TokenName(attributes["module-path"], attributes.get("token"), attributes.get("serial"))
    token: NewToken = hsm.Pkcs11Token(name)
    return token


def _piv(uri: str, rest: str, edges: TokenEdges) -> NewToken:
    serial = _attributes(uri, rest, ";", {"serial"}).get("serial")
    if serial is not None and not re.fullmatch(r"[0-9]{1,10}", serial):
        raise MalformedError("--token", uri, "serial= must be the number printed on the card")
    piv = _backend("piv", "piv")
    token: NewToken = piv.PivToken(
        int(serial) if serial else None,
        edges.cards or piv.PcscCards(),
        management_key=edges.ask_secret,
        waiting=edges.waiting,
    )
    return token


def _development(uri: str, rest: str, edges: TokenEdges) -> NewToken:
    del edges
    if not rest:
        raise MalformedError("--token", uri, "needs a file: development:FILE")
    return DevelopmentToken(Path(rest))


def _attributes(uri: str, text: str, separator: str, known: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name in {"pin-value", "pin-source"}:
            raise MalformedError("--token", name, "no PIN in an argument: it is asked for")
        if not equals or name not in known or name in found:
            raise MalformedError("--token", f"{uri}: {part}", f"known here, once each: {', '.join(sorted(known))}")
        found[name] = _percent_decoded(uri, value)
    return found


def _percent_decoded(uri: str, text: str) -> str:
    """RFC 3986 section 2.1; urllib is out of bounds here, since nothing inside may open a connection."""
    try:
        return re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode()).decode()
    except UnicodeError as error:
        raise MalformedError("--token", uri, "must be UTF-8, also behind the percent signs") from error


def _backend(module: str, extra: str) -> Any:
    """The libraries behind a token kind are extras: a machine that has no HSM needs no HSM library."""
    try:
        return importlib.import_module(f"enigm_tuf.authorities.tokens.{module}")
    except ImportError as error:
        raise MisuseError(f"this kind of token needs {error.name}", hint=f"pip install 'enigm-tuf[{extra}]'") from error


def list_module(module: str) -> tuple[TokenIdentity, ...]:
    """The initialised tokens of a PKCS#11 module."""
    identities: tuple[TokenIdentity, ...] = _backend("hsm", "hsm").list_tokens(module)
    return identities


def list_cards(edges: TokenEdges) -> tuple[TokenIdentity, ...]:
    """The PIV cards in the readers."""
    piv = _backend("piv", "piv")
    cards = edges.cards or piv.PcscCards()
    return tuple(piv.PivToken(serial, cards).identity() for serial in cards.serials())
