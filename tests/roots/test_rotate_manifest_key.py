"""Rotating a manifest key: manifest-a leaves, manifest-c comes; root and the roles that it changes go out together."""

from pathlib import Path

import pytest
from tuf.api.exceptions import RepositoryError

from enigm_testkit.forged_roots import tree_with_root
from enigm_testkit.house import key_files
from enigm_testkit.works import Works
from enigm_tuf.errors import RefusedError
from enigm_tuf_repository.records import load_record
from enigm_tuf_repository.workspace import Workspace

pytestmark = pytest.mark.slow

WITH_C = key_files("manifest-b", "manifest-c")
ROOT_KEYS = ("root-a", "root-b", "root-c")


@pytest.fixture(scope="module")
def prepared_template(five: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    works = five.copied(tmp_path_factory.mktemp("prepared") / "house")
    works.house.take_stock("manifest", "manifest-c")
    works.house.repo("root", "prepare", "--config", works.configuration(manifest_keys=WITH_C))
    return works


@pytest.fixture(scope="module")
def signed_template(prepared_template: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    """Root 2 is signed by everybody, and manifest-c signs from now on."""
    works = prepared_template.copied(tmp_path_factory.mktemp("signed") / "house")
    works.root_signed("root-2", *ROOT_KEYS)
    works.manifest = ("manifest-c",)
    return works


@pytest.fixture(scope="module")
def rotated_template(signed_template: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    works = signed_template.copied(tmp_path_factory.mktemp("rotated") / "house")
    works.follow("root-2")
    works.finish("root-2")
    return works


@pytest.fixture
def prepared(prepared_template: Works, tmp_path: Path) -> Works:
    return prepared_template.copied(tmp_path / "house")


@pytest.fixture
def signed(signed_template: Works, tmp_path: Path) -> Works:
    return signed_template.copied(tmp_path / "house")


@pytest.fixture
def rotated(rotated_template: Works, tmp_path: Path) -> Works:
    return rotated_template.copied(tmp_path / "house")


def test_root_and_the_roles_that_it_changes_go_out_together(rotated: Works) -> None:
    record = load_record(Workspace(rotated.house.path / "repository"), "root-2")
    assert record.roles == {"root": 2, "targets": 2, "phone.manifest": 3, "snapshot": 3}
    rotated.fleet.ship("new", 2)
    rotated.fleet.arrives("1.0")

    rotated.release("2.0")
    rotated.fleet.arrives("2.0")


def test_the_configuration_is_in_force_once_it_is_published(rotated: Works, capsys: pytest.CaptureFixture[str]) -> None:
    rotated.prepare_release("2.0")
    house, request = rotated.house, rotated.house.request("phone-2.0", "manifest")
    assert house.signs(request, "manifest-a", house.votes(request)) == 3
    assert "error: KEY-OF-ROLE" in capsys.readouterr().err
    rotated.publish("phone-2.0", *rotated.signed("phone-2.0"))
    rotated.fleet.arrives("2.0")


def test_the_next_step_is_named_until_everything_is_signed(signed: Works, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    signed.house.repo("status")
    assert "enigm-repo root follow root-2" in capsys.readouterr().out
    assert signed.run("release", "verify", "root-2") == 2
    signed.house.repo("root", "follow", "root-2")
    told = capsys.readouterr().out
    assert "signed anew: phone.manifest version 3" in told
    signed.house.repo("root", "follow", "root-2")
    answers = signed.signed("root-2", "-roles")
    signed.house.repo("release", "attach", "root-2", *answers)
    assert signed.run("root", "follow", "root-2") == 2
    assert "signed the roles already" in capsys.readouterr().err


def test_lint_says_of_every_request_what_the_authority_will_say(signed: Works) -> None:
    signed.house.repo("root", "follow", "root-2")
    signed.house.repo("request", "lint", signed.house.request("root-2", "manifest-roles"))


def test_a_key_that_only_comes_costs_no_role_a_signature(works: Works) -> None:
    house, three = works.house, key_files("manifest-a", "manifest-b", "manifest-c")
    house.take_stock("manifest", "manifest-c")
    house.repo("root", "prepare", "--config", works.configuration(manifest_keys=three))
    record = load_record(Workspace(house.path / "repository"), "root-2")
    assert record.follows == ("targets", "snapshot"), "the delegation gains a key; the manifests stay as they are"


# --- the negative twins ---


def test_before_its_roles_are_signed_a_root_is_not_published(signed: Works, capsys: pytest.CaptureFixture[str]) -> None:
    """Every device behind it would stop: the tree alone, without its roles, is refused."""
    assert signed.run("release", "verify", "root-2") == 2
    assert "comes after approved, which is not done" in capsys.readouterr().err


def test_a_root_that_is_served_without_its_roles_stops_a_device_until_they_are_there(
    rotated: Works, tmp_path: Path
) -> None:
    """``publish`` puts root in front of the timestamp: what a device finds in between costs it nothing but time."""
    tree = tree_with_root(rotated.published, tmp_path / "tree", 2)
    (tree / "metadata" / "timestamp.json").write_bytes(rotated.fleet.devices["updated"].metadata("timestamp"))
    with pytest.raises(RefusedError, match=r"^SIGNATURE-THRESHOLD: snapshot"):
        rotated.fleet.devices["updated"].update(tree)
    with pytest.raises(RepositoryError):
        rotated.fleet.devices["updated"].ngclient(tree)
    rotated.fleet.arrives("1.0")


def test_a_device_refuses_other_manifest_keys_without_consent(rotated: Works, tmp_path: Path) -> None:
    tree = tree_with_root(rotated.published, tmp_path / "tree", 2, without=[rotated.house.key("manifest-a").keyid])
    with pytest.raises(RefusedError, match=r"^ROOT-CONSENT: root version 2, which changes .*keys, role targets"):
        rotated.fleet.devices["updated"].update(tree)
    assert rotated.fleet.devices["updated"].ngclient(tree) == "1.0", "plain TUF knows no consent"
    rotated.fleet.arrives("1.0")


def test_the_incoming_key_cannot_consent_to_itself(prepared: Works, capsys: pytest.CaptureFixture[str]) -> None:
    house, request = prepared.house, prepared.house.request("root-2", "manifest")
    assert house.signs(request, "manifest-c", house.votes(request)) == 3
    assert "error: KEY-OF-ROLE: root version 2: expected a key of this role" in capsys.readouterr().err
