"""The arguments of a step, read by the parser of the very command that will take them."""

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.ceremony import BY_HAND, Step

Configure = Callable[[argparse.ArgumentParser], None]
HOME, POLICY, OPERATORS = "{home}", "{policy}", "{operators}"
_TOKEN = re.compile(r"\{tokens\.([a-z0-9][a-z0-9_-]{0,62})\}")
_MARK = re.compile(r"\{.*\}")


@dataclass(frozen=True, slots=True)
class Filled:
    """What the marks of a script stand for in one room."""

    home: str
    policy: str
    operators: str
    tokens: Mapping[str, str]

    def arguments(self, step: Step) -> list[str]:
        """The arguments as the command takes them."""
        return [self._fill(item) for item in step.arguments]

    def _fill(self, item: str) -> str:
        name = token_name(item)
        if name is not None:
            return self.tokens[name]
        return {HOME: self.home, POLICY: self.policy, OPERATORS: self.operators}.get(item, item)


def token_name(item: str | None) -> str | None:
    """The NAME of ``{tokens.NAME}``; None for anything else."""
    match = _TOKEN.fullmatch(item or "")
    return match[1] if match else None


def tokens_in(step: Step) -> list[str]:
    """The tokens that a step's command opens, and the one whose bag is compared."""
    named = [name for item in step.arguments if (name := token_name(item))]
    return named + ([step.bag] if step.bag else [])


def parse_arguments(step: Step, arguments: list[str], configure: Configure) -> argparse.Namespace:
    """As the command line would; MalformedError in its words."""
    parser = _Parser(step.id, step.action)
    configure(parser)
    return parser.parse_args(arguments)


def read_arguments(step: Step, commands: Mapping[str, Configure]) -> argparse.Namespace:
    """The arguments with their marks still in; MalformedError where one is wrong or reaches around the script."""
    if step.action in BY_HAND:
        _refuse_if(bool(step.arguments), step, "what people do by hand takes no arguments")
        return argparse.Namespace()
    parsed = parse_arguments(step, list(step.arguments), commands[step.action])
    for name, value in vars(parsed).items():
        for item in value if isinstance(value, list) else [value]:
            _require_mark(step, name, item)
    return parsed


def _require_mark(step: Step, name: str, item: Any) -> None:
    """Home, policy, operators and tokens are those of the script, and marks stand for nothing else."""
    if item is None or not isinstance(item, str):
        return
    fixed = {"home": HOME, "policy": POLICY, "operators": OPERATORS, "after": OPERATORS}
    wanted = item == fixed[name] if name in fixed else None
    if name in ("token", "spare"):
        wanted = token_name(item) is not None
    if wanted is None:
        wanted = not _MARK.search(item)
    marks = fixed | {"token": "{tokens.NAME}", "spare": "{tokens.NAME}"}
    _refuse_if(not wanted, step, f"--{name} must be {marks.get(name, 'without a mark')}, is {item[:60]}")


def _refuse_if(wrong: bool, step: Step, why: str) -> None:
    if wrong:
        raise MalformedError(f"step {step.id}", "arguments", why)


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would print and leave."""

    def __init__(self, step: str, action: str) -> None:
        super().__init__(prog=action, add_help=False, allow_abbrev=False)
        self._step = step

    def error(self, message: str) -> NoReturn:
        raise MalformedError(f"step {self._step}", "arguments", f"{self.prog}: {message}")
