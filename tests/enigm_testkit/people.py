"""A person at the terminal, for tests: answers by what is asked."""

from datetime import datetime

from enigm_tuf.authorities.cli.edges import Person
from enigm_tuf.errors import MisuseError


class Answers(Person):
    """Gives the answer whose key is part of the question; remembers what was said to it."""

    def __init__(self, **answers: str) -> None:
        self.answers = {key.replace("_", " "): value for key, value in answers.items()}
        self.said: list[str] = []

    def ask(self, question: str) -> str:
        for key, answer in self.answers.items():
            if key in question:
                return answer
        raise MisuseError(f"no answer to: {question}")

    def ask_secret(self, what: str) -> str:
        return self.ask(what)

    def notify(self, text: str) -> None:
        self.said.append(text)


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time
