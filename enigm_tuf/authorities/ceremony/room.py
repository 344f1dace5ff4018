"""What a ceremony needs from outside: the people, the clock, the tokens, and the commands of enigm-sign."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.authorities.ceremony.arguments import Configure, Filled, parse_arguments
from enigm_tuf.authorities.ceremony.people import SigningPlace
from enigm_tuf.authorities.home import Home
from enigm_tuf.commandline import Outcome
from enigm_tuf.model.ceremony import Script, Step
from enigm_tuf.model.operators import Operator
from enigm_tuf.ports import Clock, PinCallback, Token


@dataclass(frozen=True, slots=True)
class RoomCommand:
    """A command of enigm-sign: its parser's options, and what it does."""

    configure: Configure
    run: Callable[[argparse.Namespace], Outcome]


@dataclass(frozen=True, slots=True)
class Room:
    """``operators`` are those of the registry in force by id; ``places`` say where the participants' keys are."""

    home: Home
    script: Script
    script_sha256: str
    rehearsal: bool
    clock: Clock
    ask: Callable[[str], str]
    say: Callable[[str], None]
    secret: PinCallback
    open_token: Callable[[str], Token]
    commands: Mapping[str, RoomCommand]
    operators: Mapping[str, Operator]
    operators_file: Path
    places: Mapping[str, SigningPlace]

    @property
    def policy(self) -> Path:
        return self.home.policy_file

    def arguments(self, step: Step) -> list[str]:
        """The step's arguments with their marks filled in."""
        tokens = {name: token.uri for name, token in self.script.tokens.items()}
        return Filled(str(self.home.path), str(self.policy), str(self.operators_file), tokens).arguments(step)

    def parsed(self, step: Step) -> argparse.Namespace:
        """The same, read by the command's parser; empty for what is done by hand."""
        if step.action not in self.commands:
            return argparse.Namespace()
        return parse_arguments(step, self.arguments(step), self.commands[step.action].configure)

    def out(self, step: Step) -> Path | None:
        """The file that the step writes, if it writes one."""
        out = getattr(self.parsed(step), "out", None)
        return Path(out) if out else None
