"""The scripts that come with enigm-tuf, one for each type, filled in for one house.

A shipped file has roles and steps; ``<<name>>`` stands for what differs from house to house. What is written is a whole
script: to be read, changed where this house works otherwise, checked, printed and kept.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from enigm_tuf.authorities.home import Home
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.ceremony import CeremonyToken, CeremonyType

_MARK = re.compile(r"<<([a-z][a-z-]*)>>")
_TOKENS = re.compile(r"\{tokens\.([a-z0-9][a-z0-9_-]*)\}")
_INITIALISED = re.compile(r'action = "token init"\narguments = \[\s*"--token",\s*"\{tokens\.([a-z0-9_-]+)\}"')
_UNFIT = re.compile(r'["\\\x00-\x1f\x7f]|<<|>>|[{}]')


@dataclass(frozen=True, slots=True)
class Filling:
    """What this house puts into a shipped script: texts by mark, tokens by name."""

    texts: Mapping[str, str]
    tokens: Mapping[str, CeremonyToken]
    image_sha256: str | None = None


def body_of(kind: CeremonyType) -> str:
    """The shipped file."""
    return files(__package__).joinpath("scripts", f"{kind}.toml").read_text()


def marks_in(kind: CeremonyType) -> tuple[str, ...]:
    """What must be filled in, but for the environment, which the home says."""
    return tuple(sorted(set(_MARK.findall(body_of(kind))) - {"environment"}))


def tokens_of(kind: CeremonyType) -> tuple[str, ...]:
    """The names of the tokens that it uses."""
    return tuple(sorted(set(_TOKENS.findall(body_of(kind)))))


def initialised_in(kind: CeremonyType) -> frozenset[str]:
    """The tokens that it makes ready: those of PKCS#11 have no serial before."""
    return frozenset(_INITIALISED.findall(body_of(kind)))


def write_shipped(kind: CeremonyType, home: Home, filling: Filling) -> str:
    """The script's text; MisuseError if something is missing, is too much, or cannot stand in a text."""
    _require_same("--set", marks_in(kind), filling.texts)
    _require_same("--token", tokens_of(kind), filling.tokens)
    texts = {**filling.texts, "environment": home.environment}
    for name, text in texts.items():
        if not text or _UNFIT.search(text):
            raise MisuseError(
                f"--set {name}: one line without quotes, braces, backslashes and << >>, not {text[:60]!r}"
            )
    why, _, rest = body_of(kind).partition("\n\n")
    head, _, steps = _MARK.sub(lambda mark: texts[mark[1]], rest).partition("[[steps]]")
    return "\n".join(
        [
            why,
            "",
            *_top(kind, home, filling),
            head,
            *_compared(head, filling),
            f"[[steps]]{steps}",
            *_bound(home, filling),
        ]
    )


def _require_same(option: str, wanted: tuple[str, ...], given: Mapping[str, object]) -> None:
    if missing := [name for name in wanted if name not in given]:
        raise MisuseError(f"{option}: {', '.join(missing)} must be given", hint=f"{option} NAME=...")
    if unknown := [name for name in given if name not in wanted]:
        raise MisuseError(f"{option}: this script has no {', '.join(unknown)}; it has {', '.join(wanted) or 'none'}")


def _top(kind: CeremonyType, home: Home, filling: Filling) -> list[str]:
    lines = ["schema = 1", f'type = "{kind}"', f'authority = "{home.authority}"', f'environment = "{home.environment}"']
    return [*lines, *([f'image_sha256 = "{filling.image_sha256}"'] if filling.image_sha256 else [])]


def _compared(head: str, filling: Filling) -> list[str]:
    """A step for the image and for each bag, by the roles of the script."""
    roles = re.findall(r"^\[roles\.([a-z-]+)\]", head, re.MULTILINE)
    first = f'actor = "{roles[0]}"\nwitness = "{roles[1]}"'
    image = ["the image, as this machine shows it"] if filling.image_sha256 else []
    steps = [
        _by_hand("image", first, "compare-image", say, "The words were read off the machine's own screen.")
        for say in image
    ]
    for name, token in filling.tokens.items():
        if token.bag:
            say = f"I read the number of the bag of {name}, look at its seal, and open it."
            steps.append(_by_hand(f"bag-{name}", first, "compare-bag", say, "The seal was whole.", f'bag = "{name}"\n'))
    return steps


def _by_hand(step: str, people: str, action: str, say: str, expect: str, more: str = "") -> str:
    return (
        f'[[steps]]\nid = "{step}"\n{people}\naction = "{action}"\narguments = []\nsay = "{say}"\n'
        f'expect = "{expect}"\non_failure = "abort"\n{more}'
    )


def _bound(home: Home, filling: Filling) -> list[str]:
    """Policy and tokens."""
    pin = home.policy_pin
    tables = [f'[policy]\nversion = {pin.version}\nsha256 = "{pin.sha256}"\n']
    for name, token in filling.tokens.items():
        lines = {"uri": token.uri, "serial": token.serial, "bag": token.bag}
        told = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in lines.items() if value]
        tables.append("\n".join([f"[tokens.{name}]", *told, ""]))
    return tables
