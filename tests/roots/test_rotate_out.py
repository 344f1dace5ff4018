"""Losing one root token of five: the rest sign it out, and a spare in."""


from enigm_testkit.fleet import Fleet
from enigm_testkit.house import key_files
from enigm_testkit.works import Works

WITH_F = key_files("root-a", "root-b", "root-c", "root-d", "root-f")


def rotated_out(works: Works) -> None:
    """root-e is lost: root-a, root-b and root-c sign it out and root-f in; the manifest authority consents first."""
    house = works.house
    house.take_stock("release", "root-f", retire=house.key("root-e").spki_sha256)
    house.repo("root", "prepare", "--config", works.configuration(root_keys=WITH_F))
    consent = house.signed_by(house.request("root-2", "manifest"), "manifest-a")
    signed = house.signed_by(house.request("root-2"), "root-a", "root-b", "root-c", consents=consent)
    house.repo("release", "attach", "root-2", *consent, *signed)
    works.finish("root-2")


def test_the_rest_sign_a_lost_token_out_and_a_spare_in(works: Works, fleet: Fleet) -> None:
    rotated_out(works)
    fleet.ship("new", 2)
    fleet.arrives("1.0")
    assert [device.root_version for device in fleet.devices.values()] == [2, 2, 2]

    works.release("2.0")
    fleet.arrives("2.0")
