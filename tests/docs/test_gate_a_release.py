"""The worked configuration of "Gate a release" gates a release: the page's files, with keys and digests filled in."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.builders import Maker, spdx
from enigm_testkit.pages import Page
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf.model.strict_json import sha256

PAGE = Page("howto/gate-a-release")
IDS = {
    "a": "https://ci.enigm.example/builder",
    "b": "https://rebuild.example/builder",
    "c": "https://git.enigm.example/review",
    "d": "https://lab.enigm.example",
}
OTA = b"an image" * 1_000


@pytest.fixture
def makers() -> dict[str, Maker]:
    return {letter: Maker(name) for letter, name in IDS.items()}


@pytest.fixture
def vendor(tmp_path: Path, makers: dict[str, Maker]) -> Vendor:
    """With the page's repository.toml below its own keys and policies, and product ``phone`` published."""
    made = make_vendor(tmp_path / "vendor")
    table = PAGE.blocks("toml")[0].replace("<digest>", "5" * 64)
    table = re.sub(r"<key-(.)>", lambda found: makers[found[1]].public, table)
    file = made.path / "repository.toml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("artifacts =")]
    file.write_text("\n".join([*kept, table]))
    return made.opened()


def test_the_release_of_the_page_passes_every_gate(vendor: Vendor, makers: dict[str, Maker]) -> None:
    folder, digest = vendor.path / "build", sha256(OTA)
    evidence = {
        "ota.zip": OTA,
        "release.toml": PAGE.blocks("toml")[1].encode(),
        "a.dsse.json": makers["a"].provenance({"ota.zip": digest}),
        "b.dsse.json": makers["b"].provenance({"ota.zip": digest}),
        "review.dsse.json": makers["c"].review(),
        "tests.dsse.json": makers["d"].tests(digest, vendor.clock.now() - timedelta(hours=1)),
        "sbom.spdx.json": spdx("ota.zip", digest),
    }
    folder.mkdir()
    for name, data in evidence.items():
        (folder / name).write_bytes(data)

    vendor.done("release", "prepare", "--config", str(folder / "release.toml"))
    vendor.publish("phone-1.0")

    assert vendor.device_sees() == "1.0"
