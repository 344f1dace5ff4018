"""What a token itself keeps of the rules on copies: on real SoftHSM, past our own layer."""

from collections.abc import Iterator
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.constants import DEFAULT

from enigm_testkit.softhsm import MODULE, SO_PIN, SoftHsm
from enigm_tuf.authorities.tokens.hsm.backup_token import BackupToken, Wrapped
from enigm_tuf.authorities.tokens.hsm.token import TokenName
from enigm_tuf.authorities.tokens.hsm.wrapping_attributes import (
    MADE,
    WRAPPING,
    require_wrapping_attributes,
    use_of,
)
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.wrapping import Use
from enigm_tuf.ports import Algorithm, TokenKey
from enigm_tuf.trust.signable import proof_of_possession

KEK = "5f" * 16
PAD = Mechanism.AES_KEY_WRAP_PAD
MESSAGE = proof_of_possession(b"c" * 32)
PINS = {"home": "1234", "spare": "4321"}


def pin(token: str) -> str:
    return PINS["spare" if "spare" in token else "home"]


@pytest.fixture
def tokens(softhsm: SoftHsm) -> dict[str, BackupToken]:
    """Two tokens that have agreed on a wrapping key."""
    for label, secret in PINS.items():
        softhsm.token(label, secret)
    made = {label: BackupToken(TokenName(MODULE, {"label": label})) for label in PINS}
    with made["home"].officer(lambda _: SO_PIN) as home, made["spare"].officer(lambda _: SO_PIN) as spare:
        points = home.offer(KEK, "kek"), spare.offer(KEK, "kek")
        home.agree(points[1], KEK, "kek", "wrap", "AES_KEY_WRAP_PAD")
        spare.agree(points[0], KEK, "kek", "unwrap", "AES_KEY_WRAP_PAD")
    return made


def wrapped(tokens: dict[str, BackupToken], algorithm: Algorithm = "ecdsa-p256") -> tuple[TokenKey, Wrapped]:
    with tokens["home"].backup_session(pin) as session:
        key = session.generate("pay", algorithm, "wrapped-backup")
        assert session.sign("pay", MESSAGE)
        return key, session.wrap("pay", KEK, "AES_KEY_WRAP_PAD")


@pytest.fixture
def below() -> Iterator[dict[str, Any]]:
    """Sessions past our layer, as who has the PINs could open them."""
    opened = {
        label: pkcs11.lib(MODULE).get_token(token_label=label).open(rw=True, user_pin=pin(label)) for label in PINS
    }
    yield opened
    for session in opened.values():
        session.close()


def wrapping(session: Any) -> Any:
    return session.get_key(object_class=ObjectClass.SECRET_KEY, label="kek")


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "rsa-pss-3072"])
def test_a_key_comes_back_and_its_signatures_are_the_old_key_s(
    tokens: dict[str, BackupToken], algorithm: Algorithm
) -> None:
    key, copy = wrapped(tokens, algorithm)
    with tokens["spare"].backup_session(pin) as session:
        session.prove(copy, key.spki, MESSAGE)
        assert [item.kind for item in session.objects()] == ["secret-key"]
        assert session.restore(copy, key.spki, "back").spki == key.spki
        assert session.sign("back", MESSAGE)
        assert [found.label for found in session.keys()] == ["back"]


def test_an_ed25519_key_is_not_wrapped_by_softhsm_and_that_is_said(tokens: dict[str, BackupToken]) -> None:
    with tokens["home"].backup_session(pin) as session:
        session.generate("ed", "ed25519", "wrapped-backup")
        with pytest.raises(MisuseError, match="does not wrap key ed") as caught:
            session.wrap("ed", KEK, "AES_KEY_WRAP_PAD")
    assert "few modules wrap Ed25519 keys" in caught.value.hint


def test_a_key_that_never_leaves_is_not_wrapped_even_if_our_layer_asks(tokens: dict[str, BackupToken]) -> None:
    with tokens["home"].backup_session(pin) as session:
        session.generate("stays", "ecdsa-p256")
        with pytest.raises(MisuseError, match="KeyUnextractable"):
            session.wrap("stays", KEK, "AES_KEY_WRAP_PAD")


def test_no_other_key_of_the_token_wraps_it(tokens: dict[str, BackupToken], below: dict[str, Any]) -> None:
    """CKA_WRAP_WITH_TRUSTED: a wrapping key that the custodian made alone is not TRUSTED, and never will be."""
    wrapped(tokens)
    home = below["home"]
    private = home.get_key(object_class=ObjectClass.PRIVATE_KEY, label="pay")
    own: Any = home.generate_key(KeyType.AES, 256, store=False)
    with pytest.raises(pkcs11.exceptions.KeyNotWrappable):
        own.wrap_key(private, mechanism=PAD)
    with pytest.raises(pkcs11.exceptions.AttributeReadOnly):
        home.generate_key(KeyType.AES, 256, store=False, template={Attribute.TRUSTED: True})
    with pytest.raises(pkcs11.exceptions.AttributeReadOnly):
        own[Attribute.TRUSTED] = True


@pytest.mark.parametrize("weaker", [Attribute.SENSITIVE, Attribute.WRAP_WITH_TRUSTED, Attribute.PRIVATE])
def test_who_has_the_spare_its_pin_and_the_file_still_cannot_read_the_key(
    tokens: dict[str, BackupToken], below: dict[str, Any], weaker: Attribute
) -> None:
    """CKA_UNWRAP_TEMPLATE."""
    _, copy = wrapped(tokens)
    left_out = dict.fromkeys((Attribute.ENCRYPT, Attribute.WRAP, Attribute.VERIFY), DEFAULT)
    must = dict.fromkeys((Attribute.PRIVATE, Attribute.SENSITIVE, Attribute.WRAP_WITH_TRUSTED), True)
    kinds = (ObjectClass.PRIVATE_KEY, KeyType.EC)
    asked = {"mechanism": PAD, "store": False}
    kek = wrapping(below["spare"])
    kek.unwrap_key(*kinds, copy.blob, **asked, template=left_out | must).destroy()
    with pytest.raises(pkcs11.exceptions.TemplateInconsistent):
        kek.unwrap_key(*kinds, copy.blob, **asked, template=left_out | must | {weaker: False})


def test_the_wrapping_key_has_one_use_on_each_token_and_cannot_be_read(
    tokens: dict[str, BackupToken], below: dict[str, Any]
) -> None:
    _, copy = wrapped(tokens)
    home, spare = wrapping(below["home"]), wrapping(below["spare"])
    assert not hasattr(home, "unwrap_key")
    assert not hasattr(spare, "wrap_key")
    for kek in (home, spare):
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            kek[Attribute.VALUE]
        with pytest.raises(pkcs11.exceptions.PKCS11Error, match="0x1b"):  # CKR_ACTION_PROHIBITED
            kek[Attribute.DECRYPT] = True
    with tokens["home"].backup_session(pin) as session, pytest.raises(MisuseError, match="may not unwrap there"):
        session.prove(copy, session.keys()[0].spki, MESSAGE)


GOOD: dict[str, bool | str] = {**WRAPPING, **MADE, "allowed_mechanisms": "AES_KEY_WRAP_PAD"}


@pytest.mark.parametrize("use", ["wrap", "unwrap"])
def test_a_wrapping_key_as_it_must_be_passes(use: Use) -> None:
    require_wrapping_attributes(GOOD | use_of(use), use, "AES_KEY_WRAP_PAD", "kek")
    unreadable = {"allowed_mechanisms": "unreadable"}
    require_wrapping_attributes(GOOD | use_of(use) | unreadable, use, "AES_KEY_WRAP_PAD", "kek")


@pytest.mark.rule("TOKEN-WRAPPING", "reject")
@pytest.mark.parametrize("name", [*WRAPPING, *MADE, "wrap", "unwrap", "allowed_mechanisms"])
def test_a_wrapping_key_with_one_attribute_otherwise_is_refused(name: str) -> None:
    attributes = GOOD | use_of("wrap")
    now = attributes[name]
    attributes[name] = not now if isinstance(now, bool) else "AES_KEY_WRAP_PAD AES_ECB"
    with pytest.raises(RefusedError, match=f"TOKEN-WRAPPING: kek, CKA_{name.upper()}"):
        require_wrapping_attributes(attributes, "wrap", "AES_KEY_WRAP_PAD", "kek")


def test_an_attribute_that_the_token_does_not_tell_is_no_good_attribute() -> None:
    with pytest.raises(RefusedError, match="got unreadable"):
        require_wrapping_attributes(GOOD | use_of("wrap") | {"decrypt": "unreadable"}, "wrap", "AES_KEY_WRAP_PAD", "k")
