"""Houses at the points from which the tests of root's life start."""

from pathlib import Path

import pytest

from enigm_testkit.house import KEYS, Plan, build_house
from enigm_testkit.works import Works

FIVE = Plan(
    keys={
        **{name: key for name, key in KEYS.items() if key[0] != "root"},
        **{f"root-{letter}": ("root", f"keeper-{letter}") for letter in "abcdef"},
        "payload-c": ("payload", "peggy"),
        "payload-d": ("payload", "trent"),
        "manifest-c": ("manifest", "judy"),
        "manifest-d": ("manifest", "mallory"),
        "timestamp-b": ("timestamp", "ops"),
    },
    spares=("root-f", "payload-c", "payload-d", "manifest-c", "manifest-d", "timestamp-b"),
    lines={"root_threshold": "3", "recovery_threshold": "4"},
)
"""Three of five root keys, and a spare of everything."""


@pytest.fixture(scope="session")
def five(tmp_path_factory: pytest.TempPathFactory) -> Works:
    """A template: product ``phone`` and its release 1.0 are published.

    A device was shipped with the first root and has updated; another one was shipped and never was on.
    """
    house = build_house(tmp_path_factory.mktemp("house") / "five", plan=FIVE)
    house.publish("root-1", *house.signed_by(house.request("root-1"), "root-a", "root-b", "root-c"))
    for authority in FIVE.authorities:
        assert house.trust(authority, house.first_root) == 0
    works = Works(house)
    works.product()
    works.release("1.0")
    works.fleet.ship("updated", 1)
    works.fleet.arrives("1.0")
    works.fleet.ship("boxed", 1)
    return works


@pytest.fixture
def works(five: Works, tmp_path: Path) -> Works:
    return five.copied(tmp_path / "house")
