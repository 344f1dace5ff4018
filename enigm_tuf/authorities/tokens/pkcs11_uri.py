"""``pkcs11:`` URIs (RFC 7512): which module, which token, and perhaps which key.

``pkcs11:token=rel-a;object=root?module-path=/usr/lib/softhsm/libsofthsm2.so``. PINs have no place in a name:
``pin-value`` and ``pin-source`` are refused.
"""

import re
from dataclasses import dataclass

from enigm_tuf.errors import MalformedError

_TOKEN = {"token": "label", "serial": "serial", "manufacturer": "manufacturer", "model": "model"}
_KEY = {"object", "id"}
"""RFC 7512's names; those of the token with the fields of TokenIdentity."""


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """``wanted``: what the token must say of itself. ``key``: a label, ``id=HEX``, or None."""

    module: str
    wanted: dict[str, str]
    key: str | None


def read_pkcs11_uri(uri: str) -> Pkcs11Uri:
    """MalformedError naming the part that is wrong."""
    path, _, query = uri.removeprefix("pkcs11:").partition("?")
    named = uri_parts(uri, path, ";", {*_TOKEN, *_KEY})
    module = uri_parts(uri, query, "&", {"module-path"}).get("module-path")
    if module is None:
        raise MalformedError("--token", uri, "needs ?module-path=, the PKCS#11 module's file")
    if not named.keys() & {"token", "serial"}:
        raise MalformedError("--token", uri, "needs token= or serial=")
    if named.keys() >= _KEY:
        raise MalformedError("--token", uri, "object= or id=, not both")
    wanted = {_TOKEN[name]: _text(uri, value) for name, value in named.items() if name in _TOKEN}
    key = _text(uri, named["object"]) if "object" in named else None
    return Pkcs11Uri(_text(uri, module), wanted, f"id={named['id'].hex()}" if "id" in named else key)


def uri_parts(uri: str, text: str, separator: str, known: set[str]) -> dict[str, bytes]:
    """``name=value`` parts, each known and there once, values percent-decoded; MalformedError."""
    found: dict[str, bytes] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name in {"pin-value", "pin-source"}:
            raise MalformedError("--token", name, "no PIN in an argument: it is asked for")
        if not equals or name not in known or name in found:
            raise MalformedError("--token", f"{uri}: {part}", f"known here, once each: {', '.join(sorted(known))}")
        found[name] = _percent_decoded(value)
    return found


def _percent_decoded(text: str) -> bytes:
    """RFC 3986 section 2.1; urllib is out of bounds here, since nothing inside may open a connection."""
    encoded = text.encode(errors="surrogateescape")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found[1].decode()), encoded)


def _text(uri: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeError as error:
        raise MalformedError("--token", uri, "must be UTF-8, also behind the percent signs") from error
