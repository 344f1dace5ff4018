"""Every command of enigm-sign explains itself."""

import pytest

from enigm_tuf.authorities.cli import COMMANDS, main

VERBS = (
    "token init",
    "token list",
    "token unblock",
    "key generate",
    "key enrol",
    "key show",
    "key audit",
    "key destroy",
    "wrapping make",
    "wrapping destroy",
    "key backup",
    "key restore-test",
    "key restore",
    "authority init",
    "authority trust",
    "operator propose",
    "operator sign",
    "operator adopt",
    "operator list",
    "policy check",
    "policy explain",
    "policy diff",
    "policy replay",
    "policy propose",
    "policy approve",
    "policy adopt",
    "inventory propose",
    "inventory sign",
    "inventory adopt",
    "request inspect",
    "approve",
    "reject",
    "waive",
    "sign",
    "response again",
    "explain",
    "audit verify",
    "audit show",
    "audit checkpoint",
    "audit witness",
    "audit export",
    "finding propose",
    "finding sign",
    "audit recover",
    "ceremony new",
    "ceremony check",
    "ceremony script",
    "ceremony rehearse",
    "ceremony run",
    "ceremony verify",
    "timestamp",
)


def test_these_are_the_commands() -> None:
    assert [command.name for command in COMMANDS] == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_examples_and_json(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*verb.split(), "--help"])
    text = capsys.readouterr().out
    assert left.value.code == 0
    assert f"enigm-sign {verb} " in text.split("examples:")[1]
    assert "--json" in text


@pytest.mark.parametrize("verb", VERBS)
def test_no_command_takes_a_secret_as_an_argument(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*verb.split(), "--help"])
    options = {word.split("=")[0] for word in capsys.readouterr().out.split() if word.startswith("--")}
    assert not {option for option in options if option.startswith(("--pin", "--puk", "--passw"))} - {"--pin-file"}
