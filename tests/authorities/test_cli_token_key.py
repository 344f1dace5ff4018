"""enigm-sign token and key commands, on real SoftHSM and a development key file."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enigm_testkit.people import Answers, FixedClock
from enigm_testkit.softhsm import MODULE, SoftHsm
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.model.keys import read_key_record

CLOCK = FixedClock(datetime(2026, 11, 23, 20, 0, tzinfo=UTC))


def edges(**answers: str) -> Edges:
    return Edges(CLOCK, Answers(**answers))


PERSON = edges(PIN="1234")


@pytest.fixture
def token(softhsm: SoftHsm) -> str:
    return softhsm.token("rel-a")


def enrol(token: str, out: Path, environment: str = "staging") -> int:
    arguments = ["key", "enrol", "--token", token, "--label", "root", "--purpose", "root"]
    arguments += ["--environment", environment, "--custodian", "carol", "--out", str(out)]
    return main(arguments, PERSON)


def generate(token: str) -> int:
    return main(["key", "generate", "--token", token, "--label", "root", "--algorithm", "ecdsa-p384"], PERSON)


def test_a_token_is_made_ready_with_pins_that_are_typed_twice(
    softhsm: SoftHsm, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = softhsm.uri("fresh")
    person = edges(SO_PIN="so-87654321", user_PIN="4321", PIN="4321")
    assert main(["token", "init", "--token", uri], person) == 0
    assert main(["key", "generate", "--token", uri, "--label", "k"], person) == 0
    assert main(["token", "init", "--token", uri], person) == 2
    assert "initialised already" in capsys.readouterr().err


def test_an_enrolled_key_has_a_record_that_parses_and_can_be_shown(
    token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "root.key.json"
    assert generate(token) == 0
    assert enrol(token, out) == 0
    record = read_key_record(out.read_bytes(), str(out))
    assert (record.home, record.custodian, record.purpose) == ("hsm", "carol", "root")
    capsys.readouterr()
    assert main(["key", "show", "--record", str(out), "--json"], PERSON) == 0
    assert json.loads(capsys.readouterr().out)["spki_sha256"] == record.spki_sha256


def test_the_custodian_reads_what_their_key_will_say(token: str, tmp_path: Path) -> None:
    person = edges(PIN="1234")
    generate(token)
    arguments = ["key", "enrol", "--token", token, "--label", "root", "--purpose", "root", "--environment", "staging"]
    assert main([*arguments, "--custodian", "carol", "--out", str(tmp_path / "root.key.json")], person) == 0
    (said,) = person.person.said  # type: ignore[attr-defined] # Answers has it
    assert said.startswith("carol states by this key's signature: this is a root key for staging, made on token rel-a")


def test_a_record_is_never_overwritten(token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "root.key.json"
    generate(token)
    enrol(token, out)
    before = out.read_bytes()
    assert enrol(token, out) == 2
    assert "exists already" in capsys.readouterr().err
    assert out.read_bytes() == before


@pytest.mark.rule("TOKEN-PRODUCTION", "accept")
def test_staging_takes_a_softhsm_key(token: str, tmp_path: Path) -> None:
    generate(token)
    assert enrol(token, tmp_path / "root.key.json", "staging") == 0


@pytest.mark.rule("TOKEN-PRODUCTION", "reject")
def test_production_takes_no_softhsm_key(token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate(token)
    assert enrol(token, tmp_path / "root.key.json", "production") == 3
    assert "TOKEN-PRODUCTION" in capsys.readouterr().err
    assert not (tmp_path / "root.key.json").exists()


@pytest.mark.parametrize(("environment", "status"), [("development", 0), ("staging", 3), ("production", 3)])
def test_a_key_file_serves_development_alone(tmp_path: Path, environment: str, status: int) -> None:
    uri = f"development:{tmp_path / 'dev.json'}"
    assert main(["token", "init", "--token", uri], PERSON) == 0
    assert generate(uri) == 0
    assert enrol(uri, tmp_path / "root.key.json", environment) == status


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "dev.json"
    main(["token", "init", "--token", f"development:{file}"], PERSON)
    file.chmod(0o644)
    assert generate(f"development:{file}") == 2
    assert "others can read it" in capsys.readouterr().err


@pytest.mark.parametrize("pin", ["9999", ""])
def test_a_wrong_pin_is_one_clear_line(token: str, capsys: pytest.CaptureFixture[str], pin: str) -> None:
    arguments = ["key", "generate", "--token", token, "--label", "root"]
    assert main(arguments, edges(PIN=pin)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: token rel-a: wrong PIN")
    assert "Traceback" not in error


def test_a_wrong_pin_of_a_key_file_is_the_same_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uri = f"development:{tmp_path / 'dev.json'}"
    main(["token", "init", "--token", uri], PERSON)
    generate(uri)
    assert main(["key", "show", "--token", uri, "--label", "root"], edges(PIN="9999")) == 2
    assert "wrong PIN" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("pkcs11:token=rel-b?module-path=" + MODULE, "no such token"),
        ("pkcs11:token=rel-a", "needs ?module-path="),
        ("pkcs11:?module-path=" + MODULE, "needs token= or serial="),
        ("pkcs11:token=rel-a?module-path=/nowhere.so", "not a PKCS#11 module"),
        ("pkcs11:token=rel-a?module-path=" + MODULE + "&pin-value=1234", "no PIN in an argument"),
        ("pkcs11:token=a;token=b?module-path=" + MODULE, "once each"),
        ("pkcs11:token=%ff?module-path=" + MODULE, "must be UTF-8"),
        ("piv:serial=twelve", "must be the number"),
        ("piv:serial=" + "1" * 5_000, "must be the number"),
        ("development:", "needs a file"),
        ("development:/nowhere/dev.json", "No such file"),
        ("yubikey:1", "must be such as"),
    ],
)
def test_a_token_that_is_not_there_is_one_clear_line(
    token: str, uri: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert token
    assert main(["key", "show", "--token", uri, "--label", "root"], PERSON) == 2
    assert says in capsys.readouterr().err


def test_tokens_of_a_module_are_listed(token: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert token
    assert main(["token", "list", "--module", MODULE, "--json"], PERSON) == 0
    (listed,) = json.loads(capsys.readouterr().out)["tokens"]
    assert (listed["label"], listed["manufacturer"]) == ("rel-a", "SoftHSM project")
