"""One history: a repository that changes, an attacker, and both clients after each step."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from enigm_testkit.histories.attacks import Attack
from enigm_testkit.histories.clients import OurClient, Outcome, TheirClient
from enigm_testkit.histories.differences import Step, reviewed
from enigm_testkit.histories.repository import Repository
from enigm_testkit.histories.server import Body, Server

PATHS = ("x/a", "x/b", "y", "x/a/b", "naïve [1].bin")


class Play:
    """``counts`` collects over all histories what happened."""

    def __init__(self, repository: Repository, folder: Path, counts: Counter[str]) -> None:
        self.repository = repository
        self._counts = counts
        self._server = Server(repository.files)
        root = repository.files["1.root.json"]
        self.ours = OurClient(self._server, root)
        self.theirs = TheirClient(self._server, root, folder)
        counts["histories"] += 1

    def observe(self, attack: Attack | None = None) -> Outcome:
        """Both clients update; AssertionError if they part for a reason that nobody has reviewed."""
        before, served = self.ours.held(), dict[str, list[bytes]]()

        def answer(role: str, body: Body) -> Body:
            given = attack.answer(self.repository, role, body) if attack else body
            if isinstance(given, bytes):
                served.setdefault(role, []).append(given)
            return given

        self._server.answer = answer
        ours = self.ours.update(self.repository.now, PATHS)
        theirs = self.theirs.update(self.repository.now, PATHS)
        self._judge(Step(attack.name if attack else None, before, served, ours, theirs))
        return ours

    def _judge(self, step: Step) -> None:
        self._counts["steps"] += 1
        self._counts["accepted" if step.ours.accepted else "refused"] += 1
        self._counts["targets found"] += sum(not isinstance(found, str) for found in step.ours.found.values())
        if step.attack:
            self._counts[f"attack {'passed' if step.ours.accepted else 'refused'}: {step.attack}"] += 1
        if step.ours.verdict() == step.theirs.verdict():
            return
        difference = reviewed(step)
        assert difference is not None, _told(step)
        self._counts[f"difference: {difference}"] += 1
        self.theirs.take_over(step.ours.held)


def _told(step: Step) -> str:
    """Both verdicts, for people."""
    lines = [f"the clients part, and nobody has reviewed why; attack: {step.attack}"]
    for name, outcome in (("ours", step.ours), ("ngclient", step.theirs)):
        word = "accepted" if outcome.accepted else "refused"
        lines += [f"{name} {word}: {outcome.why}", f"  found {outcome.found}"]
    for role in sorted({*step.ours.held, *step.theirs.held}):
        pair = [outcome.held.get(role) for outcome in (step.ours, step.theirs)]
        if pair[0] != pair[1]:
            lines += [
                f"  {role}: before {step.before.get(role)!r}",
                f"    ours {pair[0]!r}",
                f"    ngclient {pair[1]!r}",
            ]
    return "\n".join(lines)
