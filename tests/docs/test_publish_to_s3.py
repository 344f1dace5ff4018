"""docs/howto/publish-to-s3.md is played: its settings, and its commands in their order, on a real SeaweedFS."""

import re
import shutil
from pathlib import Path

import pytest

from enigm_testkit.buckets.cdn import nginx
from enigm_testkit.buckets.servers import seaweedfs
from enigm_testkit.buckets.vendors import Shelf
from enigm_testkit.pages import Page
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_client.http import HttpFetcher
from enigm_tuf_repository.cli import Edges, main

PAGE = Page("howto/publish-to-s3")
VERSION = "2026.11.1"


def settings(shelf: Shelf, public: str) -> str:
    """The page's, with this machine's places."""
    text = PAGE.toml
    ours = {"s3://updates/phones": shelf.url, "eu-central-1": "us-east-1", "https://updates.example.com/phones": public}
    for old, new in ours.items():
        assert old in text
        text = text.replace(old, new)
    (endpoint,) = re.findall(r"endpoint = .*\n", shelf.settings())
    return f"{text}{endpoint}timestamp_seconds = 1\n"


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    """Served from a directory until now, with a release that waits."""
    vendor = make_vendor(tmp_path / "vendor").opened()
    vendor.up_to(vendor.prepare_release(VERSION), "verify", "gate")
    return vendor


def test_the_page_is_true(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    played = []
    with seaweedfs(tmp_path / "weed") as bucket:
        for variable, value in bucket.environment.items():
            monkeypatch.setenv(variable, value)
        shelf = Shelf(bucket, "phones")
        with nginx(tmp_path / "cdn", shelf.public) as url:
            with vendor.workspace.configuration_file.open("a") as file:
                file.write(settings(shelf, url))
            monkeypatch.chdir(vendor.workspace.path)
            shutil.copy(vendor.published / "metadata/1.root.json", "1.root.json")
            for _, *command in PAGE.commands:
                if command[:2] == ["store", "pull"]:
                    shutil.rmtree(vendor.published)
                assert main(command, Edges(vendor.clock)) == 0, (command, capsys.readouterr().err)
                played.append(command[:2])
            assert vendor.device_sees(fetcher=HttpFetcher(url)) == VERSION

    expected = [["store", "push"], ["store", "check"], ["release", "publish"], ["release", "verify"], ["store", "pull"]]
    assert played == expected
