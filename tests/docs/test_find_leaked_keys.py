"""The commands of "Find leaked keys" do what the page says."""

import subprocess
from pathlib import Path

import pytest

from enigm_testkit.pages import Page
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.cli import main
from enigm_tuf_repository.leaks.leaks import read_exceptions

PAGE = Page("howto/find-leaked-keys")


def test_every_command_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor: Vendor = make_vendor(tmp_path / "vendor")
    vendor.done("init", "--config", str(vendor.path / "repository.toml"))
    monkeypatch.chdir(vendor.path)
    subprocess.run(["git", "init", "-q", "sources"], check=True, capture_output=True)
    (vendor.path / "out").mkdir()
    (vendor.path / "out" / "ota.zip").write_bytes(b"an image")

    assert [main(arguments) for _, *arguments in PAGE.commands] == [0, 0, 0]


def test_the_exception_of_the_page_is_one() -> None:
    example = PAGE.toml
    (read,) = read_exceptions(example.replace("<digest>", "5" * 64).encode(), "page")
    assert (read.reason, read.expires.year) == ("test vector of RFC 9500, public", 2027)
