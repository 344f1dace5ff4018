"""How long the card still waits: counted down on a terminal, said once elsewhere."""

import io
import os
import pty
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TextIO

import pytest

from enigm_testkit.piv_desk import Holder, desk_with_key
from enigm_tuf.authorities.cli.countdown import countdown
from enigm_tuf.authorities.cli.edges import Terminal


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """Where a person reads, and where a program writes."""
    master, slave = pty.openpty()
    with open(slave, "w") as stream:  # noqa: PTH123 - a descriptor
        yield master, stream
    os.close(master)


def read_until(master: int, text: str) -> str:
    """What stands on the terminal up to and with ``text``; the test's time limit is the limit."""
    seen = ""
    while text not in seen:
        seen += os.read(master, 1000).decode()
    return seen


def test_a_terminal_counts_the_seconds_and_is_clean_again(terminal: tuple[int, TextIO]) -> None:
    master, stream = terminal
    with countdown("touch it", 15, stream):
        seen = read_until(master, "14 s left")
    assert [part.partition(": ")[2] for part in seen.split("\r\x1b[K")[1:]] == ["15 s left", "14 s left"]
    stream.write("next")
    stream.flush()
    assert read_until(master, "next").endswith("\r\x1b[Knext")


def test_no_second_is_counted_below_one(terminal: tuple[int, TextIO]) -> None:
    master, stream = terminal
    with countdown("touch it", 1, stream):
        assert read_until(master, "left") == "\r\x1b[Ktouch it: 1 s left"


def test_elsewhere_one_line_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with Terminal().waiting("card 1, slot 9c: touch it now to sign x", 15):
        assert stream.getvalue() == "card 1, slot 9c: touch it now to sign x (15 s)\n"
    assert stream.getvalue().count("\n") == 1


def test_a_countdown_ends_with_an_error_too(terminal: tuple[int, TextIO]) -> None:
    _, stream = terminal
    with pytest.raises(ZeroDivisionError), countdown("touch it", 15, stream):
        raise ZeroDivisionError


class AtATerminal(Holder):
    """Sees the countdown of a real terminal."""

    stream: TextIO

    def waiting(self, text: str, seconds: int) -> AbstractContextManager[None]:
        return countdown(text, seconds, self.stream)


def test_the_finger_comes_when_the_terminal_has_said_which_card_and_slot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], terminal: tuple[int, TextIO]
) -> None:
    desk = desk_with_key(tmp_path, capsys)
    master, stream = terminal
    holder = AtATerminal(desk.card)
    holder.stream = stream

    def finger() -> float:
        seen = read_until(master, "14 s left")
        assert "card 1001, slot 9c: touch it now to sign proof of possession: 15 s left" in seen
        return 1.0

    desk.card.touch = finger
    assert desk.enrol(holder) == 0
    assert desk.card.signatures == 1
