"""Houses at the points from which the tests of root's life start."""

from pathlib import Path

import pytest

from enigm_testkit.house import KEYS, Plan, build_house, key_files
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


ONE = Plan(
    keys={
        **{name: key for name, key in KEYS.items() if key[0] in {"timestamp", "approval"}},
        **{f"manifest-{letter}": ("manifest", f"holder-{letter}") for letter in "abc"},
        **{f"root-{letter}": ("root", f"keeper-{letter}") for letter in "abc"},
        "payload-a": ("payload", "frank"),
        "payload-b": ("payload", "grace"),
    },
    spares=("root-a", "root-b", "root-c", "payload-a", "payload-b"),
    lines={
        "authority_model": '"manifest-only"',
        "root_keys": key_files("manifest-a", "manifest-b", "manifest-c"),
        "payload_keys": None,
        "payload_threshold": None,
        "policies": '{manifest = "manifest.policy.toml"}',
        "expiry_days": "{root = 365, targets = 180, snapshot = 30, manifest = 30, timestamp = 2}",
    },
    authorities=("manifest",),
)
"""Production today: root is held by two of three PIV custodians, and there is no release authority yet."""


@pytest.fixture(scope="session")
def one(tmp_path_factory: pytest.TempPathFactory) -> Works:
    """A template: product ``phone`` and two releases, by the manifest authority alone.

    A device has updated to each release and been off since; another one was shipped and never was on.
    """
    cards = [name for name, key in ONE.keys.items() if key[0] == "manifest"]
    house = build_house(tmp_path_factory.mktemp("house") / "one", *cards, plan=ONE)
    request = house.request("root-1", "manifest")
    house.publish("root-1", *house.signed_by(request, "manifest-a", "manifest-b"))
    assert house.trust("manifest", house.first_root) == 0
    works = Works(house, payload=())
    works.product()
    works.release("1.0")
    works.fleet.ship("off since 1.0", 1)
    works.fleet.arrives("1.0")
    works.release("1.1")
    works.fleet.ship("off since 1.1", 1)
    works.fleet.arrives("1.1", "off since 1.1")
    works.fleet.ship("boxed", 1)
    return works


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
