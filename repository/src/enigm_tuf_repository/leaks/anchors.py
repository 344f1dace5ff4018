"""What private keys begin with. One pass of Hyperscan says where to look, ``candidates`` whether it is a key."""

import threading
from collections.abc import Iterator
from functools import cache

import hyperscan

from enigm_tuf_repository.leaks.embedded import BEGINNINGS
from enigm_tuf_repository.leaks.images import IMAGE_BEGINNINGS

_HEADERS = (rb"\x30\x80", rb"\x30\x81.", rb"\x30\x82..", rb"\x30[\x10-\x7f]")
"""Of a SEQUENCE. An expression for each: of several that end at one byte, Hyperscan tells only the longest."""


def _der(kind: str, rest: bytes) -> Iterator[tuple[str, bytes]]:
    return ((kind, header + rest) for header in _HEADERS)


def _pgp(*headers: bytes) -> Iterator[tuple[str, bytes]]:
    """A packet's header, version 4, a time, an algorithm."""
    return (("pgp", header + rb"\x04....[\x01-\x03\x10-\x13\x16\x19\x1b]") for header in headers)


ANCHORS: tuple[tuple[str, bytes], ...] = (
    ("pem", rb"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY( BLOCK)?-----"),
    ("pem", rb"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----"),
    ("putty", rb"PuTTY-User-Key-File-[23]: "),
    ("openssh", rb"openssh-key-v1\x00"),
    *_der("pkcs8", rb"\x02\x01[\x00\x01]\x30[\x03-\x50]\x06"),
    *_der("pkcs8-encrypted", rb"\x30[\x10-\x7f]\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"),
    *_der("pkcs8-encrypted", rb"\x30[\x10-\x7f]\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c"),
    ("pkcs1", rb"\x30\x82..\x02\x01\x00\x02(\x81.|\x82..|[\x40-\x7f])"),
    *_der("sec1", rb"\x02\x01\x01\x04[\x14-\x42]"),
    *_der("pkcs12", rb"\x02\x01\x03\x30"),
    *_pgp(
        rb"[\x94\x9c].", rb"[\x95\x9d]..", rb"[\x96\x9e]....", rb"[\xc5\xc7].", rb"[\xc5\xc7]..", rb"[\xc5\xc7]\xff...."
    ),
    ("jwk", rb'"kty"\s{0,20}:\s{0,20}"(RSA|EC|OKP|oct)"'),
    ("java", rb"(\xfe\xed\xfe\xed|\xce\xce\xce\xce)\x00\x00\x00[\x01\x02]\x00\x00"),
    ("softhsm", rb"\x00{15}\x02\x00{7}[\x03\x04]\x00{7}\x01\x00{7}\x01[\x00\x01\xff]"),
    (
        "base64",
        rb"(MIGHAgEAMBMG|MIG2AgEAMBAG|MIHuAgEAMBAG|MC4CAQAwBQYDK2V|MFECAQEwBQYDK2V|MHcCAQEEI|MIGkAgEBBD|MIHcAgEBBE)",
    ),
    ("base64", rb"MII[A-Za-z0-9+/]{3}(IBADANBgkqhkiG9w0BAQEF|IBAAKC[AQ])"),
    ("base64", rb"b3BlbnNzaC1rZXktdjEA"),
    *BEGINNINGS,
    *IMAGE_BEGINNINGS,
)
"""Kind, and the expression that finds where a key, or something packed, begins. Each matches at most LONGEST bytes."""
LONGEST = 128
_local = threading.local()


@cache
def _database() -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[expression for _, expression in ANCHORS],
        ids=list(range(len(ANCHORS))),
        elements=len(ANCHORS),
        flags=[hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_SOM_LEFTMOST] * len(ANCHORS),
    )
    return database


def anchors_in(data: memoryview) -> Iterator[tuple[int, str]]:
    """Where in ``data`` something begins that may be a key, and of which kind. Safe in several threads at once."""
    if not hasattr(_local, "scratch"):
        _local.scratch = hyperscan.Scratch(_database())
    found: set[tuple[int, str]] = set()

    def note(index: int, start: int, end: int, flags: int, context: object) -> None:
        del end, flags, context
        found.add((start, ANCHORS[index][0]))

    _database().scan(data, match_event_handler=note, scratch=_local.scratch)  # type: ignore[type-var] # any buffer does
    yield from sorted(found)
