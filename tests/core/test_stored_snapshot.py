"""A snapshot that was stored earlier is used only if it is the very one that timestamp names (5.5.2)."""

import pytest
from tuf.api.metadata import MetaFile

from enigm_testkit.authorities import NOW, Cast, make_root, make_snapshot, make_timestamp, signed
from enigm_testkit.plain import PlainTuf
from enigm_tuf.trust.metadata import admit_snapshot, admit_timestamp, snapshot_is_current, trust_root


@pytest.mark.parametrize(("named", "current"), [("phone.manifest", True), ("phone.payload", False)])
def test_the_same_version_with_other_bytes_is_not_the_snapshot_that_is_named(named: str, current: bool) -> None:
    cast = Cast()
    stored = signed(make_snapshot({"targets": 1, "phone.manifest": 1}), cast.manifest)
    other = stored if current else signed(make_snapshot({"targets": 1, named: 1}), cast.manifest)
    timestamp = make_timestamp()
    timestamp.snapshot_meta = MetaFile.from_data(1, other, ["sha256"])
    state = trust_root(signed(make_root(cast), cast.root), NOW, PlainTuf())
    state = admit_timestamp(state, signed(timestamp, cast.timestamp))
    assert snapshot_is_current(admit_snapshot(state, stored, stored=True)) is current
