"""What goes wrong with an HSM, through the command line: its own kind of error, one line, the next step, its status.

The module counts the signatures that the token makes: where something went wrong there is none that anybody got.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pkcs11 import Attribute

from enigm_testkit.hsm_desk import PIN, TEMPLATE, HsmDesk, hsm_desk, make_key
from enigm_testkit.modules.pkcs11_tokens import p11_kit_server, tpm2
from enigm_testkit.people import Answers
from enigm_testkit.softhsm import make_token
from enigm_tuf.model.keys import read_key_record


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> HsmDesk:
    return hsm_desk(tmp_path, capsys, monkeypatch)


def nothing(_: HsmDesk) -> None:
    """All is as it should be."""


@dataclass(frozen=True)
class Trouble:
    """``made`` counts signatures that the token made although nobody got them."""

    kind: str
    error: str
    hint: str
    prepare: Callable[[HsmDesk], object] = nothing
    uri: Callable[[HsmDesk], str] = HsmDesk.uri
    person: Callable[[HsmDesk], Answers] = lambda desk: Answers(**desk.answers)
    label: str = "root"
    made: int = 0
    status: int = 2


class Meanwhile(Answers):
    """Something happens while the PIN is typed."""

    def __init__(self, what: Callable[[], object]) -> None:
        super().__init__(PIN=PIN)
        self._what = what

    def ask_secret(self, what: str) -> str:
        self._what()
        return super().ask_secret(what)


def broken(desk: HsmDesk) -> Path:
    """A library that is no PKCS#11 module, and one that ends whatever loads it."""
    source = desk.folder / "bad.c"
    source.write_text("#include <stdlib.h>\n__attribute__((constructor)) static void go(void) { _Exit(7); }\n")
    module = desk.folder / "bad.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", module, source], check=True)
    return module


def second_token(_: HsmDesk) -> None:
    make_token("rel-a", PIN)


def second_key(_: HsmDesk) -> None:
    make_key("root", {})


def take_tokens_away(desk: HsmDesk) -> None:
    """As when the line to the HSM is cut, or its partition removed."""
    shutil.rmtree(desk.folder / "softhsm" / "tokens")
    (desk.folder / "softhsm" / "tokens").mkdir()


SAFE = "the vendor's module failed, not the key: run the command again"
TROUBLES = {
    "no module there": Trouble(
        "NoTokenError",
        "/nowhere/hsm.so: not a PKCS#11 module that loads here",
        "",
        uri=lambda desk: desk.uri(module="/nowhere/hsm.so"),
    ),
    "a file that is no library": Trouble(
        "NoTokenError", "not a PKCS#11 module that loads here", "", uri=lambda desk: desk.uri(module="/dev/null")
    ),
    "a library that is no module": Trouble(
        "NoTokenError",
        "not a PKCS#11 module that loads here",
        "",
        uri=lambda desk: desk.uri(module="/usr/lib/x86_64-linux-gnu/libz.so.1"),
    ),
    "a module that dies when it is loaded": Trouble(
        "ModuleCrashedError",
        "its process died at 'identity' (exit status 7)",
        SAFE,
        uri=lambda desk: desk.uri(module=broken(desk)),
    ),
    "no such token": Trouble(
        "NoTokenError", "rel-b: no such token; there are: rel-a", "", uri=lambda desk: desk.uri("token=rel-b")
    ),
    "another token of that name": Trouble(
        "NoTokenError", "rel-a: no such token", "", uri=lambda desk: desk.uri("token=rel-a;serial=0123456789abcdef")
    ),
    "two tokens of one label": Trouble("NoTokenError", "rel-a: 2 tokens match", "", second_token),
    "the tokens are gone": Trouble("NoTokenError", "rel-a: no such token; there are: none", "", take_tokens_away),
    "the tokens go while the PIN is typed": Trouble(
        "TokenError",
        "token rel-a: GeneralError",
        "",
        person=lambda desk: Meanwhile(lambda: take_tokens_away(desk)),
    ),
    "a wrong PIN": Trouble(
        "WrongPinError",
        "token rel-a: wrong PIN (the token does not tell how many tries are left)",
        "check which token this is before you try again",
        person=lambda _: Answers(PIN="000000"),
    ),
    "no such key": Trouble("MisuseError", "rel-a has no key payload; it has: root", "", label="payload"),
    "two keys of one label": Trouble("MisuseError", "token rel-a has 2 keys root", "labels must be unique", second_key),
    "it crashes before it signs": Trouble(
        "ModuleCrashedError",
        "its process died at 'sign' (SIGSEGV)",
        SAFE,
        lambda desk: desk.spy.fail("crash"),
    ),
    "it crashes when it has signed": Trouble(
        "ModuleCrashedError",
        "its process died at 'sign' (SIGSEGV)",
        SAFE,
        lambda desk: desk.spy.fail("crash after"),
        made=1,
    ),
    "it hangs": Trouble(
        "ModuleTimeoutError",
        "no answer to 'sign' in 3 seconds; its process was ended",
        "is the HSM reachable? run the command again",
        lambda desk: desk.spy.fail("hang"),
    ),
    "it signs other bytes": Trouble(
        "RefusedError",
        "SIGNATURE-SELF-CHECK: rel-a, key root",
        "",
        lambda desk: desk.spy.fail("corrupt"),
        made=1,
        status=3,
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_with_the_hsm_is_one_line_with_the_next_step_and_no_signature(desk: HsmDesk, name: str) -> None:
    trouble = TROUBLES[name]
    trouble.prepare(desk)
    uri = trouble.uri(desk)
    assert desk.enrol(uri, trouble.label, person=trouble.person(desk)) == trouble.status
    error, hint = desk.said()
    assert trouble.error in error
    assert hint == trouble.hint
    assert desk.spy.signatures == trouble.made
    assert not desk.record.exists()


@pytest.mark.parametrize("name", [name for name in TROUBLES if "go while" not in name])
def test_each_trouble_has_a_class_of_its_own(desk: HsmDesk, name: str) -> None:
    """For programs: ``--json`` gives it as ``kind``."""
    trouble = TROUBLES[name]
    trouble.prepare(desk)
    assert desk.enrol(trouble.uri(desk), trouble.label, "--json", person=trouble.person(desk)) == trouble.status
    assert desk.kind() == trouble.kind


def test_without_trouble_the_key_is_enrolled(desk: HsmDesk) -> None:
    """What each trouble above differs from, in one thing."""
    assert desk.enrol() == 0
    assert desk.spy.signatures == 1
    assert read_key_record(desk.record.read_bytes(), "").label == "root"


def test_what_the_module_prints_is_nobody_s_business(desk: HsmDesk) -> None:
    desk.spy.fail("print")
    assert desk.enrol() == 0
    assert "debugging" not in "".join(desk.capsys.readouterr())


# --- keys that are not as they must be ---


@pytest.mark.parametrize("attribute", [*TEMPLATE, Attribute.ALLOWED_MECHANISMS], ids=lambda item: item.name)
def test_a_key_with_one_attribute_otherwise_makes_no_signature(desk: HsmDesk, attribute: Attribute) -> None:
    other: Any = "ECDSA ECDH1_DERIVE" if attribute is Attribute.ALLOWED_MECHANISMS else not TEMPLATE[attribute]
    free = {Attribute.ALWAYS_AUTHENTICATE: False} if attribute is Attribute.PRIVATE else {}  # else SoftHSM makes none
    make_key("odd", free | {attribute: other})
    assert desk.enrol(label="odd") == 3
    error, hint = desk.said()
    assert error.startswith(f"TOKEN-ATTRIBUTES: key odd, CKA_{attribute.name}: expected ")
    assert "key generate" in hint
    assert desk.spy.signatures == 0
    assert not desk.record.exists()


# --- what only other tokens do ---


def test_the_third_wrong_pin_locks_a_tpm_and_the_right_one_is_refused_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tpm2(tmp_path) as target:
        desk = HsmDesk(None, None, tmp_path, capsys)  # type: ignore[arg-type] # a TPM behind its own module
        uri = f"pkcs11:token=tpm?module-path={target.open()._name.module}"  # type: ignore[attr-defined]
        assert desk.run("key", "generate", "--token", uri, "--label", "root", person=Answers(PIN=target.pin)) == 0
        for _ in range(3):
            assert desk.enrol(uri, person=Answers(PIN="00000000")) == 2
            assert desk.said()[0].startswith(("token tpm: wrong PIN", "token tpm: the PIN is locked"))
        assert desk.enrol(uri, person=Answers(PIN=target.pin)) == 2
        assert desk.said() == ("token tpm: the PIN is locked", "the security officer resets it")
        assert not desk.record.exists()


def test_an_hsm_whose_line_is_cut_while_the_pin_is_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"
    uri = f"pkcs11:token=net?module-path={client}"
    with p11_kit_server(tmp_path) as server:
        desk = HsmDesk(None, None, tmp_path, capsys)  # type: ignore[arg-type] # another process has the tokens
        person = Answers(PIN="12345678")
        assert desk.run("key", "generate", "--token", uri, "--label", "root", person=person) == 0

        class Cuts(Answers):
            def ask_secret(self, what: str) -> str:
                os.killpg(server.pid, signal.SIGKILL)  # it has a process for each client
                server.wait()
                return super().ask_secret(what)

        assert desk.enrol(uri, person=Cuts(PIN="12345678")) == 2
        error, _ = desk.said()
        assert error == "token net: does not answer (DeviceError)"
        assert not desk.record.exists()
        assert desk.enrol(uri, person=person) == 2
        assert desk.said()[0].startswith("net: no such token")
