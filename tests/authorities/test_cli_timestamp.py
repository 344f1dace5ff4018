"""enigm-sign timestamp: the freshness key says one thing only, and its PIN lies in a guarded file."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from securesystemslib.signer import Key, Signature
from tuf.api.metadata import Metadata, MetaFile, Signed, Snapshot, Timestamp

from enigm_testkit.house import PIN, House
from enigm_tuf.model.strict_json import canonical

EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)
_SIGN = "import sys; from enigm_tuf.authorities.cli import main; sys.exit(main())"


def run(house: House, data: bytes, pin_file: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """As ``enigm-repo`` calls it."""
    who = ["--token", house.uri("timestamp"), "--label", "timestamp"]
    command = [
        sys.executable,
        "-c",
        _SIGN,
        "timestamp",
        *who,
        "--pin-file",
        str(pin_file or house.path / "timestamp.pin"),
    ]
    return subprocess.run(command, input=data, capture_output=True, check=False, env=dict(os.environ))


def timestamp_bytes(signed: Signed | None = None) -> bytes:
    return canonical((signed or Timestamp(version=3, expires=EXPIRES, snapshot_meta=MetaFile(7))).to_dict())


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
