"""A fleet whose root is held by PIV custodians moves to an HSM root: both quorums sign, no device is left behind."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.fleet import Fleet
from enigm_testkit.forged_roots import root_by, tree_with_root
from enigm_testkit.house import found_authority, key_files
from enigm_testkit.works import Works
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf_repository.records import load_record
from enigm_tuf_repository.workspace import Workspace

pytestmark = pytest.mark.slow

DUAL: dict[str, str | None] = {
    "authority_model": '"dual"',
    "root_keys": key_files("root-a", "root-b", "root-c"),
    "payload_keys": key_files("payload-a", "payload-b"),
    "payload_threshold": "2",
    "policies": '{manifest = "manifest.policy.toml", release = "release.policy.toml"}',
    "expiry_days": "{root = 365, targets = 180, snapshot = 30, manifest = 30, payload = 365, timestamp = 2}",
}


@pytest.fixture(scope="module")
def prepared_template(one: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    """The release authority is founded, looks on the first root, and root 2 is prepared."""
    works = one.copied(tmp_path_factory.mktemp("prepared") / "house")
    house = works.house
    house.plan = replace(house.plan, spares=(), lines=DUAL)
    found_authority(house, "release")
    assert house.trust("release", house.first_root) == 0
    house.repo("root", "prepare", "--config", works.configuration())
    return works


@pytest.fixture(scope="module")
def signed_template(prepared_template: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    works = prepared_template.copied(tmp_path_factory.mktemp("signed") / "house")
    house = works.house
    taken = house.signed_by(house.request("root-2"), "root-a", "root-b")
    given = house.signed_by(house.request("root-2", "manifest"), "manifest-a", "manifest-b", consents=taken)
    house.repo("release", "attach", "root-2", *taken, *given)
    works.payload = ("payload-a", "payload-b")
    return works


@pytest.fixture(scope="module")
def migrated_template(signed_template: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    works = signed_template.copied(tmp_path_factory.mktemp("migrated") / "house")
    works.follow("root-2")
    works.finish("root-2")
    return works


@pytest.fixture
def prepared(prepared_template: Works, tmp_path: Path) -> Works:
    return prepared_template.copied(tmp_path / "house")


@pytest.fixture
def migrated(migrated_template: Works, tmp_path: Path) -> Works:
    return migrated_template.copied(tmp_path / "house")


def roots(fleet: Fleet) -> dict[str, int]:
    return {name: device.root_version for name, device in fleet.devices.items()}


def lives_on(works: Works, root: int) -> None:
    """A root that changes nothing but its expiry, by the HSM quorum alone."""
    house, record = works.house, f"root-{root}"
    house.clock.time += timedelta(days=1)
    house.repo("root", "prepare", "--config", works.configuration())
    works.root_signed(record, "root-b", "root-c", consent=())
    if load_record(Workspace(house.path / "repository"), record).follows:
        works.follow(record)
    works.finish(record)


def test_every_device_follows_from_wherever_it_stopped(migrated: Works) -> None:
    fleet = migrated.fleet
    record = load_record(Workspace(migrated.house.path / "repository"), "root-2")
    assert record.roles == {"root": 2, "phone.payload": 1, "targets": 2, "snapshot": 4}
    fleet.ship("shipped with root 2", 2)
    fleet.arrives("1.1")

    migrated.release("2.0")
    fleet.ship("shipped after the first release of both", 2)
    fleet.arrives("2.0", "off since 1.0", "boxed", "shipped after the first release of both")
    lives_on(migrated, 3)
    lives_on(migrated, 4)
    fleet.arrives("2.0")
    assert set(roots(fleet).values()) == {4}


def test_what_was_offered_before_stays_installable_because_the_release_authority_vouches_for_it(
    migrated: Works,
) -> None:
    boxed = migrated.fleet.devices["boxed"]
    assert boxed.update() == "1.1"
    assert "pinned payload keys signed" in boxed.report
    assert "both authorities agree on" in boxed.report


def test_a_device_that_was_off_for_a_year_arrives(migrated: Works) -> None:
    """Everything that it holds has expired, and the roots that it was shipped with and that came next as well."""
    house = migrated.house
    house.clock.time += timedelta(days=300)
    lives_on(migrated, 3)
    record = load_record(Workspace(house.path / "repository"), "root-3")
    assert record.follows == ("targets", "phone.manifest", "phone.payload", "snapshot"), "they are due or expired too"
    house.clock.time += timedelta(days=100)
    lives_on(migrated, 4)
    migrated.release("3.0")
    assert migrated.fleet.devices["off since 1.0"].update() == "3.0"
    migrated.fleet.arrives("3.0")


# --- the negative twins ---


def test_the_old_owner_signs_only_what_the_new_one_has_accepted(
    prepared: Works, capsys: pytest.CaptureFixture[str]
) -> None:
    house, request = prepared.house, prepared.house.request("root-2", "manifest")
    assert house.signs(request, "manifest-a", house.votes(request)) == 3
    assert "error: TRANSITION-CONSENT" in capsys.readouterr().err
    one = house.signed_by(house.request("root-2"), "root-a")
    house.response(request, "manifest-a").unlink()  # it says FAILED
    assert house.signs(request, "manifest-a", [*house.votes(request), "--consent", one[0]]) == 3
    assert "incoming root keys: expected 2 signatures that are there already, got 1" in capsys.readouterr().err


@pytest.mark.parametrize(("missing", "told"), [("manifest-a", "keys of version 1"), ("root-a", "its own keys")])
def test_a_device_refuses_a_quorum_that_is_not_whole_and_so_does_ngclient(
    migrated: Works, tmp_path: Path, missing: str, told: str
) -> None:
    device = migrated.fleet.devices["boxed"]
    tree = tree_with_root(migrated.published, tmp_path / "tree", 2, without=[migrated.house.key(missing).keyid])
    with pytest.raises(RefusedError, match=f"^SIGNATURE-THRESHOLD: root version 2, {told}"):
        device.update(tree)
    with pytest.raises(Exception, match="root was signed by 1/2 keys"):
        device.ngclient(tree)
    migrated.fleet.arrives("1.1", "boxed")


def back_to_one(house_keys: list[str]) -> Any:
    """The PIV custodians hold root again, as before."""

    def change(root: dict[str, Any]) -> None:
        root[FIELD]["authority_model"] = "manifest-only"
        del root[FIELD]["authorities"]["release"], root[FIELD]["policies"]["release"]
        root["roles"]["root"]["keyids"] = house_keys

    return change


def test_there_is_no_way_back_for_a_device_and_plain_tuf_knows_no_models(migrated: Works, tmp_path: Path) -> None:
    """Both quorums sign it, and the manifest authority consents: no signature is missing."""
    house = migrated.house
    migrated.fleet.arrives("1.1")
    tree = tree_with_root(migrated.published, tmp_path / "tree", 2)
    keys = [house.key(f"manifest-{letter}").keyid for letter in "abc"]
    signers = ("root-a", "root-b", "root-c", "manifest-a", "manifest-b")
    assert root_by(house, tree, back_to_one(keys), *signers) == 3
    for name in ("boxed", "off since 1.0"):
        with pytest.raises(RefusedError, match=r"^MODEL-RATCHET: root version 3: expected authority_model dual"):
            migrated.fleet.devices[name].update(tree)
    assert migrated.fleet.devices["boxed"].ngclient(tree) == "1.1"
    migrated.fleet.arrives("1.1")


def test_a_device_does_not_go_back_to_the_tree_of_before(migrated: Works, one: Works) -> None:
    migrated.fleet.arrives("1.1")
    for device in migrated.fleet.devices.values():
        with pytest.raises(RefusedError, match=r"^ROLLBACK-TIMESTAMP"):
            device.update(one.published)
        assert device.root_version == 2


def test_there_is_no_way_back_for_the_tools(migrated: Works, capsys: pytest.CaptureFixture[str]) -> None:
    one = migrated.house.path / "repository.toml"  # as it was given to init
    assert migrated.run("root", "prepare", "--config", one) == 3
    assert "error: MODEL-RATCHET" in capsys.readouterr().err


def test_the_manifest_authority_alone_does_not_make_a_release_authority_of_its_own_cards(
    one: Works, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    works = one.copied(tmp_path / "house")
    works.house.plan = replace(works.house.plan, spares=(), lines=DUAL)
    found_authority(works.house, "release")
    own = works.configuration(root_keys=key_files("manifest-a", "manifest-b", "manifest-c"))
    assert works.run("root", "prepare", "--config", own) == 2
    assert "is enrolled for manifest in staging; root_keys in staging cannot use it" in capsys.readouterr().err
