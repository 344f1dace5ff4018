"""The contract of ``enigm_tuf.ports.Token``, kept by every token that can run here; docs/reference/tokens.md says how.

Nothing is passed over: what a token cannot do is an error of its own, and the test wants that very error.
"""

import multiprocessing
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from enigm_testkit.modules import Target
from enigm_testkit.modules.cards import in_process, opensc, ykcs11
from enigm_testkit.modules.files import development, fake
from enigm_testkit.modules.pkcs11_tokens import nss, p11_kit, softhsm, tpm2
from enigm_tuf.authorities.backup.wrapping import common_mechanism
from enigm_tuf.authorities.tokens.hsm.attributes import MADE, SET
from enigm_tuf.authorities.tokens.hsm.backup_token import BackupToken
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Session, Pkcs11Token, TokenName
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import EnigmTufError, MisuseError, NoTokenError, WrongPinError
from enigm_tuf.model.public_keys import ALGORITHMS
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import Algorithm, TokenSession
from enigm_tuf.trust.signable import proof_of_possession

pytestmark = pytest.mark.reader
PAGE = Path(__file__).parents[2] / "docs/reference/tokens.md"
FOUND = Path(__file__).parents[2] / "build/tokens.md"
MESSAGE = proof_of_possession(b"c" * 32)
MATRIX: dict[tuple[str, str], str] = {}
"""By target and what was tried: ``yes``, or the exact reason why not."""


class Maker(Protocol):
    def __call__(self, folder: Path, /) -> AbstractContextManager[Target]: ...


TARGETS: dict[str, Maker] = {
    "softhsm": softhsm,
    "p11-kit": p11_kit,
    "tpm2": tpm2,
    "nss": nss,
    "opensc": opensc,
    "ykcs11": ykcs11,
    "piv": in_process,
    "development": development,
    "fake": fake,
}


@pytest.fixture(scope="module", params=TARGETS)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with TARGETS[request.param](tmp_path_factory.mktemp(request.param)) as target:
        yield target


def count(target: Target) -> int:
    return target.signatures() if target.signatures else 0


def a_label(target: Target, session: TokenSession) -> str:
    """A key that is there: one that was made elsewhere, or a new one."""
    label = target.has[0] if target.has else target.label("contract")
    if label not in {key.label for key in session.keys()}:
        session.generate(label, "ecdsa-p256")
    return label


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_made_and_signs_or_the_reason_is_said(target: Target, algorithm: Algorithm) -> None:
    label = target.label(f"k-{algorithm}")
    with target.open().session(lambda _: target.pin) as session:
        if algorithm in target.lacks:
            with pytest.raises(EnigmTufError) as caught:
                session.generate(label, algorithm)
            assert target.lacks[algorithm] in str(caught.value)
            MATRIX[target.name, algorithm] = target.lacks[algorithm]
            return
        made = session.generate(label, algorithm)
    before = count(target)
    with target.open().session(lambda _: target.pin) as session:
        (key,) = (key for key in session.keys() if key.label == label)
        require_valid(key.spki, session.sign(label, MESSAGE), MESSAGE.data, label)
        assert (key.spki, key.algorithm, key.attributes) == (made.spki, algorithm, made.attributes)
        assert sha256(key.spki) in {item.spki_sha256 for item in session.objects()}
    with target.open().session(lambda _: target.pin) as session:  # tpm2-pkcs11 leaks a key that has signed
        session.destroy(label)
        assert label not in {item.label for item in session.objects()}
    assert count(target) == before + (1 if target.signatures else 0)
    MATRIX[target.name, algorithm] = "yes"


def test_a_key_that_is_there_signs_again_and_again(target: Target) -> None:
    with target.open().session(lambda _: target.pin) as session:
        label = a_label(target, session)
        (key,) = (key for key in session.keys() if key.label == label)
        for _ in range(3):
            require_valid(key.spki, session.sign(label, MESSAGE), MESSAGE.data, label)
        MATRIX[target.name, "a key that is there"] = "yes"
        MATRIX[target.name, "attributes"] = differences(key.attributes) if isinstance(session, Pkcs11Session) else "-"


def differences(attributes: dict[str, bool | str]) -> str:
    """What it says otherwise than the table; the backend has accepted it, by a rule of that vendor."""
    table = {**SET, **MADE}
    other = [f"{name} {attributes[name]}".lower() for name in table if attributes[name] is not table[name]]
    return ", ".join(other) or "as the table"


def test_a_wrong_pin_signs_nothing_and_the_right_one_still_works(target: Target) -> None:
    with target.open().session(lambda _: target.pin) as session:
        label = a_label(target, session)
    before = count(target)
    with pytest.raises(WrongPinError) as caught, target.open().session(lambda _: "999999"):
        pytest.fail("logged in")
    assert count(target) == before
    MATRIX[target.name, "wrong PIN"] = "says the tries left" if caught.value.tries_left else "does not say the tries"
    with target.open().session(lambda _: target.pin) as session:
        assert session.sign(label, MESSAGE)


def test_a_key_that_is_not_there_is_named(target: Target) -> None:
    before, label = count(target), target.label("nobody")
    with target.open().session(lambda _: target.pin) as session:
        if label in {key.label for key in session.keys()}:
            session.destroy(label)
        with pytest.raises(MisuseError):
            session.sign(label, MESSAGE)
    assert count(target) == before


def test_a_label_is_given_once(target: Target) -> None:
    with target.open().session(lambda _: target.pin) as session:
        label = a_label(target, session)
        before = {item.label for item in session.objects()}
        with pytest.raises(MisuseError):
            session.generate(label, "ecdsa-p256")
        assert {item.label for item in session.objects()} == before


def test_a_session_that_is_over_signs_nothing(target: Target) -> None:
    with target.open().session(lambda _: target.pin) as session:
        label = a_label(target, session)
    before = count(target)
    with pytest.raises(EnigmTufError):
        session.sign(label, MESSAGE)
    assert count(target) == before


def test_the_session_is_over_when_its_user_fails(target: Target) -> None:
    class OwnError(Exception):
        pass

    with pytest.raises(OwnError), target.open().session(lambda _: target.pin) as session:
        raise OwnError
    with pytest.raises(EnigmTufError):
        session.sign("any", MESSAGE)
    with target.open().session(lambda _: target.pin) as session:
        assert session.sign(a_label(target, session), MESSAGE)


def test_a_token_that_is_not_there_is_named(target: Target) -> None:
    token = target.open()
    if not isinstance(token, Pkcs11Token):
        return  # the other kinds have tests of their own for this: they are not found by name
    module = token._name.module
    with pytest.raises(NoTokenError, match=r"^nowhere: no such token; there are: "):
        Pkcs11Token(TokenName(module, {"label": "nowhere"})).identity()


def _sign_elsewhere(target_pin: str, module: str, wanted: dict[str, str], label: str) -> str:
    try:
        with Pkcs11Token(TokenName(module, wanted)).session(lambda _: target_pin) as session:
            session.sign(label, MESSAGE)
    except EnigmTufError as error:
        return str(error)
    return "yes"


def test_two_processes_at_once(target: Target) -> None:
    token = target.open()
    if not isinstance(token, Pkcs11Token):
        return  # a card connection is exclusive (tests/hardware), a file is read anew
    with token.session(lambda _: target.pin) as session:
        label = a_label(target, session)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            asked = (target.pin, token._name.module, token._name.wanted, label)
            answer = pool.apply(_sign_elsewhere, asked)
        assert session.sign(label, MESSAGE)
    MATRIX[target.name, "two processes"] = answer
    assert answer == "yes"


def test_a_key_is_wrapped_as_rfc_5649_says_or_the_reason_is_said(target: Target) -> None:
    """The other side of the agreement is OpenSSL, which can therefore open what the token wrapped."""
    token = target.open()
    if not isinstance(token, Pkcs11Token):
        MATRIX[target.name, "wrapped copies"] = "-"
        return
    if target.no_copies:
        with pytest.raises(EnigmTufError) as caught, BackupToken(token._name).officer(lambda _: target.so_pin) as one:
            common_mechanism(one, one)
        assert target.no_copies in str(caught.value)
        lacks = "CKM" in target.no_copies
        MATRIX[target.name, "wrapped copies"] = "lacks CKM_AES_KEY_WRAP_PAD" if lacks else "no security officer logs in"
        return
    MATRIX[target.name, "wrapped copies"] = _opened_by_openssl(target, BackupToken(token._name))


def _opened_by_openssl(target: Target, token: BackupToken) -> str:
    peer = ec.generate_private_key(ec.SECP384R1())
    point = peer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()
    with token.officer(lambda _: target.so_pin) as officer:
        mechanism = common_mechanism(officer, officer)
        offered = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP384R1(), bytes.fromhex(officer.offer("5f", "kek"))
        )
        officer.agree(point, "5f", "kek", "wrap", mechanism)
    secret = peer.exchange(ec.ECDH(), offered)[-32:]
    with token.backup_session(lambda _: target.pin) as session:
        key = session.generate(target.label("copied"), "ecdsa-p256", "wrapped-backup")
        wrapped = session.wrap(key.label, "5f", mechanism)
        session.destroy(key.label)
    with token.officer(lambda _: target.so_pin) as officer:
        officer.destroy("5f")
    pkcs8 = aes_key_unwrap_with_padding(secret, wrapped.blob)
    private = load_der_private_key(pkcs8[: 2 + pkcs8[1]], None)  # SoftHSM 2.6.1 fills up with zeros before it wraps
    assert not pkcs8[2 + pkcs8[1] :].strip(b"\0")
    assert private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == key.spki
    return "yes"


COLUMNS = ("a key that is there", *ALGORITHMS, "attributes", "wrong PIN", "wrapped copies")


def test_the_page_says_what_was_found() -> None:
    """Runs last in this file."""
    names = list(dict.fromkeys(name for name, _ in MATRIX))
    assert len(names) == len(TARGETS), "this test needs the whole file to run"
    rows = [[column, *(MATRIX.get((name, column), "-") for name in names)] for column in COLUMNS]
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    text = "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
    FOUND.parent.mkdir(exist_ok=True)
    FOUND.write_text(text)
    assert text in PAGE.read_text(), f"put what {FOUND} says into {PAGE}"
