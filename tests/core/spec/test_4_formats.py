"""Document formats (TUF 1.0.34, 4)."""

from typing import Any

import pytest

from enigm_testkit.authorities import NOW, Cast, make_root
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import canonical, encode
from enigm_tuf.trust.metadata import (
    trust_root,
)


def root_with(field: str, value: Any) -> bytes:
    """A root signed over exactly what it says."""
    cast = Cast()
    signed = make_root(cast).to_dict()
    place = signed["roles"]["targets"] if field in {"threshold", "keyids"} else signed
    place[field] = value
    made = [signer.sign(canonical(signed)) for signer in cast.root]
    return encode({"signed": signed, "signatures": [{"keyid": one.keyid, "sig": one.signature} for one in made]})


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("version", 1, True),
        ("threshold", 1, True),
        ("consistent_snapshot", True, 1),
        ("expires", "2027-11-23T20:00:00Z", 20271123),
    ],
)
def test_a_field_of_another_type_is_malformed(field: str, good: Any, bad: Any) -> None:
    assert trust_root(root_with(field, good), NOW, PlainTuf()).root.value.version == 1
    with pytest.raises(MalformedError, match=rf"{field}: must be"):
        trust_root(root_with(field, bad), NOW, PlainTuf())
