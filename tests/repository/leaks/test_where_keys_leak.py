"""The command and the gate: files, Git history, the environment, what is published, and whose key it is."""

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from enigm_testkit.vendor import Vendor
from enigm_tuf_repository.cli import main

STRANGER = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)


def scan(*arguments: object) -> int:
    return main(["secrets", "scan", *map(str, arguments)])


def found(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["found"]
    return listed


def test_a_clean_tree_is_clean(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan(vendor.published, "--repository", vendor.workspace.path) == 0
    assert "private keys: 0" in capsys.readouterr().out


def test_it_says_which_enrolled_key_was_found(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    """In an archive, with the keys of a repository to compare with."""
    place = vendor.path / "out" / "logs.gz"
    place.parent.mkdir()
    place.write_bytes(gzip.compress(b"log\n" + vendor.keys["root"][0].pem))

    assert scan(place.parent, "--repository", vendor.workspace.path, "--json") == 3

    (leak,) = found(capsys)
    assert leak["place"] == f"{place}!(gz)"
    assert leak["byte"] == 4
    assert leak["whose"].startswith("root-a.key.json: root key of ")


def test_a_key_of_nobody_is_refused_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_bytes(STRANGER)
    assert scan(tmp_path) == 3
    told = capsys.readouterr()
    assert "error: SECRET-SCAN: " in told.err
    assert "a key that is enrolled nowhere" in told.err
    assert "PEM EC PRIVATE KEY" in told.out


def test_an_exception_in_a_file_excuses_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "key.pem").write_bytes(STRANGER)
    assert scan(tmp_path / "in", "--json") == 3
    digest = found(capsys)[0]["digest"]
    listed = f'[[exceptions]]\ndigest = "{digest}"\nreason = "a vector"\nexpires = "2999-01-01T00:00:00Z"\n'
    (tmp_path / "exceptions.toml").write_text(listed)

    assert scan(tmp_path / "in", "--exceptions", tmp_path / "exceptions.toml") == 0
    assert "excused: a vector" in capsys.readouterr().out
    (tmp_path / "exceptions.toml").write_text(listed.replace('reason = "a vector"\n', ""))
    assert scan(tmp_path / "in", "--exceptions", tmp_path / "exceptions.toml") == 2
    assert "reason" in capsys.readouterr().err


def test_a_key_that_was_committed_and_taken_out_again_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def git(*arguments: str) -> None:
        user = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *user, *arguments], check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "readme").write_text("nothing")
    git("add", "-A")
    git("commit", "-qm", "one")
    assert scan("--git", tmp_path) == 0
    (tmp_path / "signing.pem").write_bytes(STRANGER)
    git("add", "-A")
    git("commit", "-qm", "two")
    git("rm", "-q", "signing.pem")
    git("commit", "-qm", "three")
    capsys.readouterr()

    assert scan("--git", tmp_path, "--json") == 3
    (leak,) = found(capsys)
    assert leak["place"].endswith(" signing.pem")
    git("reset", "-q", "--hard", "HEAD~2")
    assert scan("--git", tmp_path) == 3, "also where no branch reaches it any more"


def test_a_folder_without_git_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan("--git", tmp_path) == 2
    assert "not a git repository" in capsys.readouterr().err


def test_a_key_in_the_environment_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SIGNING_KEY", STRANGER.decode().replace("\n", "\\n"))
    assert scan("--environment", "--json") == 3
    assert "$SIGNING_KEY" in [leak["place"] for leak in found(capsys)]


@pytest.mark.parametrize("arguments", [[], ["/nowhere"]])
def test_nothing_to_scan_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert scan(*arguments) == 2
    assert "hint: " in capsys.readouterr().err or arguments


def test_a_release_with_a_key_of_ours_in_an_artifact_is_not_published(
    vendor: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.prepare_release("1.0", payload=gzip.compress(b"left over: " + vendor.keys["payload"][0].pem))
    vendor.up_to("phone-1.0", "verify")
    assert vendor.run("release", "gate", "phone-1.0") == 3
    assert "payload-a.key.json: payload key of " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "cut", "told"),
    [(b"", 0, ""), (STRANGER, 0, "PEM EC PRIVATE KEY"), (b"", 1, "expected an image that can be looked into, got")],
    ids=["clean", "a key that is packed", "cut off"],
)
def test_a_release_with_an_image_that_holds_a_key_or_is_broken_is_not_published(
    vendor: Vendor, capsys: pytest.CaptureFixture[str], key: bytes, cut: int, told: str
) -> None:
    (vendor.path / "tree").mkdir()
    (vendor.path / "tree" / "file").write_bytes(b"a line like many\n" * 9_000 + key + b"a line like many\n" * 9_000)
    image = vendor.path / "image"
    subprocess.run(["mkfs.erofs", "-zlz4hc", str(image), str(vendor.path / "tree")], check=True, capture_output=True)
    vendor.prepare_release("1.0", payload=gzip.compress(image.read_bytes()[: -cut or None]))
    vendor.up_to("phone-1.0", "verify")

    assert vendor.run("release", "gate", "phone-1.0") == (3 if told else 0)
    error = capsys.readouterr().err
    assert told in error
    assert ("SECRET-SCAN" in error) == bool(told)


def test_requests_and_evidence_are_scanned(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    folder = vendor.path / "build-1.0"
    folder.mkdir()
    (folder / "log.txt").write_bytes(STRANGER)
    vendor.prepare_release("1.0", provenance='["log.txt"]')
    vendor.up_to("phone-1.0", "verify")

    assert vendor.run("release", "gate", "phone-1.0") == 3
    told = capsys.readouterr().err
    assert "SECRET-SCAN: phone-1.0: expected the release gate to pass, got requests/" in told
    assert "!evidence/provenance/log.txt, byte 0" in told
