"""The pages about root are played: their commands in their order, up to devices that have the new root."""

import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from enigm_testkit.house import audit_logs, found_operators, policy_toml, read
from enigm_testkit.pages import ROOT, Page
from enigm_testkit.works import Works
from enigm_tuf.authorities.cli import main as enigm_sign
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root
from enigm_tuf.model.words import last_words
from enigm_tuf.trust.verified import read_document
from enigm_tuf_repository.cli import Edges
from enigm_tuf_repository.cli import main as enigm_repo

pytestmark = pytest.mark.slow

PAGES = [
    "sign-a-root",
    "replace-a-lost-root-token",
    "rotate-a-manifest-key",
    "rotate-a-payload-key",
    "revoke-payload-keys",
    "revoke-the-manifest-authority",
    "migrate-to-dual",
]
ROOT_KEYS = ("root-a", "root-b", "root-c")


class Player:
    """Runs the commands of pages in the folder of a house; the people of the house answer."""

    def __init__(self, works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
        self.works = works
        self.others = {"alice": ["bob"]}
        monkeypatch.chdir(works.house.path)

    def play(self, page: str) -> None:
        for command in Page(f"howto/{page}").lines:
            self.run(command)
            for name, others in self.others.items():
                if self._is_of(command, name):
                    for other in others:
                        self.run(command.replace(name, other))

    def run(self, command: str) -> None:
        program, *arguments = shlex.split(command)
        match program:
            case "enigm-sign":
                status = enigm_sign(arguments, self.works.house.edges(**self._answers(arguments)))
            case "enigm-repo":
                status = enigm_repo(arguments, Edges(self.works.house.clock))
            case _:
                status = subprocess.run([program, *arguments], check=False).returncode
        assert status == 0, command
        if arguments[:2] == ["authority", "init"]:
            self._pin_the_new_log()
        if arguments[:2] == ["inventory", "propose"]:
            authority = arguments[arguments.index("--home") + 1].removesuffix(".home")
            self.works.house.adopt_inventory(authority, Path("next.inventory.json").resolve())

    def _pin_the_new_log(self) -> None:
        """As the page says: the line that the command prints goes into next.toml, beside the log that is pinned."""
        place = Path("next.toml")
        lines = [line for line in place.read_text().splitlines() if not line.startswith("audit_logs = ")]
        place.write_text("\n".join([*lines, f"audit_logs = {audit_logs(self.works.house, 'dual')}"]))

    def _is_of(self, command: str, name: str) -> bool:
        """An approval by that person, or a signature with that token; others do the same."""
        return f"--operator {name} " in command or (" sign " in command and f"token={name}?" in command)

    def _answers(self, arguments: list[str]) -> dict[str, str]:
        if arguments[:2] == ["operator", "sign"]:
            return {"last_four_words": last_words(sha256(Path(arguments[2]).read_bytes()))}
        if arguments[0] in {"approve", "sign"}:
            return {"last_four_words": last_words(read(Path(arguments[1])).digest)}
        if arguments[:2] == ["authority", "trust"]:
            data = Path(arguments[-1]).read_bytes()
            return {"last_four_words": last_words(sha256(read_document(data, Root, "root", 1_000_000).canonical))}
        return {}


@pytest.fixture
def player(five: Works, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Player:
    return Player(five.copied(tmp_path / "house"), monkeypatch)


def finished(works: Works, payload: tuple[str, ...] = (), manifest: tuple[str, ...] = ()) -> None:
    """What Sign a root says of the rest, by the people of the house."""
    works.payload, works.manifest = payload or works.payload, manifest or works.manifest
    works.follow("root-2")
    works.finish("root-2")
    works.fleet.arrives("1.0")


def test_a_lost_root_token_is_replaced_word_by_word(player: Player) -> None:
    player.play("replace-a-lost-root-token")
    player.others["root-a"] = ["root-b", "root-c"]
    player.play("sign-a-root")
    player.works.fleet.arrives("1.0")
    assert {device.root_version for device in player.works.fleet.devices.values()} == {2}


def test_a_manifest_key_is_rotated(player: Player) -> None:
    player.play("rotate-a-manifest-key")
    player.works.root_signed("root-2", *ROOT_KEYS)
    finished(player.works, manifest=("manifest-c",))


def test_a_payload_key_is_rotated(player: Player) -> None:
    player.play("rotate-a-payload-key")
    player.works.root_signed("root-2", *ROOT_KEYS, consent=())
    finished(player.works, payload=("payload-a", "payload-c"))


def test_payload_keys_are_revoked(player: Player) -> None:
    player.play("revoke-payload-keys")
    player.works.root_signed("root-2", *ROOT_KEYS, consent=())
    finished(player.works, payload=("payload-c", "payload-d"))


def test_the_manifest_authority_is_revoked(player: Player) -> None:
    player.play("revoke-the-manifest-authority")
    player.works.root_signed("root-2", *ROOT_KEYS, "root-d", consent=())
    finished(player.works, manifest=("manifest-d",))


def test_one_authority_becomes_two(one: Works, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works = one.copied(tmp_path / "house")
    house = works.house
    house.plan = replace(house.plan, spares=())
    found_operators(house, "release")
    (house.path / "release.policy.toml").write_text(policy_toml(house, "release"))
    text = (house.path / "repository" / "repository.toml").read_text()
    block = Page("howto/migrate-to-dual").toml
    changed = dict(line.split(" = ", 1) for line in (text + block).splitlines())
    (house.path / "next.toml").write_text("\n".join(f"{name} = {value}" for name, value in changed.items()))

    Player(works, monkeypatch).play("migrate-to-dual")

    taken = house.signed_by(house.request("root-2"), "root-a", "root-b")
    given = house.signed_by(house.request("root-2", "manifest"), "manifest-a", "manifest-c", consents=taken)
    house.repo("release", "attach", "root-2", *taken, *given)
    works.payload = ("payload-a", "payload-b")
    works.follow("root-2")
    works.finish("root-2")
    works.fleet.arrives("1.1")


@pytest.mark.parametrize("page", PAGES)
def test_what_the_pages_name_exists(page: str) -> None:
    source = "".join(
        path.read_text() for path in [*(ROOT / "enigm_tuf").rglob("*.py"), *(ROOT / "repository").rglob("*.py")]
    )
    named = re.findall(r"`([A-Z]+(?:-[A-Z]+)+)`", Page(f"howto/{page}").text)
    assert [rule for rule in named if f'"{rule}"' not in source] == []
    assert Page(f"howto/{page}").lines
