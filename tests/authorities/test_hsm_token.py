"""Keys behind PKCS#11, on real SoftHSM: each attribute of GOVERNANCE has its own refusal."""

from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import decode_ec_private_key, decode_ec_public_key

from enigm_testkit.hsm_desk import TEMPLATE, make_key
from enigm_testkit.softhsm import MODULE, SoftHsm
from enigm_tuf.authorities.tokens.hsm.attributes import BORN, COPIED, MADE, RESTORED, SET, require_attributes
from enigm_tuf.authorities.tokens.hsm.failures import guarded
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Token, TokenName, list_tokens
from enigm_tuf.authorities.tokens.hsm.vendors import STANDARD
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import MisuseError, NoTokenError, RefusedError, WrongPinError
from enigm_tuf.model.value import replace
from enigm_tuf.ports import Algorithm, TokenKey
from enigm_tuf.trust.signable import proof_of_possession

MESSAGE = proof_of_possession(b"c" * 32)


@pytest.fixture
def token(softhsm: SoftHsm) -> Pkcs11Token:
    softhsm.token("rel-a")
    return Pkcs11Token(TokenName(MODULE, {"label": "rel-a"}))


def pin(_: str) -> str:
    return "1234"


@pytest.mark.rule("TOKEN-ATTRIBUTES", "accept")
@pytest.mark.rule("SIGNATURE-SELF-CHECK", "accept")
@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-pss-3072", "rsa-pss-4096"])
def test_a_key_made_on_the_token_signs_and_anyone_can_verify(token: Pkcs11Token, algorithm: Algorithm) -> None:
    with token.session(pin) as session:
        key = session.generate("root-1", algorithm)
        signature = session.sign("root-1", MESSAGE)
    require_valid(key.spki, signature, MESSAGE.data, "root-1")
    assert {name: key.attributes[name] for name in (*SET, *MADE)} == {**SET, **MADE}
    assert key.algorithm == algorithm


@pytest.mark.rule("SIGNATURE-SELF-CHECK", "reject")
def test_a_signature_over_other_bytes_never_leaves(token: Pkcs11Token) -> None:
    with token.session(pin) as session:
        key = session.generate("root-1", "ecdsa-p256")
        signature = session.sign("root-1", MESSAGE)
    with pytest.raises(RefusedError, match="SIGNATURE-SELF-CHECK"):
        require_valid(key.spki, signature, MESSAGE.data + b"x", "root-1")


@pytest.mark.rule("TOKEN-ATTRIBUTES", "reject")
@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        *((attribute, not value) for attribute, value in TEMPLATE.items()),
        (Attribute.ALLOWED_MECHANISMS, "ECDSA ECDH1_DERIVE"),
    ],
    ids=str,
)
def test_a_key_with_one_attribute_otherwise_signs_nothing(
    token: Pkcs11Token, attribute: Attribute, value: object
) -> None:
    free = {Attribute.ALWAYS_AUTHENTICATE: False} if attribute is Attribute.PRIVATE else {}  # else SoftHSM makes none
    make_key("odd", free | {attribute: value}, pin(""))
    with token.session(pin) as session, pytest.raises(RefusedError) as caught:
        session.sign("odd", MESSAGE)
    assert caught.value.rule == "TOKEN-ATTRIBUTES"
    assert f"CKA_{attribute.name}" in str(caught.value)


COPY: dict[str, bool | str] = {**COPIED, **BORN, "allowed_mechanisms": "ECDSA"}


def test_a_key_that_may_have_copies_is_as_the_other_table_says(token: Pkcs11Token) -> None:
    with token.session(pin) as session:
        key = session.generate("copied", "ecdsa-p256", "wrapped-backup")
        assert session.sign("copied", MESSAGE)
    assert {name: key.attributes[name] for name in COPY} == COPY
    require_attributes(replace(key, attributes={**COPY, **RESTORED}), STANDARD)  # and where it was restored


@pytest.mark.parametrize("name", [*COPIED, *BORN, "allowed_mechanisms"])
def test_a_key_that_may_have_copies_and_has_one_attribute_otherwise_is_refused(name: str) -> None:
    value: bool | str = "ECDSA ECDH1_DERIVE" if name == "allowed_mechanisms" else not COPY[name]
    key = TokenKey("odd", "ecdsa-p256", b"", COPY | {name: value})
    with pytest.raises(RefusedError, match="TOKEN-ATTRIBUTES: key odd"):
        require_attributes(key, STANDARD)


def test_a_key_like_ours_that_was_made_beside_the_tool_signs(token: Pkcs11Token) -> None:
    """The negative tests above differ from this in one attribute."""
    make_key("even", {}, pin(""))
    with token.session(pin) as session:
        assert session.sign("even", MESSAGE)


def test_a_key_that_was_brought_in_signs_nothing(token: Pkcs11Token) -> None:
    """An imported key looks the same but for LOCAL, ALWAYS_SENSITIVE and NEVER_EXTRACTABLE."""
    import_key("brought")
    with token.session(pin) as session:
        (key,) = session.keys()
        assert {name for name, value in key.attributes.items() if value is False} >= {
            "local",
            "always_sensitive",
            "never_extractable",
        }
        with pytest.raises(RefusedError, match="TOKEN-ATTRIBUTES"):
            session.sign("brought", MESSAGE)


def import_key(label: str) -> None:
    """Put a key made outside on the token, with every attribute that can be set as it must be."""
    private = ec.generate_private_key(ec.SECP256R1())
    traditional = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    spki = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    session = pkcs11.lib(MODULE).get_token(token_label="rel-a").open(rw=True, user_pin="1234")
    shared = {Attribute.TOKEN: True, Attribute.LABEL: label, Attribute.ID: b"\x02"}
    session.create_object(decode_ec_private_key(traditional) | shared | TEMPLATE)
    session.create_object(
        decode_ec_public_key(spki) | shared | {Attribute.PRIVATE: False, Attribute.CLASS: ObjectClass.PUBLIC_KEY}
    )
    session.close()


def test_the_token_wants_the_pin_for_each_signature(token: Pkcs11Token) -> None:
    """CKA_ALWAYS_AUTHENTICATE, on the token's side: whoever finds the session open signs nothing."""
    with token.session(pin) as session:
        session.generate("root-1", "ecdsa-p256")
        assert session.sign("root-1", MESSAGE) != session.sign("root-1", MESSAGE)
    below = pkcs11.lib(MODULE).get_token(token_label="rel-a").open(rw=True, user_pin="1234")
    private: Any = below.get_key(label="root-1", object_class=ObjectClass.PRIVATE_KEY)
    with pytest.raises(pkcs11.exceptions.UserNotLoggedIn):
        private.sign(b"d" * 32, mechanism=Mechanism.ECDSA)
    with pytest.raises(pkcs11.exceptions.PinIncorrect):
        private.sign(b"d" * 32, mechanism=Mechanism.ECDSA, pin="9999")
    below.close()


def test_a_wrong_pin_at_that_login_is_called_so() -> None:
    with pytest.raises(WrongPinError, match="token rel-a: wrong PIN"), guarded(lambda: "rel-a"):
        raise pkcs11.exceptions.PinIncorrect


def test_the_private_key_cannot_be_read_wrapped_or_copied(token: Pkcs11Token) -> None:
    with token.session(pin) as session:
        session.generate("root-1", "ecdsa-p256")
    session_below = pkcs11.lib(MODULE).get_token(token_label="rel-a").open(rw=True, user_pin="1234")
    private = session_below.get_key(label="root-1", object_class=pkcs11.ObjectClass.PRIVATE_KEY)
    with pytest.raises(pkcs11.exceptions.AttributeSensitive):
        private[Attribute.VALUE]
    kek: Any = session_below.generate_key(KeyType.AES, 256, store=False)
    with pytest.raises(pkcs11.exceptions.KeyUnextractable):
        kek.wrap_key(private, mechanism=Mechanism.AES_KEY_WRAP)
    with pytest.raises(pkcs11.exceptions.PKCS11Error):
        private.copy({Attribute.LABEL: "copy"})
    session_below.close()


def test_a_label_serves_one_key(token: Pkcs11Token) -> None:
    with token.session(pin) as session:
        session.generate("root-1", "ecdsa-p256")
        with pytest.raises(MisuseError, match="already"):
            session.generate("root-1", "ecdsa-p256")


def test_a_missing_key_is_named_with_those_that_are_there(token: Pkcs11Token) -> None:
    with token.session(pin) as session:
        session.generate("root-1", "ecdsa-p256")
        with pytest.raises(MisuseError, match="no key root-2; it has: root-1"):
            session.sign("root-2", MESSAGE)


def test_a_wrong_pin_says_so_and_the_right_one_still_works(token: Pkcs11Token) -> None:
    with pytest.raises(WrongPinError, match="rel-a"), token.session(lambda _: "9999"):
        pytest.fail("logged in with a wrong PIN")
    with token.session(pin) as session:
        assert session.keys() == ()


def test_a_missing_token_is_named_with_those_that_are_there(token: Pkcs11Token) -> None:
    assert token.identity().label == "rel-a"
    with pytest.raises(NoTokenError, match="rel-b: no such token; there are: rel-a"):
        Pkcs11Token(TokenName(MODULE, {"label": "rel-b"})).identity()


def test_a_module_that_is_none_is_named() -> None:
    with pytest.raises(NoTokenError, match="/dev/null: not a PKCS#11 module"):
        list_tokens("/dev/null")


def test_a_token_describes_itself(token: Pkcs11Token) -> None:
    (identity,) = list_tokens(MODULE)
    assert identity == token.identity()
    assert (identity.manufacturer, identity.home) == ("SoftHSM project", "hsm")


def test_the_security_officer_gives_a_token_a_new_pin_and_its_keys_stay(token: Pkcs11Token) -> None:
    with token.session(pin) as session:
        session.generate("root-1", "ecdsa-p256")
    with pytest.raises(WrongPinError, match="rel-a, SO PIN"):
        token.unblock("so-wrong", "246813")
    with token.session(pin) as session:
        assert session.sign("root-1", MESSAGE)
    token.unblock("so-12345678", "246813")
    with pytest.raises(WrongPinError), token.session(pin):
        pytest.fail("the old PIN")
    with token.session(lambda _: "246813") as session:
        assert session.sign("root-1", MESSAGE)
