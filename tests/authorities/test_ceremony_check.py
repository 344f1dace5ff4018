"""What is proved of a ceremony script before anybody is in the room: each rule with one thing that breaks it."""

import json
import re
from pathlib import Path

import pytest

from enigm_tuf.authorities.ceremony.actions import CHANGES, INVENTORIED, MAKES_KEY, PURPOSES, USES_KEY
from enigm_tuf.authorities.ceremony.checking import check
from enigm_tuf.authorities.ceremony.rules import ScriptRule
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.cli.ceremony_options import ACTIONS, CONFIGURES
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.ceremony import ACTION, BY_HAND, CEREMONY_TYPES, COMMANDS, SCRIPT, read_script
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import words

HEAD = f"""
schema = 1
type = "root-keygen"
title = "The root key of carol"
authority = "release"
environment = "staging"
image_sha256 = "{"1" * 64}"

[policy]
version = 1
sha256 = "{"2" * 64}"

[tokens.root-a]
uri = "pkcs11:token=root-a?module-path=/usr/lib/softhsm/libsofthsm2.so"
serial = "0a1b2c"
bag = "A-1001"

[tokens.alice]
uri = "piv:serial=7000001"
serial = "7000001"

[roles.custodian]
minimum = 1
excludes = ["witness"]

[roles.witness]
minimum = 2
excludes = []
"""


def step(name: str, action: str, *arguments: str, more: str = "") -> str:
    return (
        f'[[steps]]\nid = "{name}"\nactor = "custodian"\nwitness = "witness"\naction = "{action}"\n'
        f'arguments = {json.dumps(arguments)}\nsay = "I do {name}"\nexpect = "done"\non_failure = "retry 2"\n{more}\n'
    )


TOKEN = ("--token", "{tokens.root-a}")
AUDIT = step("audit-token", "key audit", "--home", "{home}", *TOKEN)
KEYGEN = (
    HEAD
    + step("image", "compare-image")
    + step("bag", "compare-bag", more='bag = "root-a"')
    + step("generate", "key generate", *TOKEN, "--label", "root")
    + step(
        "enrol",
        "key enrol",
        *(*TOKEN, "--label", "root", "--purpose", "root", "--environment", "staging", "--custodian", "carol"),
        *("--out", "root-a.key.json"),
    )
    + step("propose", "inventory propose", "--home", "{home}", "--record", "root-a.key.json", "--out", "next.json")
    + step(
        "vote",
        "inventory sign",
        *(
            "next.json",
            "--policy",
            "{policy}",
            "--operators",
            "{operators}",
            "--operator",
            "alice",
            "--token",
            "{tokens.alice}",
            "--label",
            "9a",
        ),
        *("--out", "alice.json"),
    )
    + step("adopt", "inventory adopt", "next.json", "--home", "{home}", "--vote", "alice.json")
    + AUDIT
)
SIGN = step("sign", "sign", "root.enigmreq", "--home", "{home}", *TOKEN, "--label", "root", "--out", "carol.enigmresp")
VERIFY = step("verify", "audit verify", "--home", "{home}")
ALICE = KEYGEN[KEYGEN.index("[tokens.alice]") : KEYGEN.index("[roles.custodian]")]
BAG, IMAGE = 'bag = "A-1001"', f'image_sha256 = "{"1" * 64}"'
SIGNING = (
    HEAD.replace("root-keygen", "routine-sign").replace(BAG, "").replace(IMAGE, "").replace(ALICE, "")
    + AUDIT
    + SIGN
    + VERIFY
)


def findings(text: str) -> set[str]:
    return {str(finding.rule) for finding in check(read_script(text.encode(), "script"), CONFIGURES)}


REHEARSING = SIGNING.replace("routine-sign", "rehearsal")
OPERATORS = REHEARSING + step("list", "operator propose", "list.toml", "--after", "{operators}", "--out", "o.json")
POLICY = REHEARSING + step("next", "policy propose", "next.toml", "--home", "{home}")


@pytest.mark.rule("SCRIPT-ROLES", "accept")
@pytest.mark.rule("SCRIPT-TWO-PEOPLE", "accept")
@pytest.mark.rule("SCRIPT-TYPE", "accept")
@pytest.mark.rule("SCRIPT-ARGUMENTS", "accept")
@pytest.mark.rule("SCRIPT-MATERIALS", "accept")
@pytest.mark.rule("SCRIPT-SERIAL", "accept")
@pytest.mark.rule("SCRIPT-INVENTORY", "accept")
@pytest.mark.rule("SCRIPT-VERIFIED", "accept")
@pytest.mark.rule("SCRIPT-KEY-LISTED", "accept")
@pytest.mark.parametrize("text", [KEYGEN, SIGNING, OPERATORS, POLICY], ids=["keygen", "sign", "operators", "policy"])
def test_a_script_that_breaks_no_rule_is_accepted(text: str, tmp_path: Path) -> None:
    assert findings(text) == set()
    script = tmp_path / "script.toml"
    script.write_text(text)
    assert main(["ceremony", "check", str(script)]) == 0


BROKEN = [
    ("SCRIPT-ROLES", SIGNING, 'actor = "custodian"', 'actor = "nobody"'),
    ("SCRIPT-ROLES", SIGNING, "[roles.custodian]", "[roles.idle]\nminimum = 1\nexcludes = []\n[roles.custodian]"),
    ("SCRIPT-ROLES", SIGNING, 'excludes = ["witness"]', 'excludes = ["witness", "auditor"]'),
    ("SCRIPT-TWO-PEOPLE", SIGNING, 'excludes = ["witness"]', "excludes = []"),
    ("SCRIPT-TWO-PEOPLE", SIGNING, 'witness = "witness"', 'witness = "custodian"'),
    ("SCRIPT-TYPE", SIGNING, VERIFY, VERIFY + step("more", "key destroy", "--home", "{home}", *TOKEN, "--label", "x")),
    ("SCRIPT-TYPE", SIGNING, SIGN, ""),
    ("SCRIPT-TYPE", KEYGEN, '"--purpose", "root"', '"--purpose", "payload"'),
    ("SCRIPT-ARGUMENTS", SIGNING, '"--out", "carol.enigmresp"', '"--out", "carol.enigmresp", "--force"'),
    ("SCRIPT-ARGUMENTS", SIGNING, '"--out", "carol.enigmresp"', '"--json"'),
    ("SCRIPT-ARGUMENTS", SIGNING, '"root.enigmreq", "--home", "{home}"', '"root.enigmreq", "--home", "elsewhere"'),
    ("SCRIPT-ARGUMENTS", SIGNING, '"carol.enigmresp"', '"{home}"'),
    ("SCRIPT-ARGUMENTS", KEYGEN, '"{policy}"', '"other.toml"'),
    ("SCRIPT-ARGUMENTS", KEYGEN, '"{tokens.root-a}"', '"pkcs11:token=x?module-path=m.so"'),
    ("SCRIPT-ARGUMENTS", KEYGEN, 'compare-image"\narguments = []', 'compare-image"\narguments = ["x"]'),
    ("SCRIPT-ARGUMENTS", OPERATORS, '"--after", "{operators}"', '"--after", "older.operators.json"'),
    ("SCRIPT-ARGUMENTS", POLICY, '"next.toml"', '"{policy}"'),
    ("SCRIPT-MATERIALS", SIGNING, "{tokens.root-a}", "{tokens.root-b}"),
    ("SCRIPT-MATERIALS", SIGNING, "[roles.custodian]", ALICE + "[roles.custodian]"),
    ("SCRIPT-MATERIALS", KEYGEN, BAG, ""),
    ("SCRIPT-MATERIALS", KEYGEN, 'bag = "root-a"', ""),
    ("SCRIPT-MATERIALS", KEYGEN, IMAGE, ""),
    ("SCRIPT-SERIAL", SIGNING, 'serial = "0a1b2c"', ""),
    ("SCRIPT-INVENTORY", SIGNING, AUDIT + SIGN, SIGN + AUDIT),
    ("SCRIPT-VERIFIED", SIGNING, SIGN + VERIFY, VERIFY + SIGN),
    ("SCRIPT-KEY-LISTED", KEYGEN, AUDIT, ""),
]


@pytest.mark.rule("SCRIPT-ROLES", "reject")
@pytest.mark.rule("SCRIPT-TWO-PEOPLE", "reject")
@pytest.mark.rule("SCRIPT-TYPE", "reject")
@pytest.mark.rule("SCRIPT-ARGUMENTS", "reject")
@pytest.mark.rule("SCRIPT-MATERIALS", "reject")
@pytest.mark.rule("SCRIPT-SERIAL", "reject")
@pytest.mark.rule("SCRIPT-INVENTORY", "reject")
@pytest.mark.rule("SCRIPT-VERIFIED", "reject")
@pytest.mark.rule("SCRIPT-KEY-LISTED", "reject")
@pytest.mark.parametrize(("rule", "text", "old", "new"), BROKEN)
def test_a_script_that_differs_in_one_thing_is_refused(rule: str, text: str, old: str, new: str) -> None:
    assert old in text
    assert rule in findings(text.replace(old, new))


def test_every_rule_has_a_script_that_breaks_it() -> None:
    assert {rule for rule, *_ in BROKEN} == {str(rule) for rule in ScriptRule}


@pytest.mark.parametrize(
    ("between", "rules"),
    [
        (step("other", "key audit", "--home", "{home}", "--token", "{tokens.alice}"), set()),
        (step("adopt", "inventory adopt", "next.json", "--home", "{home}", "--vote", "v"), {"SCRIPT-INVENTORY"}),
        (step("make", "key generate", *TOKEN, "--label", "more"), {"SCRIPT-INVENTORY", "SCRIPT-KEY-LISTED"}),
    ],
)
def test_what_changes_between_inventory_and_signature_is_seen(between: str, rules: set[str]) -> None:
    text = SIGNING.replace("routine-sign", "rehearsal").replace("[roles.custodian]", ALICE + "[roles.custodian]")
    other = step("card", "key audit", "--home", "{home}", "--token", "{tokens.alice}")
    assert findings(text.replace(SIGN, between + SIGN) + other) == rules


def test_a_token_without_a_serial_gets_it_first() -> None:
    init = step("init", "token init", *TOKEN)
    text = HEAD.replace("root-keygen", "hsm-init").replace(IMAGE, "").replace(BAG, "").replace(ALICE, "")
    new = text.replace('serial = "0a1b2c"', "")
    assert findings(new + init) == set()
    assert findings(text + init) == {"SCRIPT-SERIAL"}
    assert findings(new + AUDIT + init) == {"SCRIPT-SERIAL"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("schema = 1", "schema = 1\nforce = true", "force: unknown field"),
        ('type = "routine-sign"', 'type = "party"', "type: must be one of hsm-init"),
        ('action = "sign"', 'action = "shell"', "steps[1].action: must be one of do, compare-bag"),
        ('on_failure = "retry 2"', 'on_failure = "ignore"', "steps[0].on_failure: must be retry N, resume or abort"),
        ('on_failure = "retry 2"', 'on_failure = "retry 10"', "steps[0].on_failure: at most 7 characters"),
        ('say = "I do sign"', "", "steps[1].say: missing field"),
        ('id = "verify"', 'id = "sign"', "steps.id: nothing stands twice"),
        ("minimum = 2", "minimum = 0", "roles.witness.minimum: must lie in"),
    ],
)
def test_a_script_that_is_none_is_refused_by_its_field(old: str, new: str, told: str) -> None:
    assert old in SIGNING
    with pytest.raises(MalformedError, match=re.escape(told)):
        read_script(SIGNING.replace(old, new, 1).encode(), "script.toml")


def test_every_action_is_a_command_or_done_by_hand_and_every_type_says_what_it_is_for() -> None:
    assert set(ACTION.words) == set(BY_HAND) | set(COMMANDS)
    assert set(ACTIONS) == set(COMMANDS)
    assert set(PURPOSES) == set(CEREMONY_TYPES)
    assert {*USES_KEY, *INVENTORIED, *MAKES_KEY, *CHANGES} <= set(COMMANDS)


def test_the_refusal_says_rule_step_and_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.toml"
    script.write_text(SIGNING.replace(AUDIT, ""))
    assert main(["ceremony", "check", str(script)]) == 3
    said = capsys.readouterr()
    assert "error: SCRIPT-INVENTORY: step sign" in said.err
    assert "no key audit of root-a" in said.out
    assert main(["ceremony", "script", str(script), "--out", str(tmp_path / "page.html")]) == 3
    assert not (tmp_path / "page.html").exists()


def test_a_script_is_written_as_it_was_read() -> None:
    script = read_script(KEYGEN.encode(), "script")
    assert SCRIPT.read(SCRIPT.write(script), "again") == script


# --- on paper ---


def printed(tmp_path: Path, text: str, *options: str) -> str:
    (tmp_path / "script.toml").write_text(text)
    out = tmp_path / "page.html"
    assert main(["ceremony", "script", str(tmp_path / "script.toml"), *options, "--out", str(out)]) == 0
    return out.read_text()


def test_the_page_has_every_step_every_role_and_the_digest_in_words(tmp_path: Path) -> None:
    page = printed(tmp_path, KEYGEN)
    assert " ".join(words(sha256(KEYGEN.encode()))[:8]) in page
    assert page.count('class="step"') == 8
    assert page.count("<tr><td>witness</td><td><span") == 2, "one line to sign for each of the two witnesses"
    assert "REHEARSAL" not in page


def test_a_rehearsal_is_marked_on_the_page(tmp_path: Path) -> None:
    assert '<div class="watermark" aria-hidden="true">REHEARSAL</div>' in printed(tmp_path, KEYGEN, "--rehearsal")


def test_no_text_of_a_script_becomes_markup_or_reaches_the_network(tmp_path: Path) -> None:
    page = printed(tmp_path, KEYGEN.replace("I do bag", "<script src=http://x></script>"))
    assert "<script" not in page
    assert "&lt;script src=http://x&gt;" in page
    assert "default-src 'none'" in page
