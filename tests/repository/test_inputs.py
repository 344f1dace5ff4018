"""Bad input is one clear line and exit status 2, and nothing half written is left."""

import json
from collections.abc import Callable

import pytest

from enigm_testkit.custodians import key_record, soft_key
from enigm_testkit.vendor import Vendor, release_toml
from enigm_tuf.model.keys import write_key_record
from enigm_tuf_repository.cli import COMMANDS, main


def files(vendor: Vendor) -> set[str]:
    folder = vendor.workspace.path
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text + '\nsurprise = "x"\n', "surprise: unknown field"),
        (replaced("root_threshold = 2\n", ""), "root_threshold: missing field"),
        (replaced("root_threshold = 2\n", "root_threshold = true\n"), "root_threshold: must be an integer"),
        (replaced("root_threshold = 2\n", "root_threshold = nan\n"), "root_threshold: must be an integer"),
        (replaced("root_threshold = 2\n", "root_threshold = 2\nroot_threshold = 2\n"), "not TOML"),
        (replaced('"staging"', '"test"'), "environment: must be one of production, staging, development"),
        (replaced("request_hours = 72", "request_hours = 0"), "request_hours: must lie in 1..2160"),
        (replaced('manifest = "manifest.policy.toml"', 'manifest = "none.toml"'), "none.toml: no such file"),
        (replaced("'root-a.key.json'", "'manifest-a.key.json'"), "is enrolled for manifest in staging"),
        (
            replaced('manifest = "manifest.policy.toml"', 'manifest = "release.policy.toml"'),
            "is the policy of the release authority in staging, not of the manifest authority",
        ),
    ],
)
def test_a_wrong_configuration_is_named_with_its_field(
    new_vendor: Vendor, capsys: pytest.CaptureFixture[str], change: Callable[[str], str], told: str
) -> None:
    path = new_vendor.path / "repository.toml"
    path.write_text(change(path.read_text()))

    assert new_vendor.run("init", "--config", str(path)) == 2

    line, *rest = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert all(item.startswith("hint: ") for item in rest)
    assert files(new_vendor) == set()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("recovery_threshold = 3", "recovery_threshold = 2", "ROOT-CONSENT"),
        ("root_threshold = 2", "root_threshold = 4", "THRESHOLD-DISTINCT"),
    ],
)
def test_a_root_that_breaks_a_rule_is_never_proposed(
    new_vendor: Vendor, capsys: pytest.CaptureFixture[str], old: str, new: str, rule: str
) -> None:
    path = new_vendor.path / "repository.toml"
    path.write_text(replaced(old, new)(path.read_text()))

    assert new_vendor.run("init", "--config", str(path)) == 3
    assert f"error: {rule}: " in capsys.readouterr().err
    assert files(new_vendor) == set()


@pytest.mark.rule("KEY-POSSESSION", "accept")
def test_keys_with_their_proofs_make_a_root(new_vendor: Vendor) -> None:
    new_vendor.done("init", "--config", str(new_vendor.path / "repository.toml"))


@pytest.mark.rule("KEY-POSSESSION", "reject")
def test_a_key_whose_proof_another_key_signed_is_refused(
    new_vendor: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    path = new_vendor.path / "root-a.key.json"
    record = json.loads(path.read_bytes())
    record["proof"] = json.loads(write_key_record(key_record(soft_key("other"), "root")))["proof"]
    path.write_text(json.dumps(record))

    assert new_vendor.run("init", "--config", str(new_vendor.path / "repository.toml")) == 3
    assert "KEY-POSSESSION: key root-a" in capsys.readouterr().err


def test_a_record_that_says_one_thing_otherwise_than_its_key_is_refused(
    new_vendor: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    path = new_vendor.path / "root-a.key.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"custodian": "mallory"}))

    assert new_vendor.run("init", "--config", str(new_vendor.path / "repository.toml")) == 3
    assert "KEY-POSSESSION: key root-a of mallory" in capsys.readouterr().err


def test_one_key_for_both_authorities_is_never_proposed(new_vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    path = new_vendor.path / "manifest-a.key.json"
    path.write_bytes(write_key_record(key_record(new_vendor.keys["root"][0], "manifest")))

    assert new_vendor.run("init", "--config", str(new_vendor.path / "repository.toml")) == 3
    assert "AUTHORITY-DISJOINT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"version": '"1.0-beta"'}, "version: must be a version such as"),
        ({"rollback_index": "-1"}, "rollback_index: must lie in 0.."),
        ({"payloads": "[]"}, "payloads: must have 1..100 items"),
        ({"payloads": '[{file = "none.zip", type = "full-ota"}]'}, "none.zip: no such file"),
        ({"payloads": '[{file = "ota.zip", type = "delta-ota"}]'}, "source_build: needed in a delta-ota"),
        ({"provenance": '["none.json"]'}, "none.json: no such file"),
        ({"security_patch_level": '"2026-13-05"'}, "security_patch_level: must be a security patch level"),
        ({"force": "true"}, "force: unknown field"),
        ({"version": '"0.9"'}, "releases: newest version first"),
    ],
)
def test_a_wrong_release_is_named_with_its_field_and_leaves_no_record(
    vendor: Vendor, capsys: pytest.CaptureFixture[str], fields: dict[str, str], told: str
) -> None:
    vendor.publish(vendor.prepare_release("1.0"))
    path = vendor.path / "build-1.0" / "release.toml"
    path.write_text(release_toml("2.0", **fields))
    capsys.readouterr()
    before = files(vendor)

    assert vendor.run("release", "prepare", "--config", str(path)) == 2

    assert told in capsys.readouterr().err.splitlines()[0]
    assert files(vendor) == before


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["timestamp"],
        ["serve"],
        ["product", "add", "phone", "--channel", "stable"],
        ["release", "verify", "x"],
    ],
)
def test_a_folder_that_is_no_repository_is_named(
    new_vendor: Vendor, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert new_vendor.run(*command) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_request_that_was_tampered_with_is_named(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    path = prepared.workspace.record("phone-1.0") / "requests" / "manifest.enigmreq"
    data = path.read_bytes()
    copy = prepared.path / "copy.enigmreq"
    copy.write_bytes(data.replace(b'"length"', b'"Length"', 1))

    assert prepared.run("request", "lint", str(copy)) == 2
    assert "size and SHA-256 must be those in the index" in capsys.readouterr().err


def test_lint_refuses_what_the_authority_would_refuse(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    request = prepared.workspace.record("phone-1.0") / "requests" / "manifest.enigmreq"
    prepared.clock.time = prepared.clock.time.replace(year=prepared.clock.time.year - 1)

    assert prepared.run("request", "lint", str(request)) == 3
    assert "error: REQUEST-TIME: manifest.enigmreq" in capsys.readouterr().err


def test_every_command_explains_itself_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as done:
            main([*command.name.split(), "--help"])
        assert done.value.code == 0
        assert f"enigm-repo {command.name}" in capsys.readouterr().out.partition("examples:")[2]


def test_a_manifest_that_was_swapped_never_becomes_the_base_of_the_next(
    vendor: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.publish(vendor.prepare_release("1.0"))
    (manifest,) = vendor.published.glob("targets/manifests/phone/*.stable.json")
    manifest.write_bytes(manifest.read_bytes().replace(b'"halted":false', b'"halted":true '))

    path = vendor.path / "build-1.0" / "release.toml"
    path.write_text(release_toml("2.0"))

    assert vendor.run("release", "prepare", "--config", str(path)) == 3
    assert "TARGET-HASH: manifests/phone/stable.json" in capsys.readouterr().err


def test_a_missing_folder_of_the_tree_is_a_clear_error(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    (vendor.published / "metadata/1.snapshot.json").unlink()

    assert vendor.run("status") == 2
    assert "1.snapshot.json: the repository names it, but it is gone" in capsys.readouterr().err
