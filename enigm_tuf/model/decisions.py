"""The decisions of both authorities in the published tree: ``decisions/<record>/<authority>-<sha256>.enigmresp``.

Each is the response as the authority wrote it. No device fetches one, and nothing rests on its being there: what it
says is proved by the signatures and approvals in it.

``decisions/snapshot.<version>.json`` (for a root on its own ``root.<version>.json``) lists the answers of the record
that brought that version: a copy finds them by it, where nobody can list a folder.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from enigm_tuf.model.shapes import BUILD_ID, Record, Sequence, Text
from enigm_tuf.model.strict_json import encode, parse, sha256

FOLDER = "decisions"
_INDEX = re.compile(r"decisions/(snapshot|root)\.([1-9][0-9]{0,15})\.json")
_PATH = re.compile(r"decisions/([A-Za-z0-9][A-Za-z0-9._-]*)/(manifest|release)-([0-9a-f]{64})\.enigmresp")


def decision_name(authority: str, data: bytes) -> str:
    """What the response ``data`` is called, in a record and in the tree."""
    return f"{authority}-{sha256(data)}.enigmresp"


def is_decision(path: str, data: bytes) -> bool:
    """Whether ``data`` may lie there: the name has its digest."""
    match = _PATH.fullmatch(path)
    return match is not None and match[3] == sha256(data)


@dataclass(frozen=True, slots=True)
class DecisionIndex:
    """``answers`` are the names of a record's answers, sorted."""

    record: str
    answers: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Where they lie in the tree."""
        return tuple(f"{FOLDER}/{self.record}/{name}" for name in self.answers)


_ANSWER = Text(r"(manifest|release)-[0-9a-f]{64}\.enigmresp", "the name of an answer", 90)
_DECISION_INDEX = Record(
    DecisionIndex, 1, record=BUILD_ID, answers=Sequence(_ANSWER, minimum=1, maximum=1_000, unique=True)
)


def index_path(role: str, version: int) -> str:
    """Where the index of the record lies that brought ``version`` of ``role``, which is snapshot or root."""
    return f"{FOLDER}/{role}.{version}.json"


def index_path_of(roles: Mapping[str, int]) -> str | None:
    """The same, by the versions of a record."""
    role = next((role for role in ("snapshot", "root") if role in roles), None)
    return index_path(role, roles[role]) if role else None


def indexed_role(path: str) -> tuple[str, int] | None:
    """Role and version that an index is of; None where ``path`` is not that of an index."""
    match = _INDEX.fullmatch(path)
    return (match[1], int(match[2])) if match else None


def write_decision_index(index: DecisionIndex) -> bytes:
    return encode(_DECISION_INDEX.write(index))


def read_decision_index(data: bytes, source: str) -> DecisionIndex:
    """MalformedError names the field."""
    return _DECISION_INDEX.read(parse(data, source=source), source)
