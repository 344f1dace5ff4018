"""The page for a first HSM is played: its commands in their order, on SoftHSM, up to the audited token."""

import os
from pathlib import Path

import pkcs11
import pytest

from enigm_testkit.house import House, build_house
from enigm_testkit.pages import Page
from enigm_testkit.people import Answers
from enigm_testkit.softhsm import MODULE
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.cli.edges import Edges

PAGE = Page("howto/first-hsm")
ANSWERS = {"SO PIN": "so-12345678", "PIN": "135790"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build_house(tmp_path_factory.mktemp("first") / "house")


def test_the_page_is_true(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (house.path / "desk").mkdir()
    monkeypatch.chdir(house.path / "desk")
    Path("release").symlink_to(house.home("release"))
    before = {"payload-a": "first-a"}  # the house has a token of that name: the page's one is called otherwise here
    played = 0
    for _, *command in PAGE.commands:
        arguments = [part.replace("token=payload-a", f"token={before['payload-a']}") for part in command]
        status = main(arguments, Edges(house.clock, Answers(**ANSWERS)))
        if command[:2] == ["token", "init"]:
            pkcs11.lib(MODULE).reinitialize()
        played += 1
        if command[:2] == ["inventory", "propose"]:
            house.adopt_inventory("release", Path("next.inventory.json").resolve())
        assert status == 0, (command, capsys.readouterr().err)
    assert played == 7
    assert "as the inventory says" in capsys.readouterr().out
    assert os.path.exists("payload-a.key.json")  # noqa: PTH110 - in the folder that it was told to
