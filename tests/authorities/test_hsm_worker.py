"""A vendor's module that crashes, hangs, lies or prints is an error with a name, and the next session works."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from enigm_testkit.softhsm import SoftHsm
from enigm_testkit.spy_module import SpyModule
from enigm_tuf.authorities.tokens.hsm.process import Worker
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Session, Pkcs11Token, TokenName
from enigm_tuf.errors import (
    EnigmTufError,
    MisuseError,
    ModuleCrashedError,
    ModuleTimeoutError,
    NoTokenError,
    RefusedError,
    WrongPinError,
)
from enigm_tuf.trust.signable import proof_of_possession

MESSAGE = proof_of_possession(b"c" * 32)
PIN = "8642097531"


@pytest.fixture
def spy(softhsm: SoftHsm, tmp_path: Path) -> SpyModule:
    softhsm.token("rel-a", PIN)
    return SpyModule(tmp_path / "spy")


@pytest.fixture
def token(spy: SpyModule) -> Pkcs11Token:
    token = Pkcs11Token(TokenName(str(spy.module), {"label": "rel-a"}), seconds=5)
    with token.session(lambda _: PIN) as session:
        session.generate("root", "ecdsa-p256")
        session.sign("root", MESSAGE)
    assert spy.signatures == 1
    return token


def children() -> set[int]:
    done = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", "hsm.worker"], capture_output=True, check=False)
    return {int(line) for line in done.stdout.split()}


@pytest.mark.parametrize(
    ("fault", "kind", "text", "made"),
    [
        ("crash", ModuleCrashedError, "died at 'sign' (SIGSEGV)", 0),
        ("crash after", ModuleCrashedError, "died at 'sign' (SIGSEGV)", 1),
        ("hang", ModuleTimeoutError, "no answer to 'sign' in 5 seconds", 0),
        ("corrupt", RefusedError, "SIGNATURE-SELF-CHECK", 1),
    ],
)
def test_a_fault_has_a_name_and_the_next_session_works(
    token: Pkcs11Token, spy: SpyModule, fault: str, kind: type[EnigmTufError], text: str, made: int
) -> None:
    spy.fail(fault)
    with pytest.raises(kind) as caught, token.session(lambda _: PIN) as session:
        session.sign("root", MESSAGE)
    assert text in str(caught.value)
    assert spy.signatures == 1 + made
    assert not children()
    spy.fail("")
    with token.session(lambda _: PIN) as session:
        assert session.sign("root", MESSAGE)


@pytest.mark.rule("TOKEN-ATTRIBUTES", "reject")
def test_a_key_that_changes_within_a_session_signs_nothing_more(token: Pkcs11Token, spy: SpyModule) -> None:
    """The attributes are read before each signature, in the same call."""
    with token.session(lambda _: PIN) as session:
        session.sign("root", MESSAGE)
        assert spy.signatures == 2
        spy.fail("drift")
        with pytest.raises(RefusedError, match="CKA_EXTRACTABLE: expected False, got True"):
            session.sign("root", MESSAGE)
        assert spy.signatures == 2
        spy.fail("")
        assert session.sign("root", MESSAGE)


def test_what_a_module_prints_is_not_taken_for_an_answer(token: Pkcs11Token, spy: SpyModule) -> None:
    spy.fail("print")
    with token.session(lambda _: PIN) as session:
        assert session.sign("root", MESSAGE)


def test_a_worker_that_is_killed_in_the_middle_is_an_error_with_a_name(token: Pkcs11Token, spy: SpyModule) -> None:
    spy.fail("hang")
    with token.session(lambda _: PIN) as session:
        (worker,) = children()
        threading.Thread(target=_kill_when_it_hangs, args=(spy, worker)).start()
        with pytest.raises(ModuleCrashedError, match="SIGKILL"):
            session.sign("root", MESSAGE)
        with pytest.raises(ModuleCrashedError):
            session.keys()
    assert not children()


def test_a_worker_whose_caller_dies_does_not_stay_even_while_the_module_hangs(
    token: Pkcs11Token, spy: SpyModule
) -> None:
    del token
    spy.fail("hang")
    program = (
        "import sys\n"
        "from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Token, TokenName\n"
        "from enigm_tuf.trust.signable import proof_of_possession\n"
        f"token = Pkcs11Token(TokenName({str(spy.module)!r}, {{'label': 'rel-a'}}))\n"
        f"with token.session(lambda _: {PIN!r}) as session:\n"
        "    print(session._worker._process.pid, flush=True)\n"
        "    session.sign('root', proof_of_possession(b'c' * 32))\n"
    )
    caller = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    worker = int(caller.stdout.readline())
    descriptor = os.pidfd_open(worker)
    spy.wait_until_it_hangs()
    caller.kill()
    caller.wait()
    caller.stdout.close()
    assert select.select([descriptor], [], [], 10)[0], "the worker stayed"
    os.close(descriptor)


def _kill_when_it_hangs(spy: SpyModule, worker: int) -> None:
    spy.wait_until_it_hangs()
    os.kill(worker, signal.SIGKILL)


@pytest.fixture
def session(token: Pkcs11Token) -> Iterator[Pkcs11Session]:
    with token.session(lambda _: PIN) as session:
        yield session


def test_the_worker_leaves_no_core_dump_and_holds_no_pin_where_others_look(session: Pkcs11Session) -> None:
    assert session.keys()
    (worker,) = children()
    process = Path(f"/proc/{worker}")
    limits = (process / "limits").read_text()
    assert "Max core file size        0                    0" in limits
    assert PIN.encode() not in (process / "cmdline").read_bytes()
    assert PIN.encode() not in (process / "environ").read_bytes()


def test_no_error_tells_the_pin(token: Pkcs11Token, spy: SpyModule) -> None:
    wrong = "1234567890"
    with pytest.raises(WrongPinError) as caught, token.session(lambda _: wrong):
        pytest.fail("logged in")
    assert wrong not in repr(caught.value) + repr(caught.value.__cause__)
    assert spy.signatures == 1


def test_secrets_are_overwritten_once_sent(spy: SpyModule) -> None:
    worker = Worker(str(spy.module))
    secret = bytearray(PIN.encode())
    try:
        worker.call("open", secret, wanted={"label": "rel-a"})
        assert secret == bytes(len(PIN))
        other = bytearray(b"wrong")
        with pytest.raises(NoTokenError):
            worker.call("open", other, wanted={"label": "rel-z"})
        assert other == bytes(5)
    finally:
        worker.end()


def test_after_the_session_nothing_is_signed(token: Pkcs11Token, spy: SpyModule) -> None:
    with token.session(lambda _: PIN) as session:
        pass
    with pytest.raises(MisuseError, match="the session is over"):
        session.sign("root", MESSAGE)
    assert spy.signatures == 1
    assert not children()


def test_a_module_that_ends_its_process_when_it_is_loaded_is_named(tmp_path: Path) -> None:
    source = tmp_path / "bad.c"
    source.write_text("#include <stdlib.h>\n__attribute__((constructor)) static void go(void) { _Exit(7); }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "bad.so", source], check=True)
    with pytest.raises(ModuleCrashedError, match=r"bad.so: its process died at 'identity' \(exit status 7\)"):
        Pkcs11Token(TokenName(str(tmp_path / "bad.so"), {"label": "x"})).identity()
