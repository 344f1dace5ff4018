"""enigm-sign policy diff: what a new policy asks more of, and what less, field by field."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.policy import Policy, read_policy
from enigm_tuf.policy.comparing import PolicyChange, compare

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="OLD", help="the policy in force")
    parser.add_argument("new", metavar="NEW", help="another of the same authority")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:  # noqa: ARG001 - the shape of every command
    old, new = _read(arguments.old), _read(arguments.new)
    changes = compare(old, new)
    relaxed = sum(change.direction == "relax" for change in changes)
    facts = {
        "old": old.version,
        "new": new.version,
        "relaxes": relaxed > 0,
        "changes": [
            {
                "field": change.path,
                "before": change.before,
                "after": change.after,
                "direction": change.direction,
                "rules": list(map(str, change.rules)),
            }
            for change in changes
        ],
    }
    title = (
        f"policy version {old.version} -> {new.version}: {len(changes)} fields differ, {relaxed} of them ask for less"
    )
    return Outcome(facts, [title, *([""] if changes else []), *change_lines(changes)])


def change_lines(changes: tuple[PolicyChange, ...]) -> list[str]:
    """A row for each field, what is relaxed first."""
    rows = [
        (
            change.direction.upper(),
            change.path,
            f"{_told(change.before)} -> {_told(change.after)}",
            ", ".join(change.rules),
        )
        for change in sorted(changes, key=lambda item: (item.direction, item.path))
    ]
    return table(("DIRECTION", "FIELD", "CHANGE", "RULES"), rows) if rows else []


def _told(value: object) -> str:
    if isinstance(value, list):
        return (
            "[" + ", ".join(str(item.get("id", item)) if isinstance(item, dict) else str(item) for item in value) + "]"
        )
    return "none" if value is None else str(value)


def _read(file: str) -> Policy:
    return read_policy(read_input(Path(file), LIMITS.document_bytes), file)


COMMAND: "Command[Edges]" = Command(
    name="policy diff",
    summary="Compare two policies of an authority field by field: what tightens, what relaxes, which rules read it.",
    details="The direction of each field is fixed in the tool. What is neither more nor less counts as relaxed.",
    examples="enigm-sign policy diff release.policy.toml next.policy.toml",
    configure=configure,
    run=run,
)
