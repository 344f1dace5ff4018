"""Our matching of paths and our canonical form against python-tuf and securesystemslib, on generated input."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.formats import encode_canonical
from tuf.api import metadata as oracle

from enigm_tuf.limits import LIMITS
from enigm_tuf.model.delegations import DelegatedRole, Delegations, SuccinctRoles
from enigm_tuf.model.strict_json import canonical

SEGMENT = st.text("ab*?[]!-.\\Ä\n", max_size=4)
SEGMENTS = st.lists(SEGMENT, max_size=4).map("/".join)


@settings(max_examples=1000)
@given(SEGMENTS, SEGMENTS, st.data())
def test_a_pattern_is_for_the_paths_that_python_tuf_says(path: str, pattern: str, data: st.DataObject) -> None:
    """4.5: also for patterns made from the path itself, which match more often."""
    if path and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(path) - 1))
        pattern = path[:at] + data.draw(st.sampled_from("*?")) + path[at + data.draw(st.integers(0, 2)) :]
    role = tuf_role(paths=[pattern])
    assert role.is_for(path) is oracle.DelegatedRole("a", [], 1, False, paths=[pattern]).is_delegated_path(path)


@given(st.text(max_size=5), st.lists(st.text("0123456789abcdefA", max_size=2), max_size=3))
def test_prefixes_are_for_the_paths_that_python_tuf_says(path: str, prefixes: list[str]) -> None:
    """4.5."""
    theirs = oracle.DelegatedRole("a", [], 1, False, path_hash_prefixes=prefixes)
    assert tuf_role(path_hash_prefixes=prefixes).is_for(path) is theirs.is_delegated_path(path)


def tuf_role(**given: list[str]) -> DelegatedRole:
    raw = {"name": "a", "keyids": [], "threshold": 1, "terminating": False, **given}
    read = Delegations.read({"keys": {}, "roles": [raw]}, "f", "").roles
    assert read
    return read["a"]


@given(st.integers(1, 32), st.text(max_size=3), st.text(max_size=5), st.text("0123456789abcdefAB_+- ", max_size=9))
def test_bins_are_those_of_python_tuf(bits: int, prefix: str, path: str, suffix: str) -> None:
    """TAP 15. It also takes names that no bin has: ``int()`` reads capitals, signs, spaces and underscores."""
    theirs = oracle.SuccinctRoles([], 1, bits, prefix)
    bins = SuccinctRoles((), 1, {}, bits, prefix)
    assert bins.bin_of(path) == theirs.get_role_for_target(path)
    assert bins.has(bins.bin_of(path))
    name = f"{prefix}-{suffix}"
    assert bins.has(name) is (theirs.is_delegated_role(name) and set(suffix) <= set("0123456789abcdef"))
    assert not bins.has(suffix) or suffix.startswith(f"{prefix}-")


TEXTS = st.text(max_size=6) | st.text('"\\/\x00\x01\x08\t\n\x0b\x0c\r\x1f\x7f\x80\u2028\U0001f512aun0', max_size=8)
LEAVES = st.none() | st.booleans() | st.integers(-LIMITS.integer_maximum, LIMITS.integer_maximum) | TEXTS
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=15
)


@settings(max_examples=1000)
@given(st.dictionaries(TEXTS, JSON, max_size=4))
def test_canonical_bytes_are_those_of_securesystemslib(value: dict[str, Any]) -> None:
    """4.2.1: every signature stands on them."""
    expected = encode_canonical(value)
    assert expected is not None
    assert canonical(value) == expected.encode()
