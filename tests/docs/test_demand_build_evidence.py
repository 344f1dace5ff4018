"""The configuration of "Demand evidence of a build" is one that is read."""

import re
from pathlib import Path

from enigm_testkit.builders import Maker
from enigm_testkit.pages import Page
from enigm_testkit.vendor import make_vendor
from enigm_tuf_repository.configuration import read_configuration
from enigm_tuf_repository.gates.pinned import PINNED_GATES

PAGE = Page("howto/demand-build-evidence")


def test_the_table_of_the_page_is_read(tmp_path: Path) -> None:
    vendor = make_vendor(tmp_path / "vendor")
    table = PAGE.toml
    table = re.sub(r"<key-.>", lambda _: Maker("any").public, table).replace("<spki>", "5" * 64)
    kept = [line for line in (vendor.path / "repository.toml").read_text().splitlines() if "artifacts" not in line]

    rules = read_configuration("\n".join([*kept, table]).encode(), "page").artifact_rules("phone").evidence

    assert rules is not None
    assert (rules.rebuilds, rules.test_hours, len(rules.builders)) == (2, 72, 2)


def test_the_gates_of_the_page_are_pinned() -> None:
    assert set(re.findall(r"`(PROVENANCE|REBUILD|SBOM|TESTS)`", PAGE.text)) <= PINNED_GATES.keys()
