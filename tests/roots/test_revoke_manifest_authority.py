"""Revoking the whole manifest authority: its keys are gone or stolen, and more root keys than root needs replace it."""

from pathlib import Path

import pytest

from enigm_testkit.forged_roots import tree_with_root
from enigm_testkit.house import key_files
from enigm_testkit.works import Works
from enigm_tuf.errors import RefusedError

NEW = key_files("manifest-c", "manifest-d")
FOUR = ("root-a", "root-b", "root-c", "root-d")


@pytest.fixture(scope="module")
def prepared_template(five: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    """Nobody of the manifest authority takes part from here on."""
    works = five.copied(tmp_path_factory.mktemp("prepared") / "house")
    gone = works.house.key("manifest-a").spki_sha256
    works.house.take_stock("manifest", "manifest-c", "manifest-d", retire=gone)
    works.house.repo("root", "recover", "--config", works.configuration(manifest_keys=NEW))
    return works


@pytest.fixture(scope="module")
def recovered_template(prepared_template: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    works = prepared_template.copied(tmp_path_factory.mktemp("recovered") / "house")
    works.root_signed("root-2", *FOUR, consent=())
    works.manifest = ("manifest-c",)
    works.follow("root-2")
    works.finish("root-2")
    return works


@pytest.fixture
def prepared(prepared_template: Works, tmp_path: Path) -> Works:
    return prepared_template.copied(tmp_path / "house")


@pytest.fixture
def recovered(recovered_template: Works, tmp_path: Path) -> Works:
    return recovered_template.copied(tmp_path / "house")


def test_four_of_five_root_keys_replace_the_manifest_authority(recovered: Works) -> None:
    recovered.fleet.ship("new", 2)
    recovered.fleet.arrives("1.0")
    recovered.release("2.0")
    recovered.fleet.arrives("2.0")


def test_it_is_an_action_of_its_own_and_everybody_is_told(prepared: Works, capsys: pytest.CaptureFixture[str]) -> None:
    house, request = prepared.house, prepared.house.request("root-2")
    assert not house.request("root-2", "manifest").exists()
    capsys.readouterr()
    house.sign("request", "inspect", request, "--home", house.home("release"))
    told = capsys.readouterr().out
    assert "action recovery" in told
    assert "revoke-manifest-keys: - " in told
    assert "; 0 stay" in told


# --- the negative twins ---


def test_three_of_five_are_not_enough(prepared: Works, capsys: pytest.CaptureFixture[str]) -> None:
    """They are enough for every other root."""
    capsys.readouterr()
    prepared.root_signed("root-2", *FOUR[:3], consent=())
    told = capsys.readouterr().out
    assert "root  2        3 of 4      root keys, to recover" in told
    assert "root  2        3 of 3      incoming root keys" in told
    assert prepared.run("root", "follow", "root-2") == 2
    assert "its root is not signed yet" in capsys.readouterr().err


def test_a_device_refuses_three_of_five_and_plain_tuf_would_not(recovered: Works, tmp_path: Path) -> None:
    tree = tree_with_root(recovered.published, tmp_path / "tree", 2, without=[recovered.house.key("root-d").keyid])
    with pytest.raises(RefusedError, match=r"^ROOT-CONSENT: .*, or 4 of root's keys, got 0 and 3"):
        recovered.fleet.devices["updated"].update(tree)
    assert recovered.fleet.devices["updated"].ngclient(tree) == "1.0"
    recovered.fleet.arrives("1.0")


def test_without_that_action_root_does_not_replace_the_manifest_authority(
    works: Works, capsys: pytest.CaptureFixture[str]
) -> None:
    house = works.house
    house.repo("root", "prepare", "--config", works.configuration(manifest_keys=NEW))
    request = house.request("root-2")
    assert house.signs(request, "root-a", house.votes(request)) == 3
    assert "error: TRANSITION-CONSENT" in capsys.readouterr().err


def test_recovery_is_not_for_a_root_that_needs_no_consent(works: Works, capsys: pytest.CaptureFixture[str]) -> None:
    payload = key_files("payload-a", "payload-c")
    assert works.run("root", "recover", "--config", works.configuration(payload_keys=payload)) == 2
    assert "this root needs nobody's consent" in capsys.readouterr().err


def test_what_the_revoked_authority_signed_reaches_no_device_that_knows(recovered: Works, tmp_path: Path) -> None:
    """A thief of the old keys can serve what those signed: here the tree of before, under the new root."""
    old = recovered.fleet.devices["updated"].metadata("timestamp")
    recovered.fleet.arrives("1.0")
    tree = tree_with_root(recovered.published, tmp_path / "tree", 2)
    (tree / "metadata" / "timestamp.json").write_bytes(old)
    with pytest.raises(RefusedError, match=r"^SIGNATURE-THRESHOLD: snapshot"):
        recovered.fleet.ship("fresh", 2).update(tree)
    with pytest.raises(RefusedError, match=r"^ROLLBACK-TIMESTAMP"):
        recovered.fleet.devices["updated"].update(tree)
