"""What only some tokens can show: an HSM that goes away in the middle, and a PIN that is locked for good."""

import os
import signal
from pathlib import Path

import pytest

from enigm_testkit.fake_token import TRIES, Fault
from enigm_testkit.modules.files import fake
from enigm_testkit.modules.pkcs11_tokens import named, p11_kit_server, tpm2
from enigm_tuf.errors import (
    EnigmTufError,
    NoTokenError,
    PinLockedError,
    RefusedError,
    TokenRemovedError,
    WrongPinError,
)
from enigm_tuf.trust.signable import proof_of_possession

MESSAGE = proof_of_possession(b"c" * 32)
CLIENT = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"
PIN = "12345678"


def test_an_hsm_that_goes_away_in_the_middle_is_named(tmp_path: Path) -> None:
    with p11_kit_server(tmp_path) as server:
        token = named(CLIENT, "net")
        with token.session(lambda _: PIN) as session:
            session.generate("root", "ecdsa-p256")
            os.killpg(server.pid, signal.SIGKILL)  # it has a process for each client
            server.wait()
            with pytest.raises(TokenRemovedError, match="token net: does not answer"):
                session.sign("root", MESSAGE)
        with pytest.raises(NoTokenError):
            token.identity()


def test_three_wrong_pins_lock_a_tpm_and_the_right_one_is_refused_then(tmp_path: Path) -> None:
    with tpm2(tmp_path) as target:
        with target.open().session(lambda _: target.pin) as session:
            session.generate("root", "ecdsa-p256")
        said = [_wrong(target.open().session) for _ in range(3)]
        assert set(said) <= {WrongPinError, PinLockedError}
        with pytest.raises(PinLockedError) as caught, target.open().session(lambda _: target.pin):
            pytest.fail("logged in")
        assert caught.value.hint == "the security officer resets it"


def _wrong(session: object) -> type[EnigmTufError]:
    try:
        with session(lambda _: "999999"):  # type: ignore[operator] # a token's session
            return EnigmTufError
    except EnigmTufError as error:
        return type(error)


def test_the_fake_locks_too(tmp_path: Path) -> None:
    with fake(tmp_path) as target:
        said = [_wrong(target.open().session) for _ in range(TRIES)]
        assert said == [WrongPinError] * (TRIES - 1) + [PinLockedError]
        with pytest.raises(PinLockedError), target.open().session(lambda _: target.pin):
            pytest.fail("logged in")


@pytest.mark.parametrize(
    ("fault", "kind", "made"),
    [
        (Fault.PULLED_BEFORE, TokenRemovedError, 0),
        (Fault.PULLED_DURING, TokenRemovedError, 1),
        (Fault.WRONG_KEY, RefusedError, 1),
        (Fault.OTHER_BYTES, RefusedError, 1),
    ],
)
def test_each_fault_of_the_fake_is_an_error_and_nobody_gets_a_signature(
    tmp_path: Path, fault: Fault, kind: type[EnigmTufError], made: int
) -> None:
    with fake(tmp_path) as target:
        token = target.open()
        with token.session(lambda _: PIN) as session:
            session.generate("root", "ed25519")
            token.fault = fault  # type: ignore[attr-defined] # the fake has it
            with pytest.raises(kind):
                session.sign("root", MESSAGE)
        assert target.signatures
        assert target.signatures() == made


def test_the_fake_that_lies_gives_a_signature_that_is_none(tmp_path: Path) -> None:
    with fake(tmp_path) as target, target.open().session(lambda _: PIN) as session:
        session.generate("root", "ecdsa-p384")
        target.open().fault = Fault.LIES  # type: ignore[attr-defined] # the fake has it
        assert session.sign("root", MESSAGE)  # who signs metadata looks again: tests/authorities
