"""``root rotate-out``: one name of the configuration is exchanged, or nothing is done and it is said why."""

from pathlib import Path

import pytest

from enigm_testkit.custodians import key_record, soft_key
from enigm_testkit.vendor import Vendor
from enigm_tuf.model.keys import Purpose, write_key_record


def spare(vendor: Vendor, name: str, purpose: Purpose = "root") -> str:
    path = vendor.path / f"{name}.key.json"
    path.write_bytes(write_key_record(key_record(soft_key(name), purpose)))
    return str(path)


@pytest.mark.parametrize("purpose", ["root", "payload", "manifest", "timestamp"])
def test_a_key_of_any_role_is_exchanged(rooted: Vendor, purpose: Purpose, capsys: pytest.CaptureFixture[str]) -> None:
    name = "timestamp" if purpose == "timestamp" else f"{purpose}-b"
    capsys.readouterr()
    rooted.done("root", "rotate-out", f"{name}.key.json", "--spare", spare(rooted, "spare", purpose))
    assert f"rotate-{purpose}-keys: - {name}'s key" in capsys.readouterr().out
    settings = rooted.workspace.with_settings_of("root-2")
    assert "spare.key.json" in settings.configuration_file.read_text()
    assert f"{name}.key.json" not in {path.name for path in settings.keys.iterdir()}
    assert settings.policy("release") == rooted.workspace.policy("release")


@pytest.mark.parametrize(
    ("lost", "coming", "told"),
    [
        ("root-z.key.json", "spare", "no key in force is called root-z.key.json"),
        ("root-a.key.json", "root-b", "root-b.key.json is in force already"),
        ("root-a.key.json", "nowhere", "nowhere.key.json: no such file or directory"),
    ],
)
def test_what_cannot_be_exchanged_is_named(
    rooted: Vendor, lost: str, coming: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spare(rooted, "spare")
    assert rooted.run("root", "rotate-out", lost, "--spare", str(rooted.path / f"{coming}.key.json")) == 2
    assert told in capsys.readouterr().err


def test_a_spare_that_was_enrolled_for_something_else_is_refused(
    rooted: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = spare(rooted, "spare", "payload")
    assert rooted.run("root", "rotate-out", "root-a.key.json", "--spare", wrong) == 2
    assert "is enrolled for payload in staging; root_keys" in capsys.readouterr().err


def test_a_configuration_that_is_written_otherwise_is_left_to_people(
    rooted: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    file: Path = rooted.workspace.configuration_file
    file.write_text(file.read_text().replace("'root-a.key.json'", '"root-\\u0061.key.json"'))
    assert rooted.run("root", "rotate-out", "root-a.key.json", "--spare", spare(rooted, "spare")) == 2
    assert "hint: edit a copy of it" in capsys.readouterr().err
