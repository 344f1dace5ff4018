"""Where a file is: base URLs and relative paths, read strictly (RFC 3986). No I/O."""

from __future__ import annotations

from enigm_tuf.errors import MisuseError

_PORTS = {"http": 80, "https": 443}
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
_HEX = frozenset("0123456789abcdefABCDEF:.")


class Address:
    """A server and the path on it. ``host`` is without brackets; ``path`` is empty, or starts but never ends with /."""

    __slots__ = ("authority", "host", "path", "port", "secure")

    def __init__(self, url: str) -> None:
        """``http`` or ``https``, host, port, path, as they are written; MisuseError for anything else."""
        scheme, colon, rest = url.partition("://")
        if not colon or scheme.lower() not in _PORTS:
            raise MisuseError(f"{url}: not an http or https URL")
        _require_printable(rest, url)
        authority, slash, path = rest.partition("/")
        if "@" in authority:
            raise MisuseError("a URL with a user name or password in it is refused", hint="use a client certificate")
        self.secure = scheme.lower() == "https"
        default = _PORTS[scheme.lower()]
        self.host, self.port = _host_and_port(authority, default, url)
        name = f"[{self.host}]" if ":" in self.host else self.host
        self.authority = name if self.port == default else f"{name}:{self.port}"
        self.path = (slash + path).rstrip("/")

    @property
    def origin(self) -> str:
        """``scheme://host:port``, the port only where it is not the scheme's own."""
        return f"{'https' if self.secure else 'http'}://{self.authority}"


def require_inside(path: str) -> None:
    """Refuse (MisuseError) a relative path that is empty, absolute, or steps out with ``.`` or ``..``."""
    if not path or path.startswith("/") or "\0" in path or not {".", ".."}.isdisjoint(path.split("/")):
        raise MisuseError(f"{path!r}: not a path below the repository")


def require_sendable(path: str) -> None:
    """A relative path that goes into a request line exactly as it is given; MisuseError."""
    require_inside(path)
    _require_printable(path, path)


def require_range(path: str, start: int, stop: int) -> None:
    """Bytes ``start`` to ``stop`` (excluded), perhaps none; MisuseError."""
    if not 0 <= start <= stop:
        raise MisuseError(f"{path}: there are no bytes {start} to {stop}")


def _require_printable(text: str, shown: str) -> None:
    """ASCII without space, control, query, fragment or backslash: nothing here is ever encoded for the caller."""
    if not all("!" <= letter <= "~" and letter not in "?#\\" for letter in text):
        raise MisuseError(f"{shown!r}: has a character that must be percent-encoded, or a query or fragment")


def _host_and_port(authority: str, default: int, url: str) -> tuple[str, int]:
    if authority.startswith("["):
        host, bracket, rest = authority[1:].partition("]")
        good = bracket and ":" in host and _HEX.issuperset(host)
    else:
        host, colon, port = authority.partition(":")
        rest = colon + port
        good = _NAME.issuperset(host) and all(0 < len(label) < 64 for label in host.split("."))
    if not good or len(host) > 253:
        raise MisuseError(f"{url}: not a host name or address")
    return host, _port(rest, default, url)


def _port(rest: str, default: int, url: str) -> int:
    if not rest:
        return default
    digits = rest[1:]
    if rest[0] != ":" or not digits.isdigit() or len(digits) > 5 or not 0 < int(digits) < 65536:
        raise MisuseError(f"{url}: not a port")
    return int(digits)
