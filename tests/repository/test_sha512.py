"""``also_sha512``: payloads are listed with both hashes, from one pass, and whoever takes one checks both."""

import hashlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf.model.manifest import read_manifest
from enigm_tuf.model.tuf import Targets
from enigm_tuf_repository import release_preparing
from enigm_tuf_repository.artifacts import Artifact, take
from enigm_tuf_repository.lineage import Lineage


@pytest.fixture
def both(vendor: Vendor) -> Vendor:
    config = vendor.workspace.configuration_file
    config.write_text("also_sha512 = true\n" + config.read_text())
    return vendor


def test_both_authorities_list_both_hashes_and_a_device_takes_the_payload(both: Vendor) -> None:
    both.publish(both.prepare_release("1.0"))

    lineage = Lineage(both.published, [])
    (target,) = lineage.require("phone.payload", Targets).targets.values()
    data = lineage.target_file(target.path, target.hashes["sha256"]).read_bytes()
    assert target.hashes == {name: hashlib.new(name, data).hexdigest() for name in ("sha256", "sha512")}
    (manifest,) = lineage.require("phone.manifest", Targets).targets.values()
    (payload,) = read_manifest(lineage.target(manifest), manifest.path).releases[0].payloads
    assert payload.hashes == target.hashes
    assert both.device_sees() == "1.0"


def test_another_sha512_beside_the_right_sha256_is_refused(
    both: Vendor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(source: Path, folder: Path, algorithms: Collection[str]) -> Artifact:
        artifact = take(source, folder, algorithms)
        return replace(artifact, hashes=artifact.hashes | {"sha512": "0" * 128})

    monkeypatch.setattr(release_preparing, "take", wrong)
    record = both.prepare_release("1.0")
    both.done("release", "attach", record, *both.answers(record))

    assert both.run("release", "verify", record) == 3
    assert "TARGET-HASH" in capsys.readouterr().err
