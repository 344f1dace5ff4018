"""``import``: what another repository holds is verified by its own root, and becomes ours by our signatures alone."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Targets

from enigm_testkit.custodians import key_record
from enigm_testkit.foreign_tuf import IMAGE, OTA, ForeignRepository
from enigm_testkit.vendor import Vendor
from enigm_testkit.web_log import served
from enigm_tuf.model.keys import read_key_record, write_key_record
from enigm_tuf_repository.cli import Edges, main

Captured = pytest.CaptureFixture[str]
INTO = ("--product", "phone", "--channel", "stable", "--version", "1.0")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ForeignRepository:
    return ForeignRepository(tmp_path_factory.mktemp("foreign")).publish()


@pytest.fixture
def foreign(made: ForeignRepository, tmp_path: Path) -> ForeignRepository:
    shutil.copytree(made.path, tmp_path / "foreign")
    return ForeignRepository(tmp_path / "foreign", keys=made.keys, expires=made.expires)


def show(vendor: Vendor, foreign: ForeignRepository, *options: str, source: str = "") -> int:
    root = str(foreign.first_root)
    return main(["import", "show", source or str(foreign.path), "--root", root, *options], Edges(vendor.clock))


def take(vendor: Vendor, foreign: ForeignRepository, *targets: str, source: str = "", into: str = "new") -> int:
    arguments = [source or str(foreign.path), *targets, "--root", str(foreign.first_root), *INTO]
    return vendor.run("import", "take", *arguments, "--into", str(vendor.path / into))


def refused(vendor: Vendor, foreign: ForeignRepository, capsys: Captured, *targets: str) -> str:
    """Nothing was written, and the line that says why."""
    before = sorted(vendor.path.iterdir())
    capsys.readouterr()
    assert take(vendor, foreign, *(targets or (OTA,))) in {2, 3}
    assert sorted(vendor.path.iterdir()) == before
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    return told


def test_what_it_holds_is_shown_and_what_becomes_of_it(
    vendor: Vendor, foreign: ForeignRepository, capsys: Captured
) -> None:
    assert show(vendor, foreign) == 0
    told = capsys.readouterr().out
    assert "verified from root version 2" in told
    assert "phones" in told
    assert "2 of 3" in told
    assert OTA in told
    assert "`import take`, then `release prepare`" in told
    assert show(vendor, foreign, "--json") == 0
    facts: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [(item["role"], item["threshold"], item["targets"]) for item in facts["roles"]] == [
        ("root", 2, 0),
        ("timestamp", 1, 0),
        ("snapshot", 1, 0),
        ("targets", 1, 0),
        ("phones", 2, 2),
    ]
    assert len(facts["keys"]) == 8
    assert {item["path"] for item in facts["targets"]} == {OTA, IMAGE}


@pytest.mark.parametrize("consistent", [True, False])
@pytest.mark.parametrize("bins", [True, False])
@pytest.mark.parametrize("hashes", [("sha256",), ("sha512",)])
def test_however_it_was_made_its_targets_come_over(
    consistent: bool, bins: bool, hashes: tuple[str, ...], vendor: Vendor, made: ForeignRepository, tmp_path: Path
) -> None:
    foreign = ForeignRepository(tmp_path / "other", consistent, bins, keys=made.keys, hashes=hashes).publish()
    assert take(vendor, foreign, OTA, IMAGE) == 0
    assert (vendor.path / "new/ota.zip").read_bytes() == foreign.files[OTA]
    assert (vendor.path / "new/boot.img").read_bytes() == foreign.files[IMAGE]


def test_over_http(vendor: Vendor, foreign: ForeignRepository, tmp_path: Path) -> None:
    with served(tmp_path / "nginx", foreign.path) as server:
        assert take(vendor, foreign, OTA, source=server.url) == 0


@pytest.mark.rule("IMPORT-KEYS", "accept")
def test_it_is_released_here_under_our_own_rules(vendor: Vendor, foreign: ForeignRepository) -> None:
    assert take(vendor, foreign, OTA) == 0
    file = vendor.path / "new/release.toml"
    text = file.read_text().replace("# build_id", "build_id").replace("# security", "security")
    file.write_text(text.replace("# rollback", "rollback").replace("# hardware", "hardware"))
    vendor.done("release", "prepare", "--config", str(file))
    shown = vendor.request("phone-1.0", "release").below("evidence/provenance")
    origin = json.loads(shown["origin.json"])
    assert origin["predicate"]["targets"][0] | {"signers": []} == {
        "target": OTA,
        "role": "phones",
        "version": 1,
        "signers": [],
    }
    assert len(origin["predicate"]["targets"][0]["signers"]) == 3
    vendor.publish("phone-1.0")
    assert vendor.device_sees() == "1.0"
    published = b"".join(path.read_bytes() for path in (vendor.published / "metadata").iterdir())
    for group in foreign.keys.values():
        for signer in group:
            assert signer.public_key.keyid.encode() not in published


@pytest.mark.rule("IMPORT-KEYS", "reject")
@pytest.mark.parametrize("role", ["root", "targets", "phones"])
def test_a_key_of_ours_that_signs_there_too_is_refused(
    role: str, vendor: Vendor, foreign: ForeignRepository, capsys: Captured, tmp_path: Path
) -> None:
    """What it signs there is plain TUF metadata, which names no repository."""
    ours = vendor.keys["payload"][0]
    shared = CryptoSigner.from_priv_key_uri(f"file2:{_pem(tmp_path, ours)}", _public(ours))
    other = ForeignRepository(tmp_path / "other", keys={**foreign.keys, role: [*foreign.keys[role][:1], shared]})
    told = refused(vendor, other.publish(), capsys)
    assert "IMPORT-KEYS: payload key" in told
    assert f"one that signs {role}" in told


def _pem(folder: Path, key: Any) -> Path:
    path = folder / "shared.pem"
    path.write_bytes(key.pem)
    return path


def _public(key: Any) -> Any:
    from tuf.api.metadata import Key

    record = key_record(key, "payload")
    return Key.from_dict(record.keyid, dict(read_key_record(write_key_record(record), "key").key))


def _too_few(foreign: ForeignRepository) -> None:
    """One of two signatures of the delegated role is another's."""
    path = foreign.path / "metadata" / foreign.name("phones")
    metadata: Metadata[Targets] = Metadata.from_bytes(path.read_bytes())
    for keyid in list(metadata.signatures)[1:]:
        del metadata.signatures[keyid]
    path.write_bytes(metadata.to_bytes())


def _other_byte(foreign: ForeignRepository) -> None:
    path = foreign.write_target(OTA, foreign.files[OTA])
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)


def _shorter(foreign: ForeignRepository) -> None:
    path = foreign.write_target(OTA, foreign.files[OTA])
    path.write_bytes(path.read_bytes()[:-1])


def _gone(foreign: ForeignRepository) -> None:
    foreign.write_target(OTA, foreign.files[OTA]).unlink()


def _no_role(foreign: ForeignRepository) -> None:
    (foreign.path / "metadata" / foreign.name("phones")).unlink()


def _no_timestamp(foreign: ForeignRepository) -> None:
    (foreign.path / "metadata/timestamp.json").unlink()


def _other_root(foreign: ForeignRepository) -> None:
    """The next root, signed by strangers."""
    strangers = ForeignRepository(foreign.path.parent / "strangers").publish()
    strangers.write_root(2)
    shutil.copy(strangers.path / "metadata/2.root.json", foreign.path / "metadata/2.root.json")


def _leads_out(foreign: ForeignRepository) -> None:
    secret = foreign.path.parent / "secret"
    secret.write_bytes(foreign.files[OTA])
    path = foreign.write_target(OTA, foreign.files[OTA])
    path.unlink()
    path.symlink_to(secret)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_too_few, "SIGNATURE-THRESHOLD: phones"),
        (_other_byte, "TARGET-HASH"),
        (_shorter, "expected 396, got 395"),
        (_gone, "no such file"),
        (_no_role, "1.phones.json: no such file"),
        (_no_timestamp, "timestamp.json: no such file"),
        (_other_root, "SIGNATURE-THRESHOLD: root version 2"),
        (_leads_out, "leads out of the directory"),
    ],
)
def test_what_is_not_as_it_must_be_is_said_and_nothing_is_written(
    damage: Callable[[ForeignRepository], None],
    told: str,
    vendor: Vendor,
    foreign: ForeignRepository,
    capsys: Captured,
) -> None:
    damage(foreign)
    assert told in refused(vendor, foreign, capsys, IMAGE, OTA)


def test_what_has_expired_there_is_said(vendor: Vendor, foreign: ForeignRepository, capsys: Captured) -> None:
    vendor.clock.advance(timedelta(days=10))
    assert "ROOT-EXPIRED: root version 2" in refused(vendor, foreign, capsys)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("phones/1.0/other.zip", "TARGET-MISSING: phones/1.0/other.zip"),
        ("../../secret", "not a path below the repository"),
        ("/etc/passwd", "not a path below the repository"),
        ("phones/1.0/my file.zip", "a relative path with no '..'"),
        ("phones/origin.json", "origin.json: a payload cannot have this name here"),
    ],
)
def test_a_name_that_leads_astray_is_said(
    target: str, told: str, vendor: Vendor, foreign: ForeignRepository, capsys: Captured
) -> None:
    assert told in refused(vendor, foreign, capsys, OTA, target)


def test_a_listed_name_that_leads_out_is_not_followed(
    vendor: Vendor, made: ForeignRepository, tmp_path: Path, capsys: Captured
) -> None:
    """Whoever owns the other repository signs what they like."""
    path = "phones/../../../ota.zip"
    foreign = ForeignRepository(tmp_path / "a/other", keys=made.keys, files={OTA: b"x"}).publish()
    foreign.files[path] = b"y"
    foreign.publish()
    assert "not a path below the repository" in refused(vendor, foreign, capsys, path)
    assert show(vendor, foreign) == 0, "looking at it is safe"


def test_names_cannot_forge_lines(vendor: Vendor, made: ForeignRepository, tmp_path: Path, capsys: Captured) -> None:
    files = {OTA: b"x", "phones/1.0/\x1b[2Jevil\nroot": b"y"}
    foreign = ForeignRepository(tmp_path / "other", keys=made.keys, files=files).publish()
    assert show(vendor, foreign) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_folder_that_is_there_is_left_alone(vendor: Vendor, foreign: ForeignRepository, capsys: Captured) -> None:
    (vendor.path / "new").mkdir()
    assert "exists already" in refused(vendor, foreign, capsys)


def test_two_targets_of_one_name_are_refused(vendor: Vendor, foreign: ForeignRepository, capsys: Captured) -> None:
    assert "no file name may stand twice" in refused(vendor, foreign, capsys, OTA, "phones/2.0/ota.zip")


def test_a_source_that_is_no_repository_is_said(
    vendor: Vendor, foreign: ForeignRepository, tmp_path: Path, capsys: Captured
) -> None:
    assert show(vendor, foreign, source=str(tmp_path / "none")) == 2
    assert "no metadata/ in it" in capsys.readouterr().err
    assert show(vendor, foreign, "--metadata", "../foreign/metadata") == 2
    assert show(vendor, foreign, source="ftp://old.example.com") == 2
