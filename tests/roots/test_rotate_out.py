"""Losing one root token of five: the rest sign it out, and a spare in."""

from pathlib import Path

import pytest
from tuf.api.exceptions import UnsignedMetadataError

from enigm_testkit.forged_roots import tree_with_root
from enigm_testkit.house import key_files
from enigm_testkit.works import Works
from enigm_tuf.authorities.cli import main as enigm_sign
from enigm_tuf.errors import RefusedError

WITH_F = key_files("root-a", "root-b", "root-c", "root-d", "root-f")


ROOT_KEYS = ("root-a", "root-b", "root-c")


@pytest.fixture(scope="module")
def prepared_template(five: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    """root-e is lost: the root without it, and with root-f, is prepared."""
    works = five.copied(tmp_path_factory.mktemp("prepared") / "house")
    works.house.take_stock("release", "root-f", retire=works.house.key("root-e").spki_sha256)
    works.house.repo("root", "rotate-out", "root-e.key.json", "--spare", works.house.path / "root-f.key.json")
    return works


@pytest.fixture(scope="module")
def rotated_template(prepared_template: Works, tmp_path_factory: pytest.TempPathFactory) -> Works:
    """Signed by root-a, root-b and root-c, with the consent of the manifest authority, and published."""
    works = prepared_template.copied(tmp_path_factory.mktemp("rotated") / "house")
    works.root_signed("root-2", *ROOT_KEYS)
    works.finish("root-2")
    return works


@pytest.fixture
def prepared(prepared_template: Works, tmp_path: Path) -> Works:
    return prepared_template.copied(tmp_path / "house")


@pytest.fixture
def rotated(rotated_template: Works, tmp_path: Path) -> Works:
    return rotated_template.copied(tmp_path / "house")


def consent(works: Works) -> list[Path]:
    return works.house.signed_by(works.house.request("root-2", "manifest"), "manifest-a")


def test_the_rest_sign_a_lost_token_out_and_a_spare_in(rotated: Works) -> None:
    rotated.fleet.ship("new", 2)
    rotated.fleet.arrives("1.0")
    assert [device.root_version for device in rotated.fleet.devices.values()] == [2, 2, 2]

    rotated.release("2.0")
    rotated.fleet.arrives("2.0")


def test_the_spare_signs_the_next_root_and_the_lost_token_does_not(
    rotated: Works, capsys: pytest.CaptureFixture[str]
) -> None:
    house = rotated.house
    days = "{root = 300, targets = 180, snapshot = 30, manifest = 30, payload = 365, timestamp = 2}"
    house.repo("root", "prepare", "--config", rotated.configuration(root_keys=WITH_F, expiry_days=days))
    assert not house.request("root-3", "manifest").exists(), "it lives longer: nobody has to consent to that"
    request = house.request("root-3")
    capsys.readouterr()
    assert house.signs(request, "root-e", house.votes(request)) == 3
    assert "error: INVENTORY: token root-e, key root-e: expected an active key" in capsys.readouterr().err

    house.repo("release", "attach", "root-3", *house.signed_by(request, "root-f", "root-a", "root-b"))
    rotated.finish("root-3")
    rotated.fleet.arrives("1.0")


def test_custodians_sign_one_by_one_and_every_answer_counts_once(
    prepared: Works, capsys: pytest.CaptureFixture[str]
) -> None:
    house, request = prepared.house, prepared.house.request("root-2")
    consented = consent(prepared)
    house.repo("release", "attach", "root-2", *consented)
    for token, left in (("root-a", "1 of 3"), ("root-b", "2 of 3"), ("root-c", "3 of 3")):
        answer = house.signed_by(request, token, consents=consented)
        capsys.readouterr()
        house.repo("release", "attach", "root-2", *answer)
        assert f"root  2        {left}      outgoing root keys" in capsys.readouterr().out


def test_what_changes_is_said_in_words_to_who_prepares_and_to_who_signs(
    works: Works, capsys: pytest.CaptureFixture[str]
) -> None:
    house = works.house
    capsys.readouterr()
    house.repo("root", "prepare", "--config", works.configuration(root_keys=WITH_F))
    told = capsys.readouterr().out
    assert "rotate-root-keys: - keeper-e's key" in told
    assert "+ keeper-f's key" in told
    assert "3 of the outgoing root keys (release authority)" in told
    assert "1 of the manifest authority, to consent (manifest authority)" in told

    for authority in ("manifest", "release"):
        house.sign("request", "inspect", house.request("root-2", authority), "--home", house.home(authority))
        shown = capsys.readouterr().out
        assert "rotate-root-keys: - keeper-e's key" in shown
        assert "TRANSITION-ROOT" in shown
    request = house.request("root-2")
    edges = house.edges(last_four_words="no")
    vote = ["approve", request, *house.voter(request, "alice"), "--out", house.path / "vote"]
    assert enigm_sign([str(part) for part in vote], edges) == 3, (
        "whoever does not type the words has seen it all the same"
    )
    assert "rotate-root-keys: - keeper-e's key" in "\n".join(edges.person.said)  # type: ignore[attr-defined]


# --- the negative twins ---


def test_root_signs_nothing_before_the_other_authority_has_consented(
    prepared: Works, capsys: pytest.CaptureFixture[str]
) -> None:
    house, request = prepared.house, prepared.house.request("root-2")
    assert house.signs(request, "root-a", house.votes(request)) == 3
    assert "error: TRANSITION-CONSENT" in capsys.readouterr().err
    assert prepared.run("request", "lint", request) == 0, "what is only missing is no fault of the request"


def test_the_answer_to_another_request_is_no_consent(prepared: Works, capsys: pytest.CaptureFixture[str]) -> None:
    house, request = prepared.house, prepared.house.request("root-2")
    release = house.response(house.request("phone-1.0", "manifest"), "manifest-a")
    assert house.signs(request, "root-a", [*house.votes(request), "--consent", release]) == 3
    assert "error: TRANSITION-CONSENT" in capsys.readouterr().err


def test_two_of_three_signatures_publish_nothing(prepared: Works, capsys: pytest.CaptureFixture[str]) -> None:
    house, consented = prepared.house, consent(prepared)
    signed = house.signed_by(house.request("root-2"), "root-a", "root-b", consents=consented)
    house.repo("release", "attach", "root-2", *consented, *signed)
    assert prepared.run("release", "verify", "root-2") == 2
    assert "comes after approved, which is not done" in capsys.readouterr().err


def test_a_device_refuses_two_of_three_and_so_does_ngclient(rotated: Works, tmp_path: Path) -> None:
    lost = rotated.house.key("root-c").keyid
    tree = tree_with_root(rotated.published, tmp_path / "tree", 2, without=[lost])
    with pytest.raises(RefusedError, match=r"^SIGNATURE-THRESHOLD: root version 2, keys of version 1"):
        rotated.fleet.devices["updated"].update(tree)
    with pytest.raises(UnsignedMetadataError):
        rotated.fleet.devices["updated"].ngclient(tree)
    rotated.fleet.arrives("1.0")


def test_a_device_refuses_a_root_without_consent_and_plain_tuf_would_not(rotated: Works, tmp_path: Path) -> None:
    consenting = rotated.house.key("manifest-a").keyid
    tree = tree_with_root(rotated.published, tmp_path / "tree", 2, without=[consenting])
    with pytest.raises(RefusedError, match=r"^ROOT-CONSENT: root version 2"):
        rotated.fleet.devices["updated"].update(tree)
    assert rotated.fleet.devices["updated"].ngclient(tree) == "1.0"
    rotated.fleet.arrives("1.0")
