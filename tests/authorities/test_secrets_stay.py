"""No PIN in arguments, environments, files, errors or core dumps: whatever the command, seen where the PIN is used.

The module that counts signatures also looks round in its process at each login, when the PIN is there for sure.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enigm_testkit.copies import Vault
from enigm_testkit.house import read
from enigm_testkit.softhsm import MODULE, SoftHsm, make_token
from enigm_testkit.spy_module import SpyModule
from enigm_tuf.authorities.tokens.hsm.backup_token import BackupToken
from enigm_tuf.authorities.tokens.hsm.token import TokenName
from enigm_tuf.errors import WrongPinError
from enigm_tuf.model.words import last_words

USER, OFFICER, FRESH = "8642097531", "so-9753186420", "1357924680"
_SIGN = "import sys; from enigm_tuf.authorities.cli import main; sys.exit(main())"


class Ceremony:
    """A vault whose tokens have PINs of their own, each command in a process with one answer to a line."""

    def __init__(self, vault: Vault, folder: Path) -> None:
        self.vault = vault
        self.spy = SpyModule(folder / "spy")
        for token in ("one", "two"):
            make_token(token, USER, OFFICER)
        self.seen = self.spy.watch_logins()
        self.said = ""

    def file(self, name: str) -> str:
        return str(self.vault.file(name))

    def uri(self, token: str) -> str:
        return f"pkcs11:token={token}?module-path={self.spy.module}"

    def run(self, *arguments: str, answers: str, status: int = 0) -> None:
        command = [sys.executable, "-c", _SIGN, *arguments]
        done = subprocess.run(
            command, input=answers, capture_output=True, text=True, check=False, env={**os.environ, "HOME": "/"}
        )
        self.said += done.stdout + done.stderr
        assert done.returncode == status, done.stderr

    def adopt(self, *options: str) -> None:
        """In this process, whose clock stands still otherwise."""
        self.vault.house.clock.time = datetime.now(UTC)
        self.vault.adopt(*options)

    @property
    def logins(self) -> list[str]:
        return re.findall(r"^LOGIN .*$", self.seen.read_text(errors="replace"), re.MULTILINE)


@pytest.fixture
def ceremony(vault: Vault, tmp_path: Path) -> Iterator[Ceremony]:
    yield Ceremony(vault, tmp_path)
    os.environ.pop("SPY_LOGINS", None)


def the_whole_life_of_a_copy(ceremony: Ceremony) -> None:
    """Every command that takes a PIN of an HSM, for a key that is made, enrolled, copied, restored and destroyed."""
    home, one, two = ["--home", str(ceremony.vault.home)], ceremony.uri("one"), ceremony.uri("two")
    key = ["--token", one, "--label", "pay"]
    said = ["--purpose", "payload", "--environment", "staging", "--custodian", "frank"]
    copied = ["--class", "wrapped-backup"]
    ceremony.run("token", "unblock", "--token", one, answers=f"{OFFICER}\n{USER}\n{USER}\n")
    ceremony.run("key", "generate", *key, *copied, answers=f"{USER}\n")
    ceremony.run("key", "enrol", *key, *said, *copied, "--out", ceremony.file("pay.key.json"), answers=f"{USER}\n")
    two_tokens = ["--token", one, "--spare", two, "--label", "kek", "--out", ceremony.file("kek.wrapping.json")]
    ceremony.run("wrapping", "make", *home, *two_tokens, answers=f"{OFFICER}\n{OFFICER}\n")
    ceremony.adopt("--record", ceremony.file("pay.key.json"), "--wrapping", ceremony.file("kek.wrapping.json"))
    ceremony.run("key", "audit", *home, "--token", one, answers=f"{USER}\n")
    ceremony.run("key", "backup", *home, *key, "--out", ceremony.file("pay.backup.json"), answers=f"{USER}\n")
    spare = [ceremony.file("pay.backup.json"), *home, "--token", two, "--witness", "grace"]
    ceremony.run("key", "restore-test", *spare, "--out", ceremony.file("proof.json"), answers=f"{USER}\n")
    words = last_words(json.loads(Path(ceremony.file("pay.key.json")).read_text())["spki_sha256"])
    again = ["--label", "pay", "--out", ceremony.file("pay-2.key.json")]
    ceremony.run("key", "restore", *spare, *again, answers=f"{USER}\n{words}\n")
    ceremony.adopt("--record", ceremony.file("pay-2.key.json"))
    ceremony.run("key", "destroy", *home, *key, answers=f"{USER}\n{words}\n")
    ceremony.adopt("--no-wrapping", ceremony.vault.wrapping().id)
    identifier = ["--id", ceremony.vault.wrapping().id]
    ceremony.run("wrapping", "destroy", *home, "--token", two, *identifier, answers=f"{OFFICER}\n")


def with_wrong_pins(ceremony: Ceremony) -> None:
    """What is typed wrong is as secret: it is often the PIN of another token."""
    one, two, out = ceremony.uri("one"), ceremony.uri("two"), ceremony.file("none")
    home = ["--home", str(ceremony.vault.home), "--token", one]
    wrong = f"{FRESH}\n"
    ceremony.run("key", "generate", "--token", one, "--label", "pay", "--json", answers=wrong, status=2)
    ceremony.run("key", "backup", *home, "--label", "pay", "--out", out, answers=wrong, status=2)
    make = ["wrapping", "make", *home, "--spare", two, "--label", "kek", "--out", out]
    ceremony.run(*make, answers=f"{OFFICER}\n{FRESH}\n", status=2)
    ceremony.run("token", "unblock", "--token", one, answers=f"{FRESH}\n{USER}\n{USER}\n", status=2)
    request = ceremony.vault.house.request("root-1")
    answers = f"{last_words(read(request).digest)}\n{FRESH}\n"
    under = ["--policy", ceremony.file("release.policy.toml"), "--operators", ceremony.file("release.operators.json")]
    who = [*under, "--operator", "alice", "--label", "alice"]
    where = ["--token", ceremony.uri("alice"), "--out", out]
    ceremony.run("approve", str(request), *who, *where, answers=answers, status=2)


@pytest.mark.parametrize("play", [the_whole_life_of_a_copy, with_wrong_pins], ids=lambda it: it.__name__)
def test_nobody_who_looks_at_processes_files_or_messages_finds_a_pin(
    ceremony: Ceremony, play: Callable[[Ceremony], None]
) -> None:
    play(ceremony)
    assert len(ceremony.logins) >= 5
    assert {login.partition(" user=")[2].partition(" ")[2] for login in ceremony.logins} == {"dumpable=0 core=0"}
    secrets = [secret.encode() for secret in (USER, OFFICER, FRESH)]
    places = {"processes": ceremony.seen.read_bytes(), "messages": ceremony.said.encode()} | files(ceremony)
    assert b"enigm_tuf.authorities.tokens.hsm.worker" in places["processes"]
    found = [(place, secret) for place, data in places.items() for secret in secrets if secret in data]
    assert found == []


def files(ceremony: Ceremony) -> dict[str, bytes]:
    """All that the authority and its people keep; the tokens themselves know their PINs."""
    house = ceremony.vault.house.path
    kept = [path for path in house.rglob("*") if path.is_file() and house / "softhsm" not in path.parents]
    assert ceremony.vault.home / "audit.log" / "checkpoint" in kept
    return {str(path): path.read_bytes() for path in kept}


def test_the_search_above_would_find_a_pin(ceremony: Ceremony) -> None:
    """The same look at a process that was told its PIN the wrong way."""
    program = (
        "import os, sys, pkcs11\n"
        f"pkcs11.lib({str(ceremony.spy.module)!r}).get_token(token_label='one').open(user_pin=sys.argv[1]).close()\n"
    )
    environment = {**os.environ, "PIN": OFFICER}
    subprocess.run([sys.executable, "-c", program, USER], check=True, env=environment)
    seen = ceremony.seen.read_bytes()
    assert USER.encode() in seen
    assert OFFICER.encode() in seen
    assert "dumpable=1" in ceremony.logins[-1]


def test_no_error_of_the_officers_and_of_backups_tells_a_pin(softhsm: SoftHsm) -> None:
    softhsm.token("one", USER, OFFICER)
    token = BackupToken(TokenName(MODULE, {"label": "one"}))
    for opened in (token.officer, token.backup_session):
        with pytest.raises(WrongPinError) as caught, opened(lambda _: FRESH):
            pytest.fail("logged in")
        shown: BaseException | None = caught.value
        while shown is not None:
            assert FRESH not in repr(shown) + "".join(str(item) for item in shown.args)
            shown = shown.__cause__ or shown.__context__


_DIES = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
_DIES_AFTER_A_PIN = (
    "from enigm_tuf.authorities.cli.edges import Terminal; Terminal().ask_secret('PIN'); import os, signal; "
    "os.kill(os.getpid(), signal.SIGSEGV)"
)


@pytest.mark.parametrize(("program", "left"), [(_DIES, True), (_DIES_AFTER_A_PIN, False)])
def test_a_process_that_was_told_a_pin_leaves_no_core_when_it_dies(tmp_path: Path, program: str, left: bool) -> None:
    """With unlimited cores, as a careless machine has them; the first program shows that there would be one."""
    assert dies_with_core(tmp_path, [sys.executable, "-c", program], f"{USER}\n") is left


def test_a_worker_that_crashes_leaves_no_core(ceremony: Ceremony, tmp_path: Path) -> None:
    """The vendor's module crashes while it signs, with the PIN in its memory."""
    ceremony.run("key", "generate", "--token", ceremony.uri("one"), "--label", "pay", answers=f"{USER}\n")
    ceremony.spy.fail("crash")
    key = ["--token", ceremony.uri("one"), "--label", "pay", "--purpose", "payload", "--environment", "staging"]
    arguments = ["key", "enrol", *key, "--custodian", "frank", "--out", ceremony.file("none")]
    dies_with_core(tmp_path, [sys.executable, "-c", _SIGN, *arguments], f"{USER}\n", signal.SIGKILL)
    assert not list(tmp_path.glob("core*"))


def dies_with_core(folder: Path, command: list[str], answers: str, by: int = signal.SIGSEGV) -> bool:
    """Run it where a core may be left; whether the kernel left one."""
    limits = ["prlimit", "--core=unlimited:unlimited", "--"]
    done = subprocess.run([*limits, *command], input=answers, text=True, cwd=folder, capture_output=True, check=False)
    assert by != signal.SIGSEGV or done.returncode == -signal.SIGSEGV, done.stderr
    return bool(list(folder.glob("core*")))
