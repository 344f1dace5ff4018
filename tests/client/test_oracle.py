"""Nothing is ever installable unless both authorities agree on it and it is not older than the floor.

Thieves hold some of the keys and forge what they can; whatever the device then takes, a naive oracle must allow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from enigm_testkit.authorities import NOW
from enigm_testkit.histories import oracle
from enigm_testkit.histories.forgeries import CONTENT, FORGERIES, in_order
from enigm_testkit.histories.server import MemoryStore
from enigm_testkit.histories.world import THIEF, VENDOR, World, WorldFetcher, first_world
from enigm_testkit.people import FixedClock
from enigm_tuf.errors import EnigmTufError, RefusedError
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.artifact import VerifiedArtifact
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf_client.offer import Offer
from enigm_tuf_client.updater import Updater

FACTS = DeviceFacts("staging", "phone", "phone-a", "stable", "device-1")
FIRST = first_world()
KEYS = {
    f"{part} {number}": key
    for part in ("root", "payload", "manifest", "timestamp")
    for number, key in enumerate(getattr(VENDOR, part))
}
LOOT = [
    ["manifest 0", "manifest 1", "timestamp 0"],
    ["payload 0", "payload 1", "timestamp 0"],
    ["manifest 0", "timestamp 0", "payload 0", "root 0"],
    ["timestamp 0"],
    ["root 0", "root 1", "timestamp 0"],
    ["root 0", "root 1", "payload 0", "payload 1", "timestamp 0"],
    ["root 0", "root 1", "manifest 0", "timestamp 0"],
    ["root 0", "root 1", "root 2", "timestamp 0"],
    sorted(KEYS),
    [],
]
SOME = st.lists(st.sampled_from(sorted(KEYS)), unique=True)
SIGNS_EVERYTHING_OFFLINE = st.builds(lambda keys: sorted({*LOOT[0], *keys}), SOME)
NAMES = st.sampled_from(sorted(FORGERIES)) | st.sampled_from(sorted(CONTENT))
STOLEN = st.sampled_from(LOOT) | SOME | SIGNS_EVERYTHING_OFFLINE | SIGNS_EVERYTHING_OFFLINE


@dataclass(frozen=True)
class Theft:
    """What is stolen, what is made of it, and how the device comes to see it."""

    keys: Sequence[str]
    forgeries: Sequence[tuple[str, int]]
    releases: int
    seen_between: bool
    replay: int
    hours: int


THEFTS = st.builds(
    Theft,
    STOLEN,
    st.lists(st.tuples(NAMES, st.integers(0, 999)), min_size=1, max_size=3),
    st.sampled_from([0, 1, 1]),
    st.booleans(),
    st.sampled_from([0, 0, 0, 1, 2]),
    st.sampled_from([0, 0, 1, 60]),
)


class Confirming:
    """An installer that takes what it is given, wherever it lies."""

    def place(self, sha256: str) -> Path:
        raise AssertionError(sha256)

    def install(self, artifact: VerifiedArtifact) -> None:
        """Nothing to do: the floor rises, which is what matters."""


class Device:
    """A device under the eyes of the oracle."""

    def __init__(self, folder: Path, counts: Counter[str]) -> None:
        self.folder = folder
        self.counts = counts
        self.fetcher = WorldFetcher()
        self.clock = FixedClock(NOW)
        self.store = MemoryStore(DeviceState(metadata={"root": FIRST.files["metadata/1.root.json"]}))
        self.updater = Updater(store=self.store, fetcher=self.fetcher, facts=FACTS, clock=self.clock)

    def look(self, files: dict[str, bytes]) -> Offer | None:
        """Check, fetch and install what ``files`` give; the oracle looks at every step that succeeds."""
        self.fetcher.files = files
        before = self.store.load()
        self.counts["checks"] += 1
        offer = self._check()
        after = dict(self.store.load().metadata)
        oracle.require_root_chain(before.metadata["root"], after["root"], files)
        oracle.require_no_rollback(before.metadata, after)
        if offer is None:
            return None
        agreed = offer.agreed
        floor = before.rollback_floors.get("phone", 0)
        oracle.require_fresh(after, self.clock.now())
        account = oracle.require_agreement(after, files, offer.version, agreed.payload.path, floor)
        try:
            artifact = self.updater.fetch(offer, self.folder / "download")
        except EnigmTufError:
            self.counts["offers whose bytes were refused"] += 1
            return None
        oracle.require_bytes((self.folder / "download").read_bytes(), account)
        self.updater.install(offer, artifact, Confirming())
        self.counts["installed"] += 1
        assert self.store.load().rollback_floors["phone"] >= floor
        return offer

    def _check(self) -> Offer | None:
        try:
            check = self.updater.check()
        except EnigmTufError as error:
            self.counts[f"refused: {type(error).__name__}"] += 1
            return None
        if check.offer is None:
            rule = check.refusal.rule if isinstance(check.refusal, RefusedError) else "nothing to offer"
            self.counts[f"refused: {rule}"] += 1
        return check.offer


def play(thefts: list[Theft], folder: Path, counts: Counter[str]) -> None:
    """One history: the vendor goes on, thieves come and go."""
    counts["histories"] += 1
    device, vendor, seen = Device(folder, counts), FIRST.copied(), [dict(FIRST.files)]
    assert device.look(FIRST.files), "an honest first release is offered"
    number = 1
    for theft in thefts:
        device.clock.time = vendor.now = device.clock.time + timedelta(hours=theft.hours)
        vendor.catch_up()
        seen.append(dict(vendor.files))
        device.look(seen[max(0, len(seen) - 1 - theft.replay)])
        for _ in range(theft.releases):
            number += 1
            vendor.add_release(f"{number}.0", number)
            vendor.publish(["phone.manifest", "phone.payload"])
            seen.append(dict(vendor.files))
            if theft.seen_between:
                device.look(vendor.files)
        device.look(stolen_world(vendor, theft, counts).files)


def stolen_world(vendor: World, theft: Theft, counts: Counter[str]) -> World:
    """The vendor's world after the thief's work, signed by all keys that the thief has."""
    world = vendor.copied()
    changed = set[str]()
    for name, number in sorted(theft.forgeries, key=lambda item: in_order(item[0])):
        counts[f"forged: {name}"] += 1
        changed |= FORGERIES[name](world, number)
    world.publish(changed, [*(KEYS[name] for name in theft.keys), *THIEF.everybody()])
    return world


def run(histories: int, folder: Path, *, derandomize: bool) -> Counter[str]:
    counts = Counter[str]()

    @settings(
        max_examples=histories,
        derandomize=derandomize,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(st.lists(THEFTS, min_size=1, max_size=5))
    def histories_of(thefts: list[Theft]) -> None:
        play(thefts, folder, counts)

    histories_of()
    return counts


def test_an_honest_vendor_is_always_installed(tmp_path: Path) -> None:
    device, vendor = Device(tmp_path, Counter()), FIRST.copied()
    for number in range(2, 8):
        offer = device.look(vendor.files)
        assert offer is not None
        assert offer.version == f"{number - 1}.0"
        vendor.add_release(f"{number}.0", number)
        vendor.publish(["phone.manifest", "phone.payload", *(["root"] if number % 2 else [])])
    assert device.store.load().rollback_floors["phone"] == 6


def test_a_few_fixed_thefts_yield_nothing_that_the_oracle_forbids(tmp_path: Path) -> None:
    counts = run(40, tmp_path, derandomize=True)
    assert counts["installed"] > counts["histories"]


@pytest.mark.slow
def test_no_theft_yields_anything_that_the_oracle_forbids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = run(600, tmp_path, derandomize=False)
    with capsys.disabled():
        print("\nthefts:", ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    assert counts["installed"] > counts["histories"]
    assert counts["refused: DUAL-AGREEMENT"] > 0
