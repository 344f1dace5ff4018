"""A next root at the repository: prepared, attached, followed by its roles, verified from every root, published."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.custodians import soft_key
from enigm_testkit.killing import killed_at
from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import RefusedError, StateError
from enigm_tuf.model.request import read_request
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf_repository import following
from enigm_tuf_repository.lineage import root_chain
from enigm_tuf_repository.records import Step
from enigm_tuf_repository.stores.directory import DirectoryStore


def root_of(vendor: Vendor, version: int) -> dict[str, object]:
    signed: dict[str, object] = json.loads((vendor.published / f"metadata/{version}.root.json").read_bytes())["signed"]
    return signed


def new_root(vendor: Vendor, version: int = 2, **changes: str) -> None:
    """Prepared, signed by everybody, and attached."""
    vendor.done("root", "prepare", "--config", vendor.configuration(**changes))
    vendor.done("release", "attach", f"root-{version}", *vendor.answers(f"root-{version}"))


def finished(vendor: Vendor, version: int = 2) -> None:
    for step in ("verify", "gate", "publish"):
        vendor.done("release", step, f"root-{version}")


def rotated_payload_keys(vendor: Vendor) -> None:
    """Both payload keys are replaced; root and roles are signed, nothing is published."""
    vendor.keys["payload"] = [soft_key("payload-c"), soft_key("payload-d")]
    new_root(vendor)
    vendor.follow("root-2")


@pytest.mark.rule("VERIFY-ROOTS", "accept")
def test_every_root_that_was_ever_published_is_played_to_the_head(released: Vendor) -> None:
    for version in (2, 3):
        released.clock.advance(timedelta(hours=1))
        new_root(released, version)
        finished(released, version)

    evidence = released.record("root-3").evidence(Step.VERIFIED)
    assert evidence is not None
    said = [finding.evidence for finding in evidence.findings]
    assert "a device at each of 3 roots finds phone 1.0 on stable" in said
    assert "ngclient refreshed from each of 3 roots and found 2 targets" in said
    assert [finding.rule for finding in evidence.findings][-2:] == ["VERIFY-ROOTS", "VERIFY-NGCLIENT"]
    assert released.device_sees() == "1.0"


@pytest.mark.rule("VERIFY-ROOTS", "reject")
def test_a_root_behind_which_no_device_would_find_the_release_is_not_published(
    released: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    """The payload role of before is put back under the new root: every signature of the root itself is there."""
    rotated_payload_keys(released)
    staged = released.workspace.staged("root-2") / "metadata"
    old = (released.published / "metadata/2.phone.payload.json").read_bytes()
    (staged / "3.phone.payload.json").write_bytes(old)
    record = released.workspace.record("root-2") / "record.json"
    text = record.read_text()
    record.write_text(text.replace(_digest(text, "3.phone.payload.json"), _sha256(old)))

    assert released.run("release", "verify", "root-2") == 3

    told = capsys.readouterr().err
    assert "error: VERIFY-ROOTS: a device at root version 1" in told
    assert "SIGNATURE-THRESHOLD: phone.payload" in told
    assert len(root_chain(released.published)) == 1


def _digest(text: str, name: str) -> str:
    steps = json.loads(text)["steps"]
    digest: str = next(step["digests"][f"staged/metadata/{name}"] for step in steps if step["step"] == "signed")
    return digest


def _sha256(data: bytes) -> str:
    from hashlib import sha256

    return sha256(data).hexdigest()


def test_the_timestamp_key_is_rotated_and_the_new_one_signs(released: Vendor) -> None:
    released.keys["timestamp"] = [soft_key("timestamp-b")]
    new_root(released)
    finished(released)
    assert released.device_sees() == "1.0"
    released.clock.advance(timedelta(hours=30))
    released.done("timestamp")
    assert released.device_sees() == "1.0"


def test_a_policy_is_pinned_by_a_root_and_in_force_with_it(released: Vendor) -> None:
    policy = released.path / "release.policy.toml"
    old = policy.read_text()
    policy.write_text(old.replace("version = 1", "version = 2", 1).replace("request_hours = 72", "request_hours = 80"))
    new_root(released)
    assert released.workspace.policy("release").decode() == old
    finished(released)
    assert released.workspace.policy("release") == policy.read_bytes()
    assert root_of(released, 2)[FIELD]["policies"]["release"]["version"] == 2  # type: ignore[index]
    assert released.request("root-2", "release").index.policy.version == 1, "asked under the policy of before"


def test_roles_that_follow_are_asked_for_under_the_policy_that_the_root_pins(released: Vendor) -> None:
    policy = released.path / "release.policy.toml"
    policy.write_text(policy.read_text().replace("version = 1", "version = 2", 1))
    rotated_payload_keys(released)
    folder = released.workspace.record("root-2") / "requests"
    versions = {
        name: read_request((folder / name).read_bytes(), name).index.policy.version
        for name in ("release.enigmreq", "release-roles.enigmreq", "manifest-roles.enigmreq")
    }
    assert versions == {"release.enigmreq": 1, "release-roles.enigmreq": 2, "manifest-roles.enigmreq": 1}
    finished(released)
    assert released.device_sees() == "1.0"


def test_a_policy_of_the_manifest_authority_needs_its_consent(released: Vendor) -> None:
    policy = released.path / "manifest.policy.toml"
    policy.write_text(policy.read_text().replace("version = 1", "version = 2", 1))
    released.done("root", "prepare", "--config", released.configuration())
    assert [entry.authority for entry in released.record("root-2").requests] == ["manifest", "release"]


def test_a_repository_that_slept_until_everything_had_expired_wakes_up(released: Vendor) -> None:
    released.clock.advance(timedelta(days=800))
    new_root(released)
    assert released.record("root-2").follows == ("targets", "phone.payload", "phone.manifest", "snapshot")
    released.follow("root-2")
    finished(released)
    assert released.device_sees() == "1.0"


# --- killed, raced, changed ---


def test_between_root_and_timestamp_a_device_is_refused_and_loses_nothing(
    released: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotated_payload_keys(released)
    for step in ("verify", "gate"):
        released.done("release", step, "root-2")
    with monkeypatch.context() as broken:
        broken.setattr(DirectoryStore, "replace", _no_space)
        assert released.run("release", "publish", "root-2") == 2
    assert len(root_chain(released.published)) == 2
    assert _seen_by_device(released) == "PAYLOAD-PINNED"
    released.done("release", "publish", "root-2")
    assert released.device_sees() == "1.0"


def _no_space(*_: object) -> None:
    raise StateError("no space left on device")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_root_killed_at_any_file_operation_of_its_publication_is_completed_by_running_it_again(
    released: Vendor, tmp_path: Path
) -> None:
    """Root stands in front of the timestamp: between them alone a device is refused, and then finds all of it."""
    rotated_payload_keys(released)
    for step in ("verify", "gate"):
        released.done("release", step, "root-2")
    operation, killed, refused = 0, True, []
    while killed:
        vendor = released.copied_to(tmp_path / f"killed-at-{operation}")
        killed = killed_at(operation, vendor, "release", "publish", "root-2")
        if _seen_by_device(vendor) != "1.0":
            assert _seen_by_device(vendor) == "PAYLOAD-PINNED"
            refused.append(operation)
        vendor.done("release", "publish", "root-2")
        assert vendor.device_sees() == "1.0", f"killed at operation {operation}, then run again"
        assert "payload-c.key.json" in vendor.workspace.configuration_file.read_text()
        assert (vendor.workspace.keys / "payload-d.key.json").is_file()
        operation += 1
    assert operation > 20, "the kill reached every file operation"
    # Files of one kind go out side by side, so that the n-th operation is not the same one in every run.
    assert refused[-1] - refused[0] < 12, "one window, between root and timestamp, and nothing else is done in it"


def _seen_by_device(vendor: Vendor) -> str | None:
    """The version that a new device is offered, or the rule that refuses."""
    try:
        return vendor.device_sees()
    except RefusedError as refusal:
        return refusal.rule


def test_settings_that_change_after_the_request_are_noticed(
    released: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    released.clock.advance(timedelta(hours=1))
    released.done("root", "prepare", "--config", released.configuration())
    settings = released.workspace.record("root-2") / "settings/repository.toml"
    settings.write_text(settings.read_text().replace("request_hours = 72", "request_hours = 73"))
    assert released.run("release", "attach", "root-2", *released.answers("root-2")) == 3
    assert "error: RECORD-EVIDENCE: root-2, settings/repository.toml" in capsys.readouterr().err


def test_a_configuration_that_was_changed_meanwhile_is_not_overwritten(
    released: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    released.clock.advance(timedelta(hours=1))
    new_root(released)
    for step in ("verify", "gate"):
        released.done("release", step, "root-2")
    file = released.workspace.configuration_file
    before = file.read_bytes()
    file.write_bytes(before.replace(b'kinds = ["file"]', b'kinds = ["file", "rauc-bundle"]'))
    assert released.run("release", "publish", "root-2") == 2
    said = capsys.readouterr().err
    assert "repository.toml: changed since root-2 was prepared" in said
    assert "settings/replaced.toml, publish, and then change it again" in said
    assert len(root_chain(released.published)) == 1
    file.write_bytes(before)
    released.done("release", "publish", "root-2")


def test_the_old_configuration_is_in_force_until_the_root_is_out(released: Vendor) -> None:
    before = released.workspace.configuration_file.read_bytes()
    rotated_payload_keys(released)
    for step in ("verify", "gate"):
        released.done("release", step, "root-2")
    assert released.workspace.configuration_file.read_bytes() == before
    released.done("release", "publish", "root-2")
    assert released.workspace.configuration_file.read_bytes() == (released.path / "next.toml").read_bytes()


# --- what is refused before anybody is asked ---


def test_a_consent_that_comes_to_nothing_holds_nobody_up(released: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    """The manifest authority agreed to root-d; then root-d breaks, and root-e comes instead."""
    roots = released.keys["root"]
    released.keys["root"] = [*roots[:2], soft_key("root-d")]
    released.done("root", "prepare", "--config", released.configuration())
    manifest = released.request("root-2", "manifest")
    stale = released.answer(manifest, released.keys["manifest"][0])
    released.done("release", "attach", "root-2", stale)

    released.keys["root"] = [*roots[:2], soft_key("root-e")]
    released.done("root", "prepare", "--config", released.configuration())
    assert released.run("release", "attach", "root-2", stale) == 3
    assert "error: RESPONSE-REQUEST" in capsys.readouterr().err
    released.done("release", "attach", "root-2", *released.answers("root-2"))
    finished(released)
    assert released.device_sees() == "1.0"


def test_a_root_that_its_owner_has_signed_is_not_prepared_again(
    released: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    released.clock.advance(timedelta(hours=1))
    released.done("root", "prepare", "--config", released.configuration())
    released.done("release", "attach", "root-2", released.answers("root-2")[0])
    assert released.run("root", "prepare", "--config", released.configuration()) == 2
    assert "root-2: an authority has signed for it already" in capsys.readouterr().err


def test_an_owners_signature_without_the_consent_beside_it_is_not_attached(
    released: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    released.keys["root"][2] = soft_key("root-d")
    released.done("root", "prepare", "--config", released.configuration())
    answers = [name for name in released.answers("root-2") if "-release-" in name]
    assert released.run("release", "attach", "root-2", *answers) == 3
    assert "error: TRANSITION-CONSENT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({}, 2, "this configuration changes nothing of root"),
        ({"environment": '"production"'}, 2, "audit_logs.manifest: must be a log whose name ends in /production/"),
        ({"root_threshold": "3"}, 3, "ROOT-CONSENT: root version 2, recovery threshold"),
        ({"root_threshold": "4"}, 3, "THRESHOLD-DISTINCT: root version 2, root"),
        ({"payload_threshold": "3"}, 3, "THRESHOLD-DISTINCT: root version 2, payload roles"),
        ({"authority_model": '"manifest-only"'}, 2, "payload_keys: not allowed in model manifest-only"),
        ({"root_keys": '["manifest-a.key.json"]'}, 2, "is enrolled for manifest in staging; root_keys"),
        ({"unknown": "1"}, 2, "unknown: unknown field"),
    ],
)
def test_a_configuration_that_makes_no_next_root_says_why(
    released: Vendor, changes: dict[str, str], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    (released.path / "next.toml").write_text(_same_keys(released, **changes))
    assert released.run("root", "prepare", "--config", str(released.path / "next.toml")) == status
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said
    assert not released.workspace.record("root-2").exists()


def _same_keys(vendor: Vendor, **changes: str) -> str:
    """The configuration in force with some lines replaced; the records are the very ones that were given to init."""
    lines = dict(line.split(" = ", 1) for line in vendor.workspace.configuration_file.read_text().splitlines())
    return "\n".join(f"{name} = {value}" for name, value in (lines | changes).items()) + "\n"


def test_there_is_no_second_root_before_the_first(new_vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    new_vendor.done("init", "--config", str(new_vendor.path / "repository.toml"))
    assert new_vendor.run("root", "prepare", "--config", str(new_vendor.path / "repository.toml")) == 2
    assert "there is no root yet" in capsys.readouterr().err


def test_nothing_else_is_prepared_while_a_signed_root_waits(
    released: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    rotated_payload_keys(released)
    assert released.run("product", "add", "tablet", "--channel", "stable") == 2
    assert "root-2 makes a root that is signed and not published yet" in capsys.readouterr().err


def test_roles_do_not_follow_while_another_record_is_signed_and_not_out(
    released: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    released.up_to(released.prepare_release("2.0"))
    released.keys["payload"] = [soft_key("payload-c"), soft_key("payload-d")]
    new_root(released)
    assert released.run("root", "follow", "root-2") == 2
    assert "phone-2.0 is signed and not published" in capsys.readouterr().err
    for step in ("verify", "gate", "publish"):
        released.done("release", step, "phone-2.0")
    released.follow("root-2")
    finished(released)
    assert released.device_sees() == "2.0"


def test_more_roles_than_a_request_holds_are_named_with_the_way_round(
    released: Vendor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(following, "REQUEST_ROLES", 1)
    released.keys["manifest"] = [soft_key("manifest-c")]
    assert released.run("root", "prepare", "--config", released.configuration()) == 2
    said = capsys.readouterr().err
    assert "3 roles would have to be signed anew at once; one request holds 1" in said
    assert "hint: let the new key come first" in said


def test_a_root_that_no_role_has_to_follow_says_so(released: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    released.clock.advance(timedelta(hours=1))
    new_root(released)
    assert released.run("root", "follow", "root-2") == 2
    assert "root-2: no role has to follow" in capsys.readouterr().err
