"""The whole flow with the real authorities on SoftHSM: enigm-repo and enigm-sign speak the same language."""

import json
from pathlib import Path

import pytest

from enigm_testkit.house import House, build_house
from enigm_testkit.vendor import release_toml
from enigm_tuf_repository.records import Step, load_record
from enigm_tuf_repository.workspace import Workspace


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The root is published, and both authorities trust it."""
    return build_house(tmp_path_factory.mktemp("house") / "house").with_root()


def test_a_product_and_a_release_go_through_all_eight_steps(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.repo("product", "add", "phone", "--channel", "stable")
    _signed_and_published(house, "product-phone")
    (house.path / "ota.zip").write_bytes(b"an image")
    (house.path / "slsa.json").write_text("{}")
    (house.path / "release.toml").write_text(release_toml("1.0"))

    house.repo("release", "prepare", "--config", house.path / "release.toml")
    for authority in ("release", "manifest"):
        house.repo("request", "lint", house.request("phone-1.0", authority))
    _signed_and_published(house, "phone-1.0")

    record = load_record(Workspace(house.path / "repository"), "phone-1.0")
    assert [item.step for item in record.steps] == list(Step)
    capsys.readouterr()
    house.repo("status", "--json")
    status = json.loads(capsys.readouterr().out)
    assert {item["role"]: item["version"] for item in status["roles"]} == {
        "root": 1,
        "targets": 1,
        "snapshot": 2,
        "timestamp": 2,
        "phone.manifest": 2,
        "phone.payload": 2,
    }
    assert status["open"] == []


def test_the_product_ends_and_comes_back_where_it_stopped(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """After the release above. Who approves reads what ends, and only the manifest authority is asked."""
    house.repo("product", "retire", "phone")
    request = house.request("retire-phone-2", "manifest")
    assert not house.request("retire-phone-2", "release").exists()
    house.repo("request", "lint", request)
    capsys.readouterr()
    assert house.sign("request", "inspect", request, "--home", house.home("manifest")) == 0
    told = capsys.readouterr().out
    assert "- delegation phone.manifest" in told
    assert "- delegation phone.payload" in told
    assert "manifests/phone/stable.json: - release 1.0" in told
    house.publish("retire-phone-2", *house.signed_by(request, "manifest-a"))
    house.repo("verify")

    house.repo("product", "add", "phone", "--channel", "stable")
    _signed_and_published(house, "product-phone-3")
    (house.path / "ota.zip").write_bytes(b"another image")
    (house.path / "release.toml").write_text(release_toml("1.1"))
    house.repo("release", "prepare", "--config", house.path / "release.toml")
    _signed_and_published(house, "phone-1.1")
    house.repo("verify")
    for home in ("manifest", "release"):
        assert house.sign("audit", "verify", "--home", house.home(home)) == 0


def _signed_and_published(house: House, record: str) -> None:
    responses: list[Path] = [
        *house.signed_by(house.request(record, "release"), "payload-a", "payload-b"),
        *house.signed_by(house.request(record, "manifest"), "manifest-a"),
    ]
    house.publish(record, *responses)
