"""Write the parts of docs/ that follow from the code: JSON Schemas, the table of rules, the assurance case.

Run as ``.venv/bin/python scripts/write_reference.py``; tests/docs/test_reference.py holds the files to it.
"""

import ast
import importlib
import json
import pkgutil
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import enigm_tuf
import enigm_tuf_client
import enigm_tuf_client.cli as client_cli
import enigm_tuf_repository
import enigm_tuf_repository.cli as repository_cli
from enigm_tuf.authorities import cli as authorities_cli
from enigm_tuf.authorities.ceremony import shipped
from enigm_tuf.authorities.ceremony.actions import PURPOSES
from enigm_tuf.authorities.ceremony.reconciling import ADOPTED, LOGGED, OTHERS
from enigm_tuf.authorities.ceremony.rules import CeremonyRule, ScriptRule, TranscriptRule
from enigm_tuf.commandline import Command
from enigm_tuf.model import (
    approval,
    backup,
    ceremony,
    finding,
    inventory,
    keys,
    manifest,
    operators,
    payload,
    policy,
    request,
    root_extension,
    wrapping,
)
from enigm_tuf.model.ceremony import BY_HAND, COMMANDS
from enigm_tuf.model.shapes import Record
from enigm_tuf.policy.catalogue import Page, pages
from enigm_tuf.trust.rules import Rule
from enigm_tuf_repository.gates import statements
from enigm_tuf_repository.gates.pinned import PINNED_GATES
from enigm_tuf_repository.gates.plugins import installed_gates

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS: dict[str, tuple[Record[Any], str]] = {
    "root-extension": (root_extension.ROOT_EXTENSION, "The field x-enigm-tuf of root metadata"),
    "ota-manifest": (manifest.OTA_MANIFEST, "The target manifests/<product>/<channel>.json"),
    "payload-record": (payload.PAYLOAD_RECORD, "The custom field of a target in a payload role"),
    "key-record": (keys.KEY_RECORD, "A .key.json file: one enrolled key"),
    "key-inventory": (inventory.INVENTORY, "All keys of an authority, as operators vote for them"),
    "operators": (operators.OPERATORS, "The registry of an authority's operators, as policy-approvers vote for it"),
    "operator-list": (operators.OPERATOR_LIST, "The file (TOML) that people write of the operators, as an object"),
    "wrapping-key": (wrapping.WRAPPING_KEY, "A .wrapping.json file: a key under which others are backed up"),
    "key-backup": (backup.BACKUP, "A .backup.json file: a payload key, wrapped, with the statement that it signed"),
    "restore-proof": (backup.RESTORE_PROOF, "A .restore.json file: that a backup gave its key back"),
    "finding": (finding.FINDING, "What people found out about an intent without a result, as they vote for it"),
    "request-index": (request.REQUEST_INDEX, "index.json of a .enigmreq"),
    "signing-response": (request.SIGNING_RESPONSE, "index.json of a .enigmresp"),
    "approval-statement": (approval.APPROVAL.shape, "The in-toto statement in an approval's DSSE envelope"),
    "gate-statement": (statements.GATE_STATEMENT.shape, "gates/<ID>.json in a record: what one release gate said"),
    "ceremony-script": (ceremony.SCRIPT, "A ceremony script (TOML), as the object that it reads into"),
    "policy": (policy.POLICY, "A policy file (TOML), as the object that it reads into"),
}


def schema_text(name: str) -> str:
    """The JSON Schema (2020-12) of one document."""
    record, title = SCHEMAS[name]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return json.dumps(head | record.schema(), indent=2) + "\n"


@cache
def catalogue() -> dict[str, Rule]:
    """Every security rule by ID, of every family in the three distributions."""
    for package in (enigm_tuf, enigm_tuf_client, enigm_tuf_repository):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return {str(rule): rule for family in Rule.__subclasses__() for rule in family}


@cache
def marked_tests() -> dict[str, dict[str, list[str]]]:
    """For each rule ID, the tests marked as its accept and reject tests, as pytest names them."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, decorators in _functions(ast.parse(path.read_text())):
            for rule, verdict in _marks(decorators):
                found[rule][verdict].append(f"{path.relative_to(ROOT)}::{name}")
    return found


def _functions(tree: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.decorator_list
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}::{inner.name}", inner.decorator_list


def _marks(decorators: list[ast.expr]) -> Iterator[tuple[str, str]]:
    for call in decorators:
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.rule":
            rule, verdict = (ast.literal_eval(argument) for argument in call.args)
            yield rule, verdict


ASSURANCE_HEAD = """\
    # Assurance case

    Claim: a device installs an artifact only if both authorities, as pinned by the newest trusted root,
    agree on it, and it is not older than the device's floor.

    Argument: each rule below refuses on its own. Evidence: for each rule a test that is accepted, and a test
    that differs from it in one thing and is refused with the rule's ID. `make test` fails if one of them did not
    run and pass. Written by `scripts/write_reference.py`; edit the rules and the tests, not this page.

    Not claimed: that a key made no other signature than those in the audit log. No token at hand counts its signatures
    (docs/reference/tokens.md); what is published without an entry is found, what is never published is not.

    | rule | it demands | accept test | reject test |
    |---|---|---|---|
    """


def assurance_text() -> str:
    """docs/assurance.md: a row for each rule."""
    tests = marked_tests()
    rows = [
        f"| `{rule}` | {entry.demand} | {_cell(tests[rule]['accept'])} | {_cell(tests[rule]['reject'])} |"
        for rule, entry in sorted(catalogue().items())
    ]
    return textwrap.dedent(ASSURANCE_HEAD) + "\n".join(rows) + "\n"


def _cell(names: list[str]) -> str:
    return "<br>".join(f"`{name}`" for name in names)


COMMAND_LINES_HEAD = """\
    # Command lines

    Exit status: 0 done, 2 bad input, usage, token, network or disk, 3 refused by a rule. 1 is a crash: a bug.
    Every command takes `--json`, and `--help`. PINs and confirmations are asked for on the terminal, or taken line by
    line from standard input where there is no terminal; none is ever an argument. Written by
    `scripts/write_reference.py` from the commands themselves.
    """


def command_lines_text() -> str:
    """docs/reference/command-lines.md: a section for each command."""
    programs: dict[str, Sequence[Command[Any]]] = {
        "enigm-sign": authorities_cli.COMMANDS,
        "enigm-repo": repository_cli.COMMANDS,
        "enigm-update": client_cli.COMMANDS,
    }
    parts = [textwrap.dedent(COMMAND_LINES_HEAD)]
    for program, commands in programs.items():
        parts.append(f"## {program}\n")
        for command in commands:
            about = "\n\n".join(filter(None, (command.summary, command.details)))
            parts.append(f"### {program} {command.name}\n\n{about}\n\n```console\n{_prompted(command.examples)}\n```\n")
    return "\n".join(parts)


def _prompted(examples: str) -> str:
    return "\n".join(f"$ {line}" for line in examples.strip().splitlines())


GATES_HEAD = """\
    # Release gates

    `enigm-repo release gate RECORD` runs every gate below, side by side. Each stands alone, has a verdict of its own
    (`pass`, `fail`, `not-applicable`) and leaves an in-toto statement in the record, `gates/<ID>.json`
    ([schema](schemas/gate-statement.schema.json)), which the record binds by digest and which publication reads again.
    No configuration switches one off: `GATE-SET` refuses a release unless all of them were there, from this
    distribution, and ran. A gate that crashes has failed.

    A gate of your own is an object of the Protocol `enigm_tuf_repository.gates.gate.Gate`, registered as an entry point
    of the group `enigm_tuf_repository.gates` under its ID. It can only refuse more. Name it in `also_required_gates` of
    `repository.toml`, and a release is refused where it is missing. It runs inside `enigm-repo`: install only what you
    trust as much. Written by `scripts/write_reference.py` from the gates themselves.
    """


def gates_text() -> str:
    """docs/reference/gates.md: a section for each pinned gate."""
    gates = {str(plugin.gate.rule): plugin.gate for plugin in installed_gates().plugins}
    sections = [
        f"## {rule}\n\nDemands: {gate.rule.demand}.\n\nProves: {gate.proves}\n\nDoes not prove: {gate.does_not_prove}\n"
        for rule, gate in gates.items()
        if rule in PINNED_GATES
    ]
    return "\n".join([textwrap.dedent(GATES_HEAD), *sections])


POLICY_RULES_HEAD = """\
    # Policy rules

    What an authority asks of a request before anything is signed. The catalogue is closed: a policy gives the rules
    their numbers, and nothing in it switches a rule off. Every rule answers, also after one has refused; a request is
    signed if all of them pass. `enigm-repo request lint` asks the same rules with the same code.

    `enigm-sign policy check FILE` reads a policy strictly, `enigm-sign policy explain FILE` shows each rule
    with the numbers of that policy, with `--request` what they mean for one request. The tests that prove each rule:
    [assurance case](../assurance.md). Written by `scripts/write_reference.py` from the rules themselves.
    """


def policy_rules_text() -> str:
    """docs/reference/policy-rules.md: a section for each family, a paragraph for each rule."""
    parts = [textwrap.dedent(POLICY_RULES_HEAD)]
    for family in dict.fromkeys(page.family for page in pages()):
        parts.append(f"## {family}\n")
        parts += [_rule_text(page) for page in pages() if page.family == family]
    return "\n".join(parts)


def _rule_text(page: Page) -> str:
    fields = ", ".join(f"`{field}`" for field in page.fields) or "nothing"
    paragraph = textwrap.fill(page.paragraph.replace("``", "`"), 120)
    ends = f"Evidence: {page.evidence} Reads of the policy: {fields}."
    return f"### {page.rule}\n\nDemands: {page.rule.demand}.\n\n{paragraph}\n\n{textwrap.fill(ends, 120)}\n"


CEREMONIES_HEAD = """\
    # Ceremonies

    A script is a TOML file ([schema](schemas/ceremony-script.schema.json)): its type, the policy by version and
    digest, roles with the least number of people and the roles that none of them may play beside, tokens with serial
    and bag, the digest of the machine's image, and steps. A step has an actor and a witness (roles), an action, its
    arguments, what is said, what is expected, and `on_failure`: `retry N` (N more times, then abort), `resume` (stop,
    go on later) or `abort`. A retry is never the last try of a PIN. Whatever a script says, its people can end a
    ceremony: `ceremony run --abort REASON`.

    An action is done by hand or is a command of `enigm-sign` with its own arguments; `{home}`, `{policy}`,
    `{operators}` and `{tokens.NAME}` stand for what the script binds. How to:
    [Run a ceremony](../howto/run-a-ceremony.md). Written by `scripts/write_reference.py` from the code.

    ## Types

    Besides what is listed, each may do by hand what it likes, and look: `token list`, `key show`, `key audit`,
    `request inspect`, `audit verify`. `enigm-sign ceremony new TYPE` fills in the shipped script of a type.

    | type | it is for | must do | may do | tokens | to be filled in |
    |---|---|---|---|---|---|
    """
ACTIONS_HEAD = """\

    ## Actions

    What is asked before a step is done again that was begun before, after a crash or an error. Where the answers
    disagree, actor and witnesses each say what they know, and the transcript has their words.

    | action | whether it happened is looked up |
    |---|---|
    """
_LOOKED_UP = {
    "token init": "on the token, after a crash; whether its PIN was set, people say",
    "key generate": "on the token, after a crash",
    "key destroy": "on the token, and in the audit log",
    "wrapping destroy": "in the audit log; whether the token did it, people say",
    "authority trust": "in the audit log, and in the home",
    "policy propose": "in the audit log",
    **dict.fromkeys(ADOPTED, "in the audit log, and whether the home has the document"),
    "sign": "in the audit log; a response that was lost is written again",
}


def ceremonies_text() -> str:
    """docs/reference/ceremonies.md: types, actions, rules of scripts and transcripts."""
    parts = [textwrap.dedent(CEREMONIES_HEAD)]
    for kind, purpose in PURPOSES.items():
        why = shipped.body_of(kind).splitlines()[0].removeprefix("# ")
        lists = (purpose.must, purpose.may, shipped.tokens_of(kind), shipped.marks_in(kind))
        parts.append(f"| {kind} | {why} | {' | '.join(', '.join(items) or '-' for items in lists)} |\n")
    parts.append(textwrap.dedent(ACTIONS_HEAD))
    parts += [f"| {action} | {_looked_up(action)} |\n" for action in (*BY_HAND, *COMMANDS)]
    for title, family in (("Scripts", ScriptRule), ("While it runs", CeremonyRule), ("Transcripts", TranscriptRule)):
        parts.append(f"\n## {title}\n\n" + "".join(f"- `{rule}`: {rule.demand}\n" for rule in family))
    return "".join(parts)


def _looked_up(action: str) -> str:
    if action in LOGGED:
        return "in the audit log, and whether its file is there"
    if action in _LOOKED_UP:
        return _LOOKED_UP[action]
    return "whether its file is there" if action in OTHERS else "it is done again: it changes nothing"


def documents() -> dict[Path, str]:
    """Every generated file with the text that it must have."""
    schemas = {ROOT / "docs/reference/schemas" / f"{name}.schema.json": schema_text(name) for name in SCHEMAS}
    return schemas | {
        ROOT / "docs/assurance.md": assurance_text(),
        ROOT / "docs/reference/command-lines.md": command_lines_text(),
        ROOT / "docs/reference/gates.md": gates_text(),
        ROOT / "docs/reference/ceremonies.md": ceremonies_text(),
        ROOT / "docs/reference/policy-rules.md": policy_rules_text(),
    }


if __name__ == "__main__":
    for file, text in documents().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
