"""The rows and how they are shown."""

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Unit = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Goal:
    """``at_least``: how many times better than the peer; otherwise how much of the peer's at the most."""

    bound: float
    at_least: bool = False
    aim: float | None = None

    def __str__(self) -> str:
        aim = f", aim {self.aim:g}" if self.aim is not None else ""
        return f"{'>=' if self.at_least else '<='} {self.bound:g}{aim}"

    def met(self, ratio: float) -> bool:
        return ratio >= self.bound if self.at_least else ratio <= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """One line. ``raw`` has the figures of every round, ours and the peer's."""

    work: str
    against: str
    ours: str
    peer: str
    ratio: float | None
    goal: Goal | None
    raw: dict[str, list[float]]

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        return "met" if self.ratio is not None and self.goal.met(self.ratio) else "NOT MET"

    def cells(self) -> tuple[str, ...]:
        goal = str(self.goal) if self.goal else "none"
        ratio = "-" if self.ratio is None else f"{self.ratio:.3g}"
        return (self.work, self.against, self.ours, self.peer, ratio, goal, self.verdict)

    def as_json(self) -> dict[str, object]:
        names = ("work", "against", "ours", "peer", "ratio", "goal", "verdict")
        return dict(zip(names, self.cells(), strict=True)) | {"ratio": self.ratio, "raw": self.raw}


def compared(
    work: str, against: str, ours: Sequence[float], peer: Sequence[float], goal: Goal | None, unit: Unit
) -> Row:
    """Medians, and the median of the rounds' ratios: how many times better, or for an "at most" goal ours in peers."""
    pairs = list(zip(ours, peer, strict=True))
    at_least = goal is None or goal.at_least
    ratio = statistics.median(other / own if at_least else own / other for own, other in pairs)
    medians = unit(statistics.median(ours)), unit(statistics.median(peer))
    return Row(work, against, *medians, ratio, goal, {"ours": list(ours), "peer": list(peer)})


def absolute(
    work: str, against: str, ours: Sequence[float], peer: Sequence[float], goal: Goal, unit: Unit, per: float = 1
) -> Row:
    """A goal on our own median, counted in ``per``; the peer's stands beside it."""
    middle = statistics.median(ours)
    beside = unit(statistics.median(peer)) if peer else ""
    return Row(work, against, unit(middle), beside, middle / per, goal, {"ours": list(ours), "peer": list(peer)})


def attempted(work: str, goal: Goal, rows: Callable[[], list[Row]]) -> list[Row]:
    """The rows; if a client fails at the work, one row that says so, and the rest of the table goes on."""
    try:
        return rows()
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return [Row(work, "-", "failed", "-", None, goal, {})]


def rendered(rows: Sequence[Row]) -> str:
    """A Markdown table, aligned."""
    lines = [("work", "against", "ours", "peer", "ratio", "goal", "met?"), *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(7)]
    lines.insert(1, tuple("-" * width for width in widths))
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def mebibytes(value: float) -> str:
    return f"{value / 2**20:.1f} MiB"


def number(value: float) -> str:
    return f"{value:,.0f}"


def factor(value: float) -> str:
    return f"{value:.2f}"
