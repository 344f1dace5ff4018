"""A quick reader of text beside the strict parser: what both say of the same bytes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import pytest

from enigm_tuf.errors import EnigmTufError
from enigm_tuf.model.tuf import Signed
from enigm_tuf.trust import verified
from enigm_tuf.trust.verified import Document

S = TypeVar("S", bound=Signed)

PIECES = [b'"', b"\\", b",", b"{", b"}", b":", b" ", b"\n", b"-", b"0", b"9", b".", b"e", b"[", b"]", b"\x00", b"\xc3"]
"""What edits put in."""


@contextmanager
def every_file_is_a_big_one() -> Iterator[None]:
    """The quick readers are asked whatever the size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verified, "_BIG", 0)
        yield


def agreed(quick: Callable[[], Document[S]], strict: Callable[[], Document[S]], members: str, *fields: str) -> S | None:
    """What the quick one read, which is what the strict one read; None where both refuse, in the same words.

    ``members`` names the mapping that stays text; ``fields`` are compared too, beside those of every role.
    """
    mine, other = _outcome(quick), _outcome(strict)
    if isinstance(mine, str) or isinstance(other, str):
        assert mine == other
        return None
    ours, theirs = mine.value, other.value
    listed, also = getattr(ours, members), getattr(theirs, members)
    assert list(listed.items()) == list(also.items())
    assert len(listed) == len(also)
    for name in ("unrecognized_fields", "version", "expires", "spec_version", *fields):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert (mine.canonical, mine.signatures, mine.sha256) == (other.canonical, other.signatures, other.sha256)
    return ours


def edited(data: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    """``data`` with, one after the other, at a place as many bytes replaced by a piece."""
    for place, size, piece in edits:
        at = place % len(data)
        data = data[:at] + piece + data[at + size :]
    return data


def _outcome(read: Callable[[], Document[S]]) -> Document[S] | str:
    try:
        return read()
    except EnigmTufError as error:
        return str(error)
