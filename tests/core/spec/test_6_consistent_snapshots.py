"""File names: consistent snapshots, and roles whose names are no file names (TUF 1.0.34, 5.5.1, 5.6.1, 6.2)."""

from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigm_testkit.authorities import Cast, make_role, make_snapshot, signed
from enigm_testkit.clauses import refused, snapshotted
from enigm_testkit.served import Served
from enigm_testkit.tree import PATH, delegating, leaf, to
from enigm_tuf.errors import NotFoundError
from enigm_tuf.trust.metadata import admit_targets
from enigm_tuf_client.targets import file_name

ODD = [
    "a b",
    "a/b",
    "../../etc/x",
    "..",
    ".",
    "/",
    "ä/ß",
    "100%",
    "%2F",
    "a\\b",
    "a\x00b",
    "a?b#c",
    "\U0001f512",
    "a+b",
    "CON",
]


@pytest.mark.parametrize("consistent", [True, False])
def test_versions_stand_in_front_where_snapshots_are_consistent(tmp_path: Path, consistent: bool) -> None:
    """5.3.3, 5.4.1, 5.5.1, 5.6.1: root has one always, timestamp never."""
    served = Served(tmp_path, consistent=consistent)
    served.publish(7, targets=delegating(served.cast, to(served.cast, "a")), a=make_role(leaf().targets, 3))
    served.put("snapshot", make_snapshot({"targets": 1, "a": 3}, 7))
    served.refreshed().target(PATH)
    names = ["7.snapshot", "1.targets", "3.a"] if consistent else ["snapshot", "targets", "a"]
    wanted = ["2.root", "timestamp", *names]
    assert served.fetcher.asked == [f"metadata/{name}.json" for name in wanted]


@pytest.mark.parametrize("consistent", [True, False])
def test_a_file_under_the_name_of_the_other_kind_is_not_found(tmp_path: Path, consistent: bool) -> None:
    """6.2: reject by the same names."""
    served = Served(tmp_path, consistent=consistent)
    served.consistent = not consistent
    served.publish()
    with pytest.raises(NotFoundError, match=r"snapshot\.json"):
        served.refreshed()


@pytest.mark.parametrize("consistent", [True, False])
@pytest.mark.parametrize("name", ODD)
def test_a_role_of_any_name_is_one_file_in_the_folder(tmp_path: Path, name: str, consistent: bool) -> None:
    """4.5, 5.6.1: percent-encoded as python-tuf's client asks for it; it never leads out of the folder."""
    served = Served(tmp_path, consistent=consistent)
    served.publish(1, targets=delegating(served.cast, to(served.cast, name)), **{name: leaf()})
    assert served.refreshed().target(PATH).path == PATH
    encoded = f"metadata/{'1.' if consistent else ''}{quote(name, safe='')}.json"
    assert served.fetcher.asked[-1] == encoded
    assert (served.path / "served" / encoded).parent == served.metadata
    assert served.stored(name) == (served.path / "served" / encoded).read_bytes()


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"), min_size=1))
def test_no_two_roles_share_a_file(one: str, other: str) -> None:
    """4.5: and it is the encoding that everybody uses (RFC 3986), so that decoding gives the name back."""
    assert file_name(one) == quote(one, safe="")
    assert unquote(file_name(one)) == one
    assert (file_name(one) == file_name(other)) is (one == other)


def test_metadata_in_snapshot_keeps_its_plain_name(cast: Cast) -> None:
    """6.2: a version in front there names another role."""
    plain, versioned = make_snapshot({"targets": 1}), make_snapshot({"1.targets": 1})
    data = signed(make_role({}), cast.manifest)
    assert admit_targets(snapshotted(cast, plain), ("targets",), data).targets
    refused("TARGETS-VERSION", lambda: admit_targets(snapshotted(cast, versioned), ("targets",), data))
