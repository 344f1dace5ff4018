"""enigm-sign timestamp: the freshness key says one thing only, and its PIN lies in a guarded file."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import Key, Signature
from tuf.api.metadata import Metadata, MetaFile, Signed, Snapshot, Timestamp

from enigm_testkit.house import PIN, House, copy_house
from enigm_tuf.model.strict_json import canonical

EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)
_SIGN = "import sys; from enigm_tuf.authorities.cli import main; sys.exit(main())"


@pytest.fixture
def house(rooted_house: House, tmp_path: Path) -> House:
    """The first root is published."""
    return copy_house(rooted_house, tmp_path / "house")


def run(
    house: House, data: bytes, pin_file: Path | None = None, root: Path | None = None, key_of: str = "timestamp"
) -> subprocess.CompletedProcess[bytes]:
    """As ``enigm-repo`` calls it."""
    who = ["--token", house.uri(key_of), "--label", key_of]
    given = ["--root", str(root or house.first_root), "--pin-file", str(pin_file or house.path / "timestamp.pin")]
    command = [sys.executable, "-c", _SIGN, "timestamp", *who, *given]
    return subprocess.run(command, input=data, capture_output=True, check=False, env=dict(os.environ))


def timestamp_bytes(signed: Signed | None = None) -> bytes:
    return canonical((signed or Timestamp(version=3, expires=EXPIRES, snapshot_meta=MetaFile(7))).to_dict())


@pytest.mark.rule("KEY-OF-ROLE", "accept")
def test_a_timestamp_is_signed_and_verifies(house: House) -> None:
    done = run(house, timestamp_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    record = house.key("timestamp")
    assert answer["keyid"] == record.keyid
    key = Key.from_dict(record.keyid, dict(record.key))
    key.verify_signature(Signature(answer["keyid"], answer["sig"]), timestamp_bytes())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(timestamp_bytes(Snapshot(version=3, expires=EXPIRES)), id="a snapshot"),
        pytest.param(timestamp_bytes() + b" ", id="one byte more"),
        pytest.param(timestamp_bytes()[:-1], id="one byte less"),
        pytest.param(b"", id="nothing"),
        pytest.param(Metadata(Timestamp(expires=EXPIRES)).to_bytes(), id="a signed file"),
    ],
)
def test_anything_else_is_not(house: House, data: bytes) -> None:
    done = run(house, data)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"error: ")


@pytest.mark.rule("KEY-OF-ROLE", "reject")
@pytest.mark.parametrize("token", ["root-a", "payload-a", "manifest-a", "alice"])
def test_no_other_key_than_roots_own_for_it_signs_one(house: House, token: str) -> None:
    """Its PIN is the same here, and so is the timestamp."""
    done = run(house, timestamp_bytes(), key_of=token)
    assert (done.returncode, done.stdout) == (3, b"")
    told = f"expected one of {house.key('timestamp').spki_sha256}, got key {house.key(token).spki_sha256}"
    assert done.stderr.startswith(f"error: KEY-OF-ROLE: timestamp, root version 1: {told}\n".encode())


def resigned(signed: dict[str, Any], house: House) -> None:
    """The key of root-a, as a root that nobody signed names it."""
    signed["roles"]["timestamp"]["keyids"] = [house.key("root-a").keyid]


def shortened(signed: dict[str, Any], house: House) -> None:
    del signed["roles"]["timestamp"], house


@pytest.mark.parametrize(("change", "status"), [(resigned, 3), (shortened, 2)])
def test_a_root_that_was_changed_names_no_key(
    house: House, change: Callable[[dict[str, Any], House], None], status: int
) -> None:
    root = json.loads(house.first_root.read_bytes())
    change(root["signed"], house)
    changed = house.path / "changed.root.json"
    changed.write_text(json.dumps(root))
    for token in ("timestamp", "root-a"):
        done = run(house, timestamp_bytes(), root=changed, key_of=token)
        assert (done.returncode, done.stdout) == (status, b"")
        assert done.stderr.startswith(
            b"error: SIGNATURE-THRESHOLD: root" if status == 3 else f"error: {changed}: ".encode()
        )


def test_without_a_root_nothing_is_signed(house: House) -> None:
    done = run(house, timestamp_bytes(), root=house.path / "no.root.json")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(f"error: {house.path}/no.root.json: ".encode())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o700])
def test_a_pin_file_that_others_could_read_is_not_used(house: House, mode: int) -> None:
    pin = house.path / "timestamp.pin"
    pin.chmod(mode)
    done = run(house, timestamp_bytes())
    assert done.returncode == 2
    assert b"must be your own plain file with mode 0600" in done.stderr
    pin.chmod(0o600)
    assert run(house, timestamp_bytes()).returncode == 0


def test_a_pin_file_is_no_link_no_folder_and_no_pipe(house: House) -> None:
    link, pipe = house.path / "link.pin", house.path / "pipe.pin"
    link.symlink_to(house.path / "timestamp.pin")
    os.mkfifo(pipe, 0o600)
    for path in (link, pipe, house.path, house.path / "nothing.pin"):
        assert run(house, timestamp_bytes(), path).returncode == 2


def test_a_wrong_pin_is_one_clear_line(house: House) -> None:
    wrong = house.path / "wrong.pin"
    wrong.write_text("9999\n")
    wrong.chmod(0o600)
    done = run(house, timestamp_bytes(), wrong)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
    assert b"wrong PIN" in done.stderr
    assert b"9999" not in done.stderr


def test_a_line_end_after_the_pin_is_no_part_of_it(house: House) -> None:
    (house.path / "timestamp.pin").write_text(f"{PIN}\n")
    (house.path / "timestamp.pin").chmod(0o600)
    assert run(house, timestamp_bytes()).returncode == 0
