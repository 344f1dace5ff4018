"""Bad input at the repository's edge: one clear line, exit 2, nothing left behind."""

from pathlib import Path

import pytest

from enigm_tuf_repository.cli import main


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("hint: ")]
    assert len(lines) == 1, lines
    return lines[0]


def test_a_configuration_of_two_hundred_mebibytes_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    big, repository = tmp_path / "big.toml", tmp_path / "repository"
    with big.open("wb") as file:
        file.truncate(200 << 20)
    assert main(["init", "--config", str(big), "--repository", str(repository)]) == 2
    assert one_line(capsys) == f"error: {big}: at most 1,000,000 bytes, this has 1,000,001"
    assert not repository.exists()


def test_a_folder_that_was_there_before_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kept").write_text("mine")
    assert main(["init", "--config", str(tmp_path / "none.toml"), "--repository", str(tmp_path)]) == 2
    assert "none.toml: no such file" in one_line(capsys)
    assert (tmp_path / "kept").read_text() == "mine"
