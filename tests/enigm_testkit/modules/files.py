"""Tokens without hardware: the development key file, and the one in memory that tests break."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from enigm_testkit.fake_token import FakeToken
from enigm_testkit.modules import Target
from enigm_tuf.authorities.tokens.development import DevelopmentToken

_PIN = "12345678"


@contextlib.contextmanager
def development(folder: Path) -> Iterator[Target]:
    """Holds a key from the start, so that there is something that a wrong PIN does not open."""
    token = DevelopmentToken(folder / "dev.json")
    token.initialise()
    with token.session(lambda _: _PIN) as session:
        session.generate("first", "ecdsa-p256")
    yield Target("key file", lambda: DevelopmentToken(folder / "dev.json"), _PIN)


@contextlib.contextmanager
def fake(_: Path) -> Iterator[Target]:
    """``enigm_testkit.fake_token``."""
    token = FakeToken("fake", _PIN)
    yield Target("FakeToken", lambda: token, _PIN, signatures=lambda: token.signatures)
