"""The page on gating an Android release is played: its commands and its two files, up to the table of gates."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from enigm_testkit.android.build import AndroidBuild, Keys
from enigm_testkit.android.given import set_artifact_rules
from enigm_testkit.android.keys import make_key
from enigm_testkit.pages import Page
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.cli import main
from enigm_tuf_repository.configuration import ArtifactRules
from enigm_tuf_repository.gates.pinned import PINNED_GATES
from enigm_tuf_repository.inspection.plugins import PLAIN, installed_inspectors

PAGE = Page("howto/gate-an-android-release")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    return Keys(*(make_key(folder, name) for name in ("update", "vbmeta", "vbmeta_system")))


def test_the_page_is_true(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "build").mkdir()
    build = AndroidBuild(tmp_path / "build", keys)
    vendor = opened(tmp_path, keys)
    desk = tmp_path / "desk"
    desk.mkdir()
    build.full().rename(desk / "ota.zip")
    (desk / "release.toml").write_text(PAGE.blocks("toml")[1])
    monkeypatch.chdir(desk)

    inspect, digest, prepare, gate = (command for (command,) in PAGE.sections)
    assert main(shlex.split(inspect)[1:]) == 0
    assert build.id in capsys.readouterr().out
    shown = subprocess.run(digest, shell=True, cwd=keys.update.folder, check=True, capture_output=True, text=True)  # noqa: S602 - the page's own
    assert shown.stdout.split()[0] == keys.update.spki
    assert vendor.run(*shlex.split(prepare)[1:]) == 0
    vendor.up_to("phone-2026.11.1", "verify")
    assert vendor.run(*shlex.split(gate)[1:]) == 0
    told = capsys.readouterr().out
    assert all(rule in told for rule in PINNED_GATES)


def opened(folder: Path, keys: Keys) -> Vendor:
    """A vendor whose repository.toml has what the page says, with our keys."""
    vendor = make_vendor(folder / "vendor").opened()
    (rules,) = tomllib.loads(PAGE.blocks("toml")[0])["artifacts"]
    rules["update_keys"] = [keys.update.spki]
    rules["avb_keys"] = {name: getattr(keys, name).spki for name in rules["avb_keys"]}
    del rules["product"]
    set_artifact_rules(vendor.workspace, **rules)
    return vendor


def test_the_page_names_every_kind_every_key_and_only_gates_that_exist() -> None:
    kinds = next(line for line in PAGE.text.splitlines() if line.startswith("| `kinds`"))
    assert set(re.findall(r"`([a-z0-9-]+)`", kinds)) == {"kinds", PLAIN, *installed_inspectors()}
    assert set(re.findall(r"^\| `([a-z_]+)`", PAGE.text, re.MULTILINE)) == set(ArtifactRules.__slots__) - {"product"}
    assert set(re.findall(r"`([A-Z]+(?:-[A-Z]+)+)`", PAGE.text)) <= set(PINNED_GATES)
