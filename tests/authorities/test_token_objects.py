"""What lies on a token, and destroying a key: every kind of token."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from enigm_testkit.fake_token import FakeToken
from enigm_testkit.house import MANAGEMENT_KEY, PIN
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_testkit.softhsm import MODULE, SoftHsm
from enigm_tuf.authorities.tokens.development import DevelopmentToken
from enigm_tuf.authorities.tokens.uri import TokenEdges, open_new_token
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import Token

SLOT = {"piv": "9c"}


def _fake(folder: Path) -> Token:
    return FakeToken(folder.name, PIN)


def _development(folder: Path) -> Token:
    token = DevelopmentToken(folder / "dev.json")
    token.initialise()
    return token


def _softhsm(folder: Path) -> Token:
    SoftHsm(folder / "softhsm").token("objects", PIN)
    return open_new_token(f"pkcs11:token=objects?module-path={MODULE}", _edges(PIN))


def _piv(_: Path) -> Token:
    card = VirtualPivCard(7)
    token = open_new_token("piv:serial=7", _edges(MANAGEMENT_KEY, InProcessCards(card)))
    token.initialise(PIN, "97531024", MANAGEMENT_KEY)
    return token


def _edges(secret: str, cards: InProcessCards | None = None) -> TokenEdges:
    return TokenEdges(lambda _: secret, lambda _text, _seconds: nullcontext(), cards)


MAKERS: dict[str, Callable[[Path], Token]] = {
    "fake": _fake,
    "development": _development,
    "softhsm": _softhsm,
    "piv": _piv,
}


@pytest.fixture(params=sorted(MAKERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_new_key_is_seen_and_gone_when_destroyed(kind: str, tmp_path: Path) -> None:
    label = SLOT.get(kind, "root")
    with MAKERS[kind](tmp_path).session(lambda _: PIN) as session:
        assert session.objects() == ()
        key = session.generate(label, "ecdsa-p384")
        privates = [item for item in session.objects() if item.kind == "private-key"]
        assert [(item.label, item.attributes) for item in privates] == [(label, key.attributes)]
        assert sha256(key.spki) in {item.spki_sha256 for item in session.objects()}
        session.destroy(label)
        assert session.objects() == ()
        with pytest.raises(MisuseError):
            session.destroy(label)
