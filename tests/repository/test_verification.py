"""Before anything is published, two implementations look at the staged tree; what either refuses stays here."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Targets

from enigm_testkit.custodians import SoftKey
from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.strict_json import canonical, encode, sha256
from enigm_tuf_repository.durable import file_sha256
from enigm_tuf_repository.foreign_client import verify_roots_with_tuf, verify_with_ngclient
from enigm_tuf_repository.lineage import metadata_file, root_chain
from enigm_tuf_repository.overlay import OverlayFetcher
from enigm_tuf_repository.records import Step

RECORD = "phone-1.0"


@pytest.fixture
def signed(prepared: Vendor) -> Vendor:
    """Everything is signed, nothing verified."""
    prepared.up_to(RECORD)
    return prepared


def refused_with(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> str:
    """The error line of a verification that a rule refuses."""
    capsys.readouterr()
    assert vendor.run("release", "verify", RECORD) == 3
    assert vendor.record(RECORD).evidence(Step.VERIFIED) is None
    return capsys.readouterr().err.splitlines()[0]


def test_both_implementations_leave_their_evidence(signed: Vendor) -> None:
    signed.done("release", "verify", RECORD)

    evidence = signed.record(RECORD).evidence(Step.VERIFIED)
    assert evidence is not None
    assert {finding.rule: finding.evidence for finding in evidence.findings} == {
        "VERIFY-DEVICE": "roots 1 to 1, new targets: 2, payloads agreed and hashed: 1",
        "VERIFY-NGCLIENT": "ngclient refreshed from root version 1 and downloaded 2 targets",
    }
    assert "staged/metadata/timestamp.json" in evidence.digests


def test_the_manifest_authority_alone_cannot_give_a_payload_another_meaning(
    signed: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    _sign_other_manifest(signed, rollback_index=7)

    told = refused_with(signed, capsys)

    assert told.startswith("error: DUAL-AGREEMENT: phone 1.0, payloads/phone/1.0/ota.zip, rollback_index")


def test_a_manifest_of_another_environment_is_refused(signed: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    _sign_other_manifest(signed, environment="production")

    assert "ENVIRONMENT-MATCH" in refused_with(signed, capsys)


def test_a_second_root_that_nobody_signed_stops_everything(signed: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    root = json.loads((signed.published / "metadata/1.root.json").read_bytes())
    root["signed"]["version"] = 2
    (signed.published / "metadata/2.root.json").write_bytes(encode(root))

    assert "SIGNATURE-THRESHOLD" in refused_with(signed, capsys)


def test_a_published_role_that_was_swapped_is_refused(signed: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    path = signed.published / "metadata/1.targets.json"
    targets = json.loads(path.read_bytes())
    targets["signed"]["expires"] = "2036-01-01T00:00:00Z"
    path.write_bytes(encode(targets))

    assert "SIGNATURE-THRESHOLD" in refused_with(signed, capsys)


def test_a_root_that_has_expired_is_refused(signed: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    signed.clock.advance(timedelta(days=366))

    assert "ROOT-EXPIRED" in refused_with(signed, capsys)


@pytest.mark.parametrize(
    ("signer", "told", "status"),
    [
        (["no-such-command"], "error: timestamp signer no-such-command: No such file", 2),
        (["sh", "-c", "echo 'error: wrong PIN' >&2; exit 2"], "error: timestamp signer sh failed: error: wrong PIN", 2),
        (["echo", "not json"], "error: timestamp signer: line 1 column 1: not JSON", 2),
        (["echo", '{"keyid": "aa", "sig": "aa"}'], "error: timestamp signer: keyid: must be a SHA-256", 2),
        (["echo", json.dumps({"keyid": "a" * 64, "sig": "aa"})], "error: SIGNATURE-THRESHOLD: timestamp version 2", 3),
    ],
)
def test_a_timestamp_signer_that_fails_is_one_clear_line(
    signed: Vendor, capsys: pytest.CaptureFixture[str], signer: list[str], told: str, status: int
) -> None:
    path = signed.workspace.configuration_file
    before = path.read_text().splitlines()
    lines = [f"timestamp_signer = {json.dumps(signer)}" if "timestamp_signer" in line else line for line in before]
    path.write_text("\n".join(lines))
    capsys.readouterr()

    assert signed.run("release", "verify", RECORD) == status

    assert capsys.readouterr().err.startswith(told)
    assert not (signed.workspace.staged(RECORD) / "metadata/timestamp.json").exists()


@pytest.mark.rule("VERIFY-NGCLIENT", "accept")
def test_ngclient_accepts_the_staged_tree(signed: Vendor, tmp_path: Path) -> None:
    signed.done("release", "verify", RECORD)
    overlay = OverlayFetcher((signed.workspace.staged(RECORD), signed.published))

    seen = verify_with_ngclient(overlay, root_chain(signed.published)[0], ["payloads/phone/1.0/ota.zip"], tmp_path)

    assert seen == "ngclient refreshed from root version 1 and downloaded 1 targets"


@pytest.mark.rule("VERIFY-NGCLIENT", "reject")
def test_what_ngclient_refuses_is_refused(signed: Vendor, tmp_path: Path) -> None:
    signed.done("release", "verify", RECORD)
    overlay = OverlayFetcher((signed.workspace.staged(RECORD), signed.published))

    with pytest.raises(RefusedError, match=r"VERIFY-NGCLIENT: payloads/phone/9\.9/ota\.zip"):
        verify_with_ngclient(overlay, root_chain(signed.published)[0], ["payloads/phone/9.9/ota.zip"], tmp_path)


def test_a_root_that_python_tuf_refuses_is_refused(rooted: Vendor) -> None:
    (root,) = root_chain(rooted.published)
    assert verify_roots_with_tuf([root]) == "python-tuf verified 1 roots"
    value = json.loads(root)
    value["signatures"] = value["signatures"][:1]

    with pytest.raises(RefusedError, match="VERIFY-NGCLIENT: the root chain"):
        verify_roots_with_tuf([encode(value)])


def _sign_other_manifest(vendor: Vendor, **fields: object) -> None:
    """The manifest authority's key signs another manifest, and the record is made to fit: evidence and all."""
    folder = vendor.workspace.record(RECORD)
    (old,) = folder.glob("staged/targets/manifests/phone/*.stable.json")
    manifest = json.loads(old.read_bytes())
    for name, value in fields.items():
        (manifest if name in manifest else manifest["releases"][0])[name] = value
    data = encode(manifest)
    new = old.with_name(f"{sha256(data)}.stable.json")
    old.unlink()
    new.write_bytes(data)
    _sign_again(folder / "staged/metadata/2.phone.manifest.json", vendor.keys["manifest"][0], data)
    record = json.loads((folder / "record.json").read_bytes())
    for step in record["steps"]:
        names = {path.replace(old.name, new.name) for path in step["digests"]}
        step["digests"] = {path: file_sha256(folder / path) for path in names}
    (folder / "record.json").write_bytes(encode(record))


def _sign_again(path: Path, key: SoftKey, manifest: bytes) -> None:
    signed: dict[str, Any] = json.loads(path.read_bytes())["signed"]
    assert signed["_type"] == Targets.type
    target = signed["targets"]["manifests/phone/stable.json"]
    target["length"] = len(manifest)
    target["hashes"] = {name: _digest(name, manifest) for name in ("sha256", "sha512")}
    data = canonical(signed)
    path.write_bytes(metadata_file(data, {key.keyid: key.sign(data).hex()}))


def _digest(name: str, data: bytes) -> str:
    return hashlib.new(name, data).hexdigest()
