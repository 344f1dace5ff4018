"""One root after the other, each of another kind, with devices that stopped at every one of them."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from enigm_testkit.custodians import soft_key
from enigm_testkit.fleet import Fleet
from enigm_testkit.vendor import Vendor
from enigm_tuf.model.keys import Purpose


def exchange(purpose: Purpose, index: int) -> Callable[[Vendor, int], None]:
    """One key of this purpose is rotated."""

    def change(vendor: Vendor, version: int) -> None:
        vendor.keys[purpose][index] = soft_key(f"{purpose}-{version}")

    return change


def replace_all(purpose: Purpose) -> Callable[[Vendor, int], None]:
    """All keys of this purpose are replaced."""

    def change(vendor: Vendor, version: int) -> None:
        vendor.keys[purpose] = [soft_key(f"{purpose}-{version}-{n}") for n in range(len(vendor.keys[purpose]))]

    return change


def wait(vendor: Vendor, _: int) -> None:
    vendor.clock.advance(timedelta(days=200))


KINDS: list[tuple[str, Callable[[Vendor, int], None]]] = [
    ("root key rotated", exchange("root", 2)),
    ("manifest key rotated", exchange("manifest", 0)),
    ("payload key rotated", exchange("payload", 1)),
    ("timestamp key rotated", exchange("timestamp", 0)),
    ("renewed half a year later", wait),
    ("payload keys revoked", replace_all("payload")),
    ("manifest keys revoked, with consent", replace_all("manifest")),
    ("root keys replaced one and all", replace_all("root")),
]


def rotate(vendor: Vendor, version: int, change: Callable[[Vendor, int], None]) -> None:
    """Signed by the keys of before, and where root has others, by those too; published with what follows."""
    before = {purpose: list(group) for purpose, group in vendor.keys.items()}
    change(vendor, version)
    vendor.clock.advance(timedelta(hours=1))
    vendor.done("root", "prepare", "--config", vendor.configuration())
    record = f"root-{version}"
    after, signed = dict(vendor.keys), list[str]()
    for keys in (before, after):
        vendor.keys.update(keys)
        own = [
            entry.authority
            for entry in vendor.record(record).requests
            if keys is before or entry.authority == "release"
        ]
        signed += [
            vendor.answer(request, key)
            for request in (vendor.request(record, authority) for authority in own)
            for key in vendor.signers_of(request)
        ]
    vendor.done("release", "attach", record, *dict.fromkeys(signed))
    if vendor.record(record).follows:
        vendor.follow(record)
    for step in ("verify", "gate", "publish"):
        vendor.done("release", step, record)


@pytest.mark.slow
def test_a_device_that_stopped_anywhere_arrives(released: Vendor) -> None:
    fleet = Fleet(released.path / "fleet", released.published, released.clock)
    fleet.ship("root 1, never on", 1)
    fleet.ship("root 1, updated", 1)
    fleet.arrives("1.0", "root 1, updated")
    fleet.ship("always on", 1)
    for version, (kind, change) in enumerate(KINDS, start=2):
        rotate(released, version, change)
        fleet.ship(f"root {version}, never on", version)
        fleet.ship(f"root {version}, updated", version)
        fleet.arrives("1.0", f"root {version}, updated", "always on")
        assert fleet.devices["always on"].root_version == version, kind
    released.publish(released.prepare_release("2.0"))
    fleet.arrives("2.0")
    assert len(fleet.devices) == 3 + 2 * len(KINDS)


@pytest.mark.slow
def test_in_the_other_order_too(released: Vendor) -> None:
    fleet = Fleet(released.path / "fleet", released.published, released.clock)
    fleet.ship("never on", 1)
    for version, (_, change) in enumerate(KINDS[::-1], start=2):
        rotate(released, version, change)
    fleet.arrives("1.0")
