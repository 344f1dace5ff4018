"""``ceremony check``: what is proved of a script before anybody is in the room. Pure."""

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from enigm_tuf.authorities.ceremony.actions import CHANGES, INVENTORIED, MAKES_KEY, PURPOSES, USES_KEY
from enigm_tuf.authorities.ceremony.arguments import Configure, read_arguments, token_name, tokens_in
from enigm_tuf.authorities.ceremony.rules import ScriptRule
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.ceremony import Script, Step


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that the script breaks: where, and why."""

    rule: ScriptRule
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class _Read:
    """A script whose steps' arguments are read (those that can be)."""

    script: Script
    arguments: dict[str, Namespace]

    def token(self, step: Step) -> str | None:
        return token_name(getattr(self.arguments.get(step.id), "token", None))


def check(script: Script, commands: Mapping[str, Configure]) -> tuple[Finding, ...]:
    """Every finding of every rule; ``commands`` are those of enigm-sign by their names."""
    arguments: dict[str, Namespace] = {}
    broken = []
    for step in script.steps:
        try:
            arguments[step.id] = read_arguments(step, commands)
        except MalformedError as error:
            broken.append(Finding(ScriptRule.SCRIPT_ARGUMENTS, f"step {step.id}", error.rule))
    read = _Read(script, arguments)
    return (*broken, *(Finding(rule, *found) for rule, find in _RULES.items() for found in find(read)))


def require_checked(script: Script, commands: Mapping[str, Configure]) -> None:
    """RefusedError of the first finding."""
    for finding in check(script, commands):
        raise RefusedError(
            finding.rule,
            finding.subject,
            expected=finding.rule.demand,
            got=finding.why,
            hint="enigm-sign ceremony check",
        )


Found = Iterator[tuple[str, str]]


def _roles(read: _Read) -> Found:
    roles = read.script.roles
    used = {name for step in read.script.steps for name in (step.actor, step.witness)}
    for step in read.script.steps:
        yield from ((f"step {step.id}", f"no role {name}") for name in (step.actor, step.witness) if name not in roles)
    for name, role in roles.items():
        if name not in used:
            yield f"role {name}", "no step uses it"
        yield from (
            (f"role {name}", f"excludes {other}, which is no role") for other in role.excludes if other not in roles
        )


def _two_people(read: _Read) -> Found:
    roles = read.script.roles
    for step in read.script.steps:
        if step.actor in roles and step.witness in roles and not _exclude(read.script, step.actor, step.witness):
            yield f"step {step.id}", f"{step.actor} and {step.witness} may be one person"


def _exclude(script: Script, one: str, other: str) -> bool:
    return one != other and (other in script.roles[one].excludes or one in script.roles[other].excludes)


def _type(read: _Read) -> Found:
    kind, actions = read.script.type, [step.action for step in read.script.steps]
    purpose = PURPOSES[kind]
    for step in read.script.steps:
        if not purpose.allows(step.action):
            yield f"step {step.id}", f"{step.action} is not for {kind}"
        key = getattr(read.arguments.get(step.id), "purpose", None)
        if key is not None and key not in purpose.keys:
            yield f"step {step.id}", f"a {key} key is not for {kind}"
    yield from ((f"type {kind}", f"no step does {action}") for action in purpose.must if action not in actions)


def _materials(read: _Read) -> Found:
    script, used = read.script, {name for step in read.script.steps for name in tokens_in(step)}
    for name in sorted(used - script.tokens.keys()):
        yield f"token {name}", "is used, and not among the tokens"
    for name in sorted(script.tokens.keys() - used):
        yield f"token {name}", "no step uses it"
    compared = {step.bag for step in script.steps if step.action == "compare-bag"}
    for name, token in script.tokens.items():
        if (token.bag is not None) != (name in compared):
            yield f"token {name}", "a bag is compared where the token has one, and only there"
    for step in script.steps:
        if (step.bag is not None) != (step.action == "compare-bag"):
            yield f"step {step.id}", "bag is for compare-bag, which needs it"
    if (script.image_sha256 is not None) != any(step.action == "compare-image" for step in script.steps):
        yield "image_sha256", "an image is compared where the script names one, and only there"


def _serials(read: _Read) -> Found:
    for name, token in read.script.tokens.items():
        opening = next(
            (step for step in read.script.steps if name in tokens_in(step) and step.action != "compare-bag"), None
        )
        if token.serial is None and (opening is None or opening.action != "token init"):
            yield f"token {name}", "has no serial, and is not initialised first"
        if token.serial is not None and token.uri.startswith("pkcs11:") and _initialised(read, name):
            yield f"token {name}", "has a serial, and gets another when it is initialised"


def _initialised(read: _Read, name: str) -> bool:
    return any(step.action == "token init" and read.token(step) == name for step in read.script.steps)


def _inventory(read: _Read) -> Found:
    """Before a key is used, its token was compared, and neither token nor inventory changed since."""
    for place, step in enumerate(read.script.steps):
        token = read.token(step)
        if step.action in INVENTORIED and not _compared(read, read.script.steps[:place], token):
            yield f"step {step.id}", f"no key audit of {token} since something was changed"


def _compared(read: _Read, before: tuple[Step, ...], token: str | None) -> bool:
    for step in reversed(before):
        if step.action == "key audit" and read.token(step) == token:
            return True
        if step.action == "inventory adopt" or (step.action in CHANGES and token in tokens_in(step)):
            return False
    return False


def _verified(read: _Read) -> Found:
    for place, step in enumerate(read.script.steps):
        after = [later.action for later in read.script.steps[place + 1 :]]
        if step.action in USES_KEY and "audit verify" not in after:
            yield f"step {step.id}", "no audit verify after it"


def _key_listed(read: _Read) -> Found:
    """``inventory adopt``, and after that ``key audit`` of the token."""
    for place, step in enumerate(read.script.steps):
        if step.action not in MAKES_KEY:
            continue
        after, token = read.script.steps[place + 1 :], read.token(step)
        adopted = next((number for number, later in enumerate(after) if later.action == "inventory adopt"), None)
        audited = adopted is not None and _compared(read, after, token)
        if not audited:
            yield f"step {step.id}", f"no inventory adopt and key audit of {token} after it"


_RULES: dict[ScriptRule, Callable[[_Read], Found]] = {
    ScriptRule.SCRIPT_ROLES: _roles,
    ScriptRule.SCRIPT_TWO_PEOPLE: _two_people,
    ScriptRule.SCRIPT_TYPE: _type,
    ScriptRule.SCRIPT_MATERIALS: _materials,
    ScriptRule.SCRIPT_SERIAL: _serials,
    ScriptRule.SCRIPT_INVENTORY: _inventory,
    ScriptRule.SCRIPT_VERIFIED: _verified,
    ScriptRule.SCRIPT_KEY_LISTED: _key_listed,
}
