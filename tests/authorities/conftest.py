"""Fixtures of the authorities' tests: real tokens."""

from pathlib import Path

import pytest

from enigm_testkit.copies import Vault, build_vault, copy_vault, stock_vault
from enigm_testkit.house import House, build_house, copy_house
from enigm_testkit.softhsm import SoftHsm


@pytest.fixture
def softhsm(tmp_path: Path) -> SoftHsm:
    """SoftHSM with no token yet."""
    return SoftHsm(tmp_path / "softhsm")


@pytest.fixture(scope="session")
def new_house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A template: a test gets a copy of it."""
    return build_house(tmp_path_factory.mktemp("house") / "new")


@pytest.fixture(scope="session")
def rooted_house(new_house: House, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A template: the root is published and trusted."""
    return copy_house(new_house, tmp_path_factory.mktemp("house") / "rooted").with_root()


@pytest.fixture
def house(new_house: House, tmp_path: Path) -> House:
    """Both authorities with keys and homes; the request for the first root waits."""
    return copy_house(new_house, tmp_path / "house")


@pytest.fixture
def rooted(rooted_house: House, tmp_path: Path) -> House:
    """The root is trusted; requests of both authorities for product ``phone`` wait."""
    house = copy_house(rooted_house, tmp_path / "house")
    house.repo("product", "add", "phone", "--channel", "stable")
    return house


@pytest.fixture(scope="session")
def new_vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A template: a payload key may have copies."""
    return build_vault(tmp_path_factory.mktemp("vault") / "new")


@pytest.fixture(scope="session")
def stocked_vault(new_vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A template: there is a copy."""
    return stock_vault(copy_vault(new_vault, tmp_path_factory.mktemp("vault") / "stocked"))


@pytest.fixture
def vault(new_vault: Vault, tmp_path: Path) -> Vault:
    """Nothing is wrapped yet."""
    return copy_vault(new_vault, tmp_path / "vault")


@pytest.fixture
def stocked(stocked_vault: Vault, tmp_path: Path) -> Vault:
    """One backup under one wrapping key, proved on the token ``spare`` a moment ago."""
    return copy_vault(stocked_vault, tmp_path / "vault")
