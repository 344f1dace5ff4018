"""The page about emergencies is played in a freeze, from the request to a device, on tokens, by command lines alone."""

import json
import re
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from enigm_testkit.ceremonies import Participants, policy_digest
from enigm_testkit.house import KEYS, PIN, House, Plan, build_house
from enigm_testkit.pages import Page, code
from enigm_testkit.works import Works
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.cli import main as enigm_sign
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_client.cli import Edges as ClientEdges
from enigm_tuf_client.cli import main as enigm_update
from enigm_tuf_repository.cli import Edges as RepositoryEdges
from enigm_tuf_repository.cli import main as enigm_repo
from enigm_tuf_repository.cli.serve import make_server

PAGE = Page("howto/sign-in-an-emergency")
ALWAYS = 'start = "2026-01-01T00:00:00Z", end = "2100-01-01T00:00:00Z", reason = "nobody is there"'
MANIFEST = {"release": "manifest", "payload-a": "manifest-a", "payload-b": "manifest-b"}


def strict(policy: str) -> str:
    """Releases are frozen, and wait for a day; emergencies are as the page says."""
    quorum = PAGE.toml
    policy = policy.replace("[thresholds]", f"{quorum}\n[thresholds]")
    policy = policy.replace("\nfreezes = []", f'\nfreezes = [{{{ALWAYS}, actions = ["release"]}}]')
    cool_down, middle, open_hours = policy.partition("\n[ceremony]\n")
    cool_down = cool_down.replace("release = 0", "release = 24")
    return cool_down + middle + open_hours.replace("emergency = 0", "emergency = 4")


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Works:
    """Eve, of the executive, approves too. Product ``phone`` is published; the repository freezes releases as well."""
    keys = KEYS | {"eve": ("approval", "eve")}
    lines: dict[str, str | None] = {"manifest_threshold": "2"}
    plan = Plan(keys, lines=lines, approvers={"eve": "executive"}, amended=strict)
    made = Works(build_house(tmp_path_factory.mktemp("emergency") / "house", plan=plan).with_root())
    made.manifest = ("manifest-a", "manifest-b")
    made.product()
    file = made.house.path / "repository" / "repository.toml"
    file.write_text(f"freezes = [{{{ALWAYS}}}]\n" + file.read_text())
    return made


@pytest.fixture
def url(works: Works) -> Iterator[str]:
    with make_server(works.published, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Desk:
    """The people of a house at a terminal, in its folder."""

    def __init__(self, house: House, capsys: pytest.CaptureFixture[str]) -> None:
        self.house = house
        self.capsys = capsys

    def run(self, command: str) -> tuple[int, str]:
        """The exit status, and what was written to the screen."""
        program, *arguments = shlex.split(command)
        self.capsys.readouterr()
        if program == "enigm-repo":
            status = enigm_repo(arguments, RepositoryEdges(self.house.clock))
        else:
            status = enigm_sign(arguments, Edges(self.house.clock, self._people(arguments)))
        said = self.capsys.readouterr()
        return status, said.out + said.err

    def done(self, *commands: str) -> None:
        for command in commands:
            status, said = self.run(command)
            assert status == 0, (command, said)

    def failing(self, request: Path, home: str, *approvals: str) -> set[str]:
        """The rules by which the authority says no."""
        options = " ".join(f"--approval {file}" for file in approvals)
        status, said = self.run(f"enigm-sign request inspect {request} --home {home} {options} --json")
        assert status == 0
        return {item["rule"] for item in json.loads(said)["rules"] if not item["passed"]}

    def _people(self, arguments: list[str]) -> Participants:
        unseen = {}
        if arguments[:2] == ["ceremony", "run"]:
            authority = arguments[arguments.index("--home") + 1].removesuffix(".home")
            unseen["printed copy"] = sha256(Path(arguments[2]).read_bytes())
            unseen["from your own copy"] = policy_digest(self.house, authority)
        return Participants({"PIN": PIN}, {}, unseen)


def of_the_manifest_authority(command: str) -> str:
    for old, new in MANIFEST.items():
        command = re.sub(rf"\b{old}\b", new, command)
    return command


def signatures(house: House) -> int:
    """Those that the release authority made for the release."""
    log = read_log(house.home("release") / "audit.log")
    performed = [entry.body["request_id"] for entry in log if entry.type == EntryType.SIGN_PERFORMED]
    return sum(request.startswith("phone-1.0-") for request in performed)


def test_an_emergency_goes_from_the_request_to_a_device_in_a_freeze(
    works: Works, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house, desk = works.house, Desk(works.house, capsys)
    monkeypatch.chdir(house.path)
    ask, approve, sign, publish = PAGE.sections
    request = house.request("phone-1.0")
    ballots = [f"{who}.release.dsse.json" for who in ("alice", "bob", "eve")]
    custodian = f"enigm-sign sign {request} --home release.home --token '{house.uri('payload-a')}' --label payload-a"
    by_all = " ".join([custodian, *(f"--approval {file}" for file in ballots), "--out"])

    works.prepare_release("1.0")
    desk.done(*approve[:2])
    assert desk.failing(request, "release.home", *ballots[:2]) == {"TIME-FREEZE", "TIME-COOL-DOWN"}
    status, said = desk.run(f"{custodian} --approval {ballots[0]} --approval {ballots[1]} --out frozen.enigmresp")
    assert (status, "TIME-FREEZE" in said) == (3, True), "as a release it waits"
    for file in ballots[:2]:
        Path(file).unlink()

    desk.done(*ask, *approve)
    assert desk.failing(request, "release.home", *ballots) == set()
    assert desk.failing(request, "release.home", *ballots[:2]) == {"QUORUM-COUNT", "QUORUM-PARTITION"}
    status, said = desk.run(f"{by_all} outside.enigmresp")
    assert (status, "error: CEREMONY-OPEN" in said) == (3, True), "outside of a ceremony nobody signs it"

    few = [command.replace(f"c={ballots[2]}", f"c={ballots[1]}").replace("release.t", "few.t") for command in sign]
    few[0] = few[0].replace("name=phone-1.0.release", "name=few")
    desk.done(few[0])
    assert desk.run(few[2])[0] == 2
    status, said = desk.run(few[3].replace("release.toml", "few.toml"))
    assert (status, "step sign-a failed: QUORUM-COUNT" in said, ": aborted, " in said) == (0, True, True)
    status, said = desk.run(f"{by_all} aborted.enigmresp")
    assert (status, "error: CEREMONY-OPEN" in said) == (3, True), "an aborted ceremony is not open"
    assert signatures(house) == 0

    desk.done(*sign)
    assert signatures(house) == 2
    desk.done(*(of_the_manifest_authority(command) for command in (*approve, *sign)))
    desk.done(*publish)

    config = house.path / "device.toml"
    known = 'environment = "staging"\nproduct = "phone"\nhardware_id = "phone-a"\nchannel = "stable"\ndevice_id = "d"\n'
    config.write_text(f'{known}cohorts = []\nurl = "{url}"\n')
    for step in (["init", "--root", str(house.first_root), "--config", str(config)], ["check"], ["fetch"], ["install"]):
        assert enigm_update([*step, "--device", str(house.path / "device")], ClientEdges(house.clock)) == 0
    assert (house.path / "device/slots/current/version").read_text().startswith("1.0 ")


def test_what_the_page_says_that_it_says_is_said_somewhere() -> None:
    said, rows = code(), PAGE.rows
    assert len(rows) == 5
    for row in rows:
        assert row in said, row
