"""Houses at the points from which the tests of root's life start."""

from pathlib import Path

import pytest

from enigm_testkit.fleet import Fleet
from enigm_testkit.house import KEYS, House, Plan, build_house, copy_house
from enigm_testkit.works import Works

FIVE = Plan(
    keys={
        **{name: key for name, key in KEYS.items() if key[0] != "root"},
        **{f"root-{letter}": ("root", f"keeper-{letter}") for letter in "abcdef"},
        "payload-c": ("payload", "peggy"),
        "payload-d": ("payload", "trent"),
        "manifest-c": ("manifest", "judy"),
        "timestamp-b": ("timestamp", "ops"),
    },
    spares=("root-f", "payload-c", "payload-d", "manifest-c", "timestamp-b"),
    lines={"root_threshold": "3", "recovery_threshold": "4"},
)
"""Three of five root keys, and a spare of everything."""


@pytest.fixture(scope="session")
def five_house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A template: product ``phone`` and its release 1.0 are published."""
    house = build_house(tmp_path_factory.mktemp("house") / "five", plan=FIVE)
    house.publish("root-1", *house.signed_by(house.request("root-1"), "root-a", "root-b", "root-c"))
    for authority in FIVE.authorities:
        assert house.trust(authority, house.first_root) == 0
    works = Works(house)
    works.product()
    works.release("1.0")
    return house


@pytest.fixture
def works(five_house: House, tmp_path: Path) -> Works:
    return Works(copy_house(five_house, tmp_path / "house"))


@pytest.fixture
def fleet(works: Works, tmp_path: Path) -> Fleet:
    """A device that was shipped with the first root and updated since, and one that never was on."""
    fleet = Fleet(tmp_path / "fleet", works.house)
    fleet.ship("updated", 1)
    fleet.arrives("1.0")
    fleet.ship("boxed", 1)
    return fleet
