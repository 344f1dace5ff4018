"""The memory of what was verified (ADR 12) saves work, and never decides what a fresh look would not.

Whoever can write the store can forge a record. Here the tests do, for a file that lost its signatures: that is how
they see whether anybody looked at them.
"""

from datetime import timedelta
from typing import Any

import pytest
from tuf.api.metadata import MetaFile

from enigm_testkit.authorities import NOW, make_role, make_snapshot, make_timestamp
from enigm_testkit.clauses import SECOND, refused
from enigm_testkit.plain import PlainTuf
from enigm_testkit.served import Served
from enigm_testkit.tree import PATH, delegating, leaf, to
from enigm_testkit.vendor import SetClock
from enigm_tuf.errors import StateError
from enigm_tuf.model.strict_json import encode, parse, sha256
from enigm_tuf.model.value import replace
from enigm_tuf.trust.metadata import targets_are_current

TOP = ("targets",)
A = ("targets", "a")


class Counting(PlainTuf):
    """Rules under a name, which write down what they look at."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.asked: list[str] = []

    def root(self, previous: Any, new: Any) -> None:
        del previous, new
        self.asked.append("root")

    def targets(self, root: Any, delegator: Any, role: str, new: Any) -> None:
        del root, delegator, new
        self.asked.append(role)


def release(served: Served, version: int = 1) -> None:
    """Version 1 of the role a, whatever the version of targets is."""
    targets = delegating(served.cast, to(served.cast, "a"))
    targets.version = version
    served.publish(version, targets=targets, a=leaf())


def forge(served: Served, role: str, **changes: Any) -> None:
    """Take the signatures from the stored file of ``role``; its record fits the new bytes, but for ``changes``."""
    state = served.store.load()
    data = encode(parse(state.metadata[role], source=role) | {"signatures": []})
    record = replace(state.remembered[role], **({"sha256": sha256(data), "length": len(data)} | changes))
    metadata = {name: state.metadata[name] for name in state.metadata} | {role: data}
    served.store.commit(replace(state, metadata=metadata, remembered={**state.remembered, role: record}))


@pytest.fixture
def known(served: Served) -> Served:
    """A device that verified a release once, and whose record of the role a is forged."""
    release(served)
    served.refreshed().target(PATH)
    forge(served, "a")
    return served


def unsigned_is_taken(served: Served) -> bool:
    """Whether the record carries the stored role a; if not, the served one is fetched and replaces it."""
    workflow = served.refreshed()
    workflow.target(PATH)
    taken = not workflow.trusted.targets[A].signatures
    fetched = [path for path in served.fetcher.asked if path.endswith(".a.json")]
    assert len(fetched) == (1 if taken else 2), "the first device start fetched it once"
    assert taken or served.stored("a") == (served.metadata / "1.a.json").read_bytes()
    return taken


def test_what_was_verified_is_taken_while_nothing_changed(known: Served) -> None:
    assert unsigned_is_taken(known)


def test_a_record_is_void_after_a_new_root(known: Served) -> None:
    """Though it names the same keys: 5.3 may have revoked any."""
    known.put("root", known.root(2))
    assert not unsigned_is_taken(known)


def test_a_record_is_void_after_another_delegator(known: Served) -> None:
    """Though it names the same keys."""
    release(known, 2)
    assert not unsigned_is_taken(known)


def test_a_record_is_void_under_other_rules(known: Served) -> None:
    """An update of the client, or other settings: every document is looked at again by the new rules."""
    known.admission = same = Counting(PlainTuf.identity)
    assert unsigned_is_taken(known)
    assert same.asked == []
    known.admission = other = Counting("other rules")
    assert not unsigned_is_taken(known)
    assert other.asked == ["root", "targets", "a"]


@pytest.mark.parametrize("field", ["sha256", "root", "delegator", "admission"])
def test_a_record_of_something_else_vouches_for_nothing(known: Served, field: str) -> None:
    """Of other bytes, another root, another delegator or other rules: each one alone is enough."""
    forge(known, "a", **{field: "0" * 64})
    assert not unsigned_is_taken(known)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "a"])
def test_without_a_record_a_stored_file_is_verified(known: Served, role: str) -> None:
    """And a file without signatures is none; the served ones are taken, in the same refresh."""
    if role != "a":
        forge(known, role)
    known.store.commit(replace(known.store.load(), remembered={}))
    workflow = known.refreshed()
    workflow.target(PATH)
    file = "timestamp.json" if role == "timestamp" else f"1.{role}.json"
    assert known.stored(role) == (known.metadata / file).read_bytes()


def test_a_forged_record_of_targets_passes_the_refresh_and_not_the_search(known: Served) -> None:
    """A refresh does not read targets that are current by their record; whoever uses them reads and compares."""
    forge(known, "targets", sha256="0" * 64)
    workflow = known.refreshed()
    assert TOP not in workflow.trusted.targets
    workflow.target(PATH)
    assert workflow.trusted.targets[TOP].signatures
    assert known.stored("targets") == (known.metadata / "1.targets.json").read_bytes()


@pytest.mark.parametrize("change", [None, "sha256", "root", "delegator", "admission"])
def test_a_stored_root_is_verified_again_unless_the_record_is_of_its_own_bytes(
    served: Served, change: str | None
) -> None:
    """5.2: its delegator is itself."""
    release(served)
    served.put("root", served.root(2))
    served.refreshed()
    own = sha256(encode(parse(served.stored("root") or b"", source="root") | {"signatures": []}))
    forge(served, "root", **({"root": own, "delegator": own} | ({change: "0" * 64} if change else {})))
    if change is None:
        assert not served.workflow().trusted.root.signatures
    else:
        refused("SIGNATURE-THRESHOLD", served.workflow)


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets", "a"])
def test_bytes_that_changed_in_the_store_are_damage_whatever_the_record_says(known: Served, role: str) -> None:
    """The store checks each object against its name; what can be fetched again is."""
    (known.path / "device/objects" / sha256(known.stored(role) or b"")).write_bytes(b"{}")
    if role == "root":
        with pytest.raises(StateError, match="damaged"):
            known.workflow()
    else:
        known.put("timestamp", make_timestamp(1, 2))
        assert known.refreshed().target(PATH).path == PATH


@pytest.mark.parametrize(
    ("days", "rule"),
    [(2, "TIMESTAMP-EXPIRED"), (30, "SNAPSHOT-EXPIRED"), (90, "TARGETS-EXPIRED"), (365, "ROOT-EXPIRED")],
)
def test_expiry_is_judged_each_time(served: Served, days: int, rule: str) -> None:
    """5.3.10 to 5.6.5: a record says who signed, not for how long it holds. One second before, all is well."""
    lasting = {"timestamp": (make_timestamp(), 2), "snapshot": (make_snapshot({"targets": 1}), 30)}
    lasting["targets"] = (delegating(served.cast), 90)
    for role, (value, own) in lasting.items():
        value.expires = NOW + timedelta(days=own if own >= days else 400)
        served.put(role, value)
    served.refreshed()
    served.clock = SetClock(NOW + timedelta(days=days) - SECOND)
    served.refreshed()
    served.clock = SetClock(NOW + timedelta(days=days))
    refused(rule, served.refreshed)


@pytest.mark.parametrize(
    ("change", "current"),
    [
        ({}, True),
        ({"sha256": "0" * 64}, False),
        ({"length": 1}, False),
        ({"version": 2}, False),
        ({"root": "0" * 64}, False),
        ({"delegator": "0" * 64}, False),
        ({"admission": "other"}, False),
        ({"expires": NOW + SECOND}, True),
        ({"expires": NOW}, False),
    ],
)
@pytest.mark.parametrize("hashes", [["sha256"], ["sha256", "sha512"]])
def test_targets_are_current_only_if_everything_in_the_record_fits(
    served: Served, change: dict[str, Any], current: bool, hashes: list[str]
) -> None:
    """5.6.2 to 5.6.5 on the record alone. It has no SHA-512, so that where one is listed the bytes are read."""
    data = served.put("targets", make_role({}))
    snapshot = make_snapshot({})
    snapshot.meta["targets.json"] = MetaFile.from_data(1, data, hashes)
    served.put("snapshot", snapshot)
    served.put("timestamp", make_timestamp())
    workflow = served.refreshed()
    record = replace(workflow.state.remembered["targets"], **change)
    assert targets_are_current(workflow.trusted, TOP, record) is (current and hashes == ["sha256"])


@pytest.mark.parametrize("role", ["root", "timestamp"])
def test_a_refusal_leaves_every_record_as_it_was(known: Served, role: str) -> None:
    """A later start begins from the same state."""
    before = known.store.load()
    known.put(role, known.root(2) if role == "root" else make_timestamp(2, 2), [])
    refused("SIGNATURE-THRESHOLD", known.refreshed)
    assert known.store.load().remembered == before.remembered
