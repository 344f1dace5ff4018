"""Whether what an anchor found is a private key, and which public key it belongs to."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.leaks import jwk, pgp
from enigm_tuf_repository.leaks.der_length import der_object

WINDOW = 64 * 2**10  # bytes: more than any private key in any of these forms
_SHORT = 24  # bytes
_SHORTEST_WRAP = 13 + 16 + 32  # bytes: nonce, tag, and the smallest key
_PEM_END = re.compile(rb"-----END [A-Z0-9 ]{0,40}-----|---- END [A-Z0-9 ]{0,40} ----")
_PEM_LABEL = re.compile(rb"-+ ?(?:BEGIN )([A-Z0-9 ]*[A-Z0-9]).*", re.DOTALL)
_LINE_BREAK = re.compile(rb"\\r\\n|\\n|\\r|\r\n|\r")  # as it is in a text, and as JSON and shells escape it
_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/=\s]{32}")
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/]+(?:(?:\s|\\n|\\r)+[A-Za-z0-9+/]+)*={0,2}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A private key in ``length`` bytes. ``spki_sha256`` is its public key's, None where a password hides it."""

    kind: str
    length: int
    digest: str
    spki_sha256: str | None

    @property
    def names(self) -> set[str]:
        """By what it may be known again: its bytes, and its public key."""
        return {self.digest, self.spki_sha256} if self.spki_sha256 else {self.digest}


def candidate(kind: str, window: bytes) -> Candidate | None:
    """What begins at the start of ``window`` (at most WINDOW bytes); None if it is no key after all."""
    return _CHECKS[kind](window)


def _pem(window: bytes) -> Candidate | None:
    end = _PEM_END.search(window)
    text = _LINE_BREAK.sub(b"\n", window[: end.end() if end else len(window)])
    first, _, body = text.partition(b"\n")
    if not _BASE64_TEXT.search(body):
        return None  # the words in a library or in a text about keys
    length, label = end.end() if end else len(text), _PEM_LABEL.sub(rb"\1", first[:80]).decode("ascii", "replace")
    if b"PGP" in first:
        return _named(f"PEM {label}", window[:length], pgp.spki_of_armour(body))
    public = _loaded(lambda: load_pem_private_key(text, None)) or _loaded(lambda: load_ssh_private_key(text, None))
    return _named(f"PEM {label}", window[:length], public or _openssh_public(_decoded(body)))


def _der(name: str) -> Callable[[bytes], Candidate | None]:
    """A DER object that is a key in the clear, or none."""

    def check(window: bytes) -> Candidate | None:
        data = der_object(window)
        public = _loaded(lambda: load_der_private_key(data, None)) if data else None
        return _named(name, data, public) if data and public else None

    return check


def _pkcs8_encrypted(window: bytes) -> Candidate | None:
    """EncryptedPrivateKeyInfo: an algorithm, then an OCTET STRING that ends where the object ends."""
    data = der_object(window)
    algorithm = der_object(data[_header(data) :]) if data else None
    if data is None or algorithm is None:
        return None
    rest = data[_header(data) + len(algorithm) :]
    return _named("PKCS#8, encrypted", data, None) if rest[:1] == b"\x04" and der_object(rest) == rest else None


def _pkcs12(window: bytes) -> Candidate | None:
    """With a password nobody can see whether a key is in it; without one that holds none it is no finding."""
    data = der_object(window)
    if data is None or b"\x2a\x86\x48\x86\xf7\x0d\x01\x07" not in data[:40]:
        return None
    for password in (None, b""):
        try:
            inside = load_pkcs12(data, password)
        except (ValueError, UnsupportedAlgorithm, TypeError):
            continue
        return _named("PKCS#12", data, _spki(inside.key)) if inside.key else None
    return _named("PKCS#12, with a password", data, None)


def _openssh(window: bytes) -> Candidate | None:
    if window[15:19] != b"\x00\x00\x00\x04" and window[15:17] != b"\x00\x00":
        return None
    armour = b"-----BEGIN OPENSSH PRIVATE KEY-----\n%b\n-----END OPENSSH PRIVATE KEY-----\n"
    public = _openssh_public(window) or _loaded(lambda: load_ssh_private_key(armour % base64.b64encode(window), None))
    return _short("OpenSSH", window, public) if public else None


def _openssh_public(data: bytes) -> str | None:
    """SPKI digest of the public key that stands in the clear before the private one, whatever the cipher."""
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    fields, place = [], 15
    for _ in range(3):  # cipher, kdf and its options
        size = int.from_bytes(data[place : place + 4], "big")
        fields.append(data[place + 4 : place + 4 + size])
        place += 4 + size
    size = int.from_bytes(data[place + 4 : place + 8], "big")
    blob = data[place + 8 : place + 8 + size]
    kind = blob[4 : 4 + int.from_bytes(blob[:4], "big")]
    if not data.startswith(b"openssh-key-v1\x00") or not kind.isascii() or len(blob) != size:
        return None
    try:
        public = load_ssh_public_key(kind + b" " + base64.b64encode(blob))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _base64(window: bytes) -> Candidate | None:
    """A key in DER, or OpenSSH's, as text without its armour."""
    run = _BASE64_RUN.match(window)
    data = _decoded(run.group()) if run else b""
    public = _loaded(lambda: load_der_private_key(der_object(data) or b"", None)) or _openssh_public(data)
    return _named("base64 of a key", run.group(), public) if run and public else None


def _putty(window: bytes) -> Candidate | None:
    return _short("PuTTY", window, None) if b"Private-Lines: " in window else None


def _java(window: bytes) -> Candidate | None:
    """A key store of Java. Its first entry says whether it is a key (1, 3) or only a certificate (2)."""
    is_key = int.from_bytes(window[8:12], "big") > 0 and window[12:16] in {b"\0\0\0\1", b"\0\0\0\3"}
    return _short("Java key store", window, None) if is_key else None


def _softhsm(window: bytes) -> Candidate | None:
    kind = "private" if window[23] == 3 else "secret"
    return _short(f"SoftHSM {kind} key object", window, None)


def _pgp(window: bytes) -> Candidate | None:
    found = pgp.secret_packet(window)
    return Candidate("PGP secret key", found[0], sha256(window[: found[0]]), found[1]) if found else None


def _jwk(window: bytes) -> Candidate | None:
    del window
    return None  # found by ``around``: the object begins before its anchor


def around(kind: str, before: bytes, window: bytes) -> tuple[int, Candidate] | None:
    """For forms that begin before their anchor: how far before, and what it is."""
    if kind != "jwk":
        return None
    for start in [at for at in range(len(before)) if before[at : at + 1] == b"{"][::-1]:
        text = (before[start:] + window).decode("latin-1")
        try:
            value, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            continue
        if end > len(before) - start and jwk.is_private(value):
            digest = sha256(json.dumps(value, sort_keys=True).encode())
            return len(before) - start, Candidate("JWK", end, digest, jwk.spki_sha256(value))
        if end > len(before) - start:
            return None
    return None


def yubihsm_wrap(data: bytes) -> Candidate | None:
    """A dump of yubihsm-setup: a nonce, the wrapped object and its tag, in base64."""
    text = data.strip()
    whole = _BASE64_RUN.fullmatch(text) and len(_decoded(text)) >= _SHORTEST_WRAP
    return _named("YubiHSM wrap", data, None) if whole else None


def _named(kind: str, data: bytes, spki_sha256: str | None) -> Candidate:
    return Candidate(kind, len(data), sha256(data), spki_sha256)


def _short(kind: str, window: bytes, spki_sha256: str | None) -> Candidate:
    """Of a form that does not say where it ends: nothing behind its first bytes is hidden by it."""
    return Candidate(kind, _SHORT, sha256(window), spki_sha256)


def _loaded(load: Callable[[], Any]) -> str | None:
    """SPKI digest of what ``load`` gives; None where it gives nothing."""
    try:
        return _spki(load())
    except (ValueError, TypeError, UnsupportedAlgorithm, AttributeError):
        return None


def _spki(key: Any) -> str:
    key = getattr(key, "key", key)
    return sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _decoded(text: bytes) -> bytes:
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", re.sub(rb"\\[nr]", b"", text))
    kept = kept[:-1] if len(kept) % 4 == 1 else kept  # no base64 is as long: the last one belongs to what follows
    return base64.b64decode(kept + b"=" * (-len(kept) % 4))


def _header(data: bytes) -> int:
    return 2 if data[1] < 0x80 else 2 + (data[1] & 0x7F)


_CHECKS: Mapping[str, Callable[[bytes], Candidate | None]] = {
    "pem": _pem,
    "putty": _putty,
    "openssh": _openssh,
    "pkcs8": _der("PKCS#8"),
    "pkcs8-encrypted": _pkcs8_encrypted,
    "pkcs1": _der("PKCS#1"),
    "sec1": _der("SEC 1"),
    "pkcs12": _pkcs12,
    "pgp": _pgp,
    "jwk": _jwk,
    "java": _java,
    "softhsm": _softhsm,
    "base64": _base64,
}
