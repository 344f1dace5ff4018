"""A vendor whose first release is published, made once; each test gets a copy of its own."""

from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor, make_vendor


@pytest.fixture(scope="session")
def _published(tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    vendor = make_vendor(tmp_path_factory.mktemp("vendor") / "vendor").opened()
    vendor.prepare_release("1.0")
    vendor.publish("phone-1.0")
    return vendor


@pytest.fixture
def released(_published: Vendor, tmp_path: Path) -> Vendor:
    """Release 1.0 of product ``phone`` is published."""
    return _published.copied_to(tmp_path / "vendor")
