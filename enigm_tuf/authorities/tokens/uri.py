"""How a token is named: ``pkcs11:`` (RFC 7512), ``piv:serial=N``, ``development:FILE``.

PINs have no place in a name.
"""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from enigm_tuf.authorities.tokens.development import DevelopmentToken
from enigm_tuf.authorities.tokens.piv_touch import Waiting
from enigm_tuf.authorities.tokens.pkcs11_uri import Pkcs11Uri, read_pkcs11_uri, uri_parts
from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.model.value import Protocol
from enigm_tuf.ports import Token, TokenIdentity

if TYPE_CHECKING:
    from enigm_tuf.authorities.tokens.hsm.backup_token import BackupToken
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


def open_token(uri: str, edges: TokenEdges) -> Token:
    """The token that ``uri`` names; nothing is contacted yet. MalformedError, MisuseError."""
    return open_new_token(uri, edges)


def open_new_token(uri: str, edges: TokenEdges) -> NewToken:
    """The same, as what ``token init`` needs."""
    scheme = uri.partition(":")[0]
    openers: dict[str, Callable[[str, TokenEdges], NewToken]] = {
        "pkcs11": _pkcs11,
        "piv": _piv,
        "development": _development,
    }
    if scheme not in openers:
        raise MalformedError("--token", uri[:60], f"must be such as {_EXAMPLE}")
    return openers[scheme](uri, edges)


def open_blocked_token(uri: str, edges: TokenEdges) -> UnblockableToken:
    """The same, as what ``token unblock`` needs; MisuseError for a key file, whose PIN encrypts its keys."""
    token: Any = open_new_token(uri, edges)
    if isinstance(token, DevelopmentToken):
        raise MisuseError("a key file has no PUK", hint="its PIN is the passphrase of its keys: make a new file")
    blocked: UnblockableToken = token
    return blocked


def open_backup_token(uri: str, edges: TokenEdges) -> "BackupToken":
    """The same, as what backups need; MisuseError for a card or a key file: nothing of theirs is ever copied."""
    del edges
    if not uri.startswith("pkcs11:"):
        raise MisuseError(f"{uri[:60]}: keys with wrapped copies live behind PKCS#11", hint="pkcs11:token=LABEL?...")
    name = read_pkcs11_uri(uri)
    token: BackupToken = _backend("hsm.backup_token", "hsm").BackupToken(_token_name(name))
    return token


def _pkcs11(uri: str, edges: TokenEdges) -> NewToken:
    del edges
    token: NewToken = _backend("hsm.token", "hsm").Pkcs11Token(_token_name(read_pkcs11_uri(uri)))
    return token


def _token_name(name: Pkcs11Uri) -> Any:
    return _backend("hsm.token", "hsm").TokenName(name.module, name.wanted)


def _piv(uri: str, edges: TokenEdges) -> NewToken:
    serial = uri_parts(uri, uri.removeprefix("piv:"), ";", {"serial"}).get("serial")
    if serial is not None and not re.fullmatch(rb"[0-9]{1,10}", serial):
        raise MalformedError("--token", uri, "serial= must be the number printed on the card")
    piv = _backend("piv", "piv")
    token: NewToken = piv.PivToken(
        int(serial) if serial else None,
        edges.cards or piv.PcscCards(),
        management_key=edges.ask_secret,
        waiting=edges.waiting,
    )
    return token


def _development(uri: str, edges: TokenEdges) -> NewToken:
    del edges
    file = uri.removeprefix("development:")
    if not file:
        raise MalformedError("--token", uri, "needs a file: development:FILE")
    return DevelopmentToken(Path(file))


def key_in(uri: str) -> str | None:
    """The key that the name itself names, if it does (RFC 7512 ``object``, ``id``)."""
    return read_pkcs11_uri(uri).key if uri.startswith("pkcs11:") else None


def _backend(module: str, extra: str) -> Any:
    """The libraries behind a token kind are extras: a machine that has no HSM needs no HSM library."""
    try:
        return importlib.import_module(f"enigm_tuf.authorities.tokens.{module}")
    except ImportError as error:
        raise MisuseError(f"this kind of token needs {error.name}", hint=f"pip install 'enigm-tuf[{extra}]'") from error


def list_module(module: str) -> tuple[TokenIdentity, ...]:
    """The initialised tokens of a PKCS#11 module."""
    identities: tuple[TokenIdentity, ...] = _backend("hsm.token", "hsm").list_tokens(module)
    return identities


def list_cards(edges: TokenEdges) -> tuple[TokenIdentity, ...]:
    """The PIV cards in the readers."""
    piv = _backend("piv", "piv")
    cards = edges.cards or piv.PcscCards()
    return tuple(piv.PivToken(serial, cards).identity() for serial in cards.serials())
