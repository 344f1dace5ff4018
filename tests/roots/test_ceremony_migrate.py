"""The shipped script for a fleet's move to two authorities, played by the new release authority."""

from dataclasses import replace
from pathlib import Path

import pytest

from enigm_testkit.ceremonies import shipped
from enigm_testkit.house import found_authority, key_files
from enigm_testkit.works import Works

DUAL: dict[str, str | None] = {
    "authority_model": '"dual"',
    "root_keys": key_files("root-a", "root-b", "root-c"),
    "payload_keys": key_files("payload-a", "payload-b"),
    "payload_threshold": "2",
    "policies": '{manifest = "manifest.policy.toml", release = "release.policy.toml"}',
    "expiry_days": "{root = 365, targets = 180, snapshot = 30, manifest = 30, payload = 365, timestamp = 2}",
}


@pytest.mark.slow
def test_migrate_to_dual(one: Works, tmp_path: Path) -> None:
    works = one.copied(tmp_path / "house")
    house = works.house
    house.plan = replace(house.plan, spares=(), lines=DUAL)
    found_authority(house, "release")
    house.repo("root", "prepare", "--config", works.configuration())
    request = house.request("root-2")
    _, first, _, second = house.votes(request)
    tokens = {"token-a": house.uri("root-a"), "token-b": house.uri("root-b")}
    texts = {"name": house.path / "dual", "label_a": "root-a", "label_b": "root-b", "root": house.first_root}
    texts |= {"request": request, "approval_a": first, "approval_b": second}
    ceremony = shipped(house, "release", "migrate-to-dual", tokens, texts)
    assert ceremony.play() == 0
    assert ceremony.verify() == 0
    taken = [house.path / f"dual.{letter}.enigmresp" for letter in "ab"]
    given = house.signed_by(house.request("root-2", "manifest"), "manifest-a", "manifest-b", consents=taken)
    house.repo("release", "attach", "root-2", *taken, *given)
