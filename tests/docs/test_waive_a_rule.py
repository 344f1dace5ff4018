"""The page about waivers is played in a freeze: refused, waived by two people, signed, gated, published, explained."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enigm_testkit.house import KEYS, House, Plan, build_house, read
from enigm_testkit.pages import Page
from enigm_testkit.people import FixedClock
from enigm_testkit.vendor import release_toml
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.cli import main as enigm_sign
from enigm_tuf.model.policy import WaiverPolicy, read_policy
from enigm_tuf.model.request import read_response
from enigm_tuf.model.words import last_words
from enigm_tuf_repository.cli import Edges
from enigm_tuf_repository.cli import main as enigm_repo
from enigm_tuf_repository.records import Step, load_record
from enigm_tuf_repository.workspace import Workspace

PAGE = Page("howto/waive-a-rule")
PARTITIONS = '"executive", "security"', '"engineering", "security"'
"""Those of the page, and those of the house."""


def amended(policy: str) -> str:
    """No release is signed today, unless it is waived as the page says."""
    start, end = (f"{datetime.now(UTC) + timedelta(days=days):%F}T00:00:00Z" for days in (-1, 2))
    freeze = f'{{start = "{start}", end = "{end}", actions = ["release"], reason = "the fair"}}'
    return policy.replace("\nfreezes = []", f"\nfreezes = [{freeze}]") + PAGE.toml.replace(*PARTITIONS)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A product is out; a release of it is asked for, in a freeze of both policies and of repository.toml."""
    start, end = (f"{datetime.now(UTC) + timedelta(days=days):%F}T00:00:00Z" for days in (-1, 2))
    plan = Plan(KEYS, amended=amended)
    house = build_house(tmp_path_factory.mktemp("waived") / "house", plan=plan).with_root()
    house.repo("product", "add", "phone", "--channel", "stable")
    answers = house.signed_by(house.request("product-phone"), "payload-a", "payload-b")
    house.publish("product-phone", *answers, *house.signed_by(house.request("product-phone", "manifest"), "manifest-a"))
    config = house.path / "repository" / "repository.toml"
    config.write_text(config.read_text() + f'freezes = [{{start = "{start}", end = "{end}", reason = "the fair"}}]\n')
    (house.path / "ota.zip").write_bytes(b"an image")
    (house.path / "slsa.json").write_text("{}")
    (house.path / "release.toml").write_text(release_toml("1.0"))
    house.repo("release", "prepare", "--config", house.path / "release.toml")
    return house


def waives(house: House, authority: str, operator: str) -> Path:
    """As the page does it, for any authority."""
    request, out = house.request("phone-1.0", authority), house.path / f"{operator}.{authority}.waiver.dsse.json"
    said = ["--rule", "TIME-FREEZE", "--reason", "because", *house.works_as(operator, authority), "--out", out]
    assert house.sign("waive", request, *said, last_four_words=last_words(read(request).digest)) == 0
    return out


def test_the_page_is_true(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("phone-1.0")
    monkeypatch.chdir(house.path)
    lint = ["request", "lint", str(request), "--repository", "repository"]
    assert enigm_repo(lint, Edges(house.clock)) == 3
    assert "TIME-FREEZE" in capsys.readouterr().err
    assert house.signs(request, "payload-b", house.votes(request)) == 3
    house.response(request, "payload-b").unlink()
    for who in ("alice", "bob"):
        house.ballot(request, who, "approve").rename(house.path / f"{who}.dsse.json")

    words, played = last_words(read(request).digest), PAGE.commands
    assert [command[1] for command in played] == ["waive", "waive", "request", "request", "sign"]
    for program, *arguments in played:
        if program == "enigm-repo":
            assert enigm_repo(arguments, Edges(house.clock)) == 0, arguments
        else:
            assert enigm_sign(arguments, house.edges(last_four_words=words)) == 0, capsys.readouterr().err
    assert "waived" in capsys.readouterr().out

    response, envelopes = read_response(Path("frank.enigmresp").read_bytes(), "frank")
    assert [item.rule for item in response.rules if item.waived] == ["TIME-FREEZE"]
    assert len(envelopes) == 4
    logged = [
        entry.body for entry in read_log(house.home("release") / "audit.log") if entry.type is EntryType.WAIVER_COUNTED
    ]
    assert {(item["operator"], item["rule"]) for item in logged} == {("alice", "TIME-FREEZE"), ("bob", "TIME-FREEZE")}

    again = ["response", "again", str(request), "--home", "release.home", "--out", "again.enigmresp"]
    shown = [
        part
        for name in ("alice", "bob")
        for kind in ("", ".waiver")
        for part in ("--approval", f"{name}{kind}.dsse.json")
    ]
    assert house.sign(*again, *shown) == 0
    told = read_response(Path("again.enigmresp").read_bytes(), "again")[0]
    assert [(item.rule, item.verdict) for item in told.rules] == [(item.rule, item.verdict) for item in response.rules]


def test_what_is_waived_is_published_and_told(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """After the page: the other custodian and the manifest authority, then the gates."""
    shown = [house.path / f"{name}{kind}.dsse.json" for name in ("alice", "bob") for kind in ("", ".waiver")]
    request = house.request("phone-1.0")
    assert house.signs(request, "payload-b", [part for file in shown for part in ("--approval", file)]) == 0
    other = house.request("phone-1.0", "manifest")
    votes = house.votes(other)
    assert house.signs(other, "manifest-a", votes) == 3, "a waiver of one authority's request serves no other"
    house.response(other, "manifest-a").unlink()
    votes += [part for who in ("alice", "bob") for part in ("--approval", waives(house, "manifest", who))]
    assert house.signs(other, "manifest-a", votes) == 0

    answers = [
        house.path / "frank.enigmresp",
        house.response(request, "payload-b"),
        house.response(other, "manifest-a"),
    ]
    house.repo("release", "attach", "phone-1.0", *answers)
    house.repo("release", "verify", "phone-1.0")
    house.repo("release", "gate", "phone-1.0")
    later = FixedClock(house.clock.now() + timedelta(hours=24))
    publish = ["release", "publish", "phone-1.0", "--repository", str(house.path / "repository")]
    assert enigm_repo(publish, Edges(later)) == 3, "a waiver that ran out after the gates is none"
    assert "GATE-SET: phone-1.0: expected a waiver of FREEZE-WINDOW that counts now" in capsys.readouterr().err
    house.repo("release", "publish", "phone-1.0")
    record = load_record(Workspace(house.path / "repository"), "phone-1.0")
    gated = {item.rule: item for item in record.evidence(Step.GATED).findings}  # type: ignore[union-attr]
    assert [rule for rule, item in gated.items() if item.waived] == ["FREEZE-WINDOW"]
    assert "by alice (the flaw of OPS-77 is being used), bob" in gated["FREEZE-WINDOW"].evidence

    house.repo("report", "--out", house.path / "report.html")
    assert "gates passed, waived: FREEZE-WINDOW</summary>" in (house.path / "report.html").read_text()

    root = house.path / "repository/published/metadata/1.root.json"
    known = [
        part for name in ("release", "manifest") for part in ("--operators", house.path / f"{name}.operators.json")
    ]
    tree = ["--tree", house.path / "repository/published", "--root", root]
    capsys.readouterr()
    assert house.sign("explain", "phone-1.0", *tree, *known) == 0
    told = capsys.readouterr().out
    assert "  TIME-FREEZE waived by alice of engineering" in told
    assert "  says TIME-FREEZE waived: until " in told
    assert house.sign("explain", "phone-1.0", *tree, *known, "--json") == 0
    found = json.loads(capsys.readouterr().out)["decisions"]
    assert {len(decision["waivers"]) for decision in found} == {2}


def test_the_terms_of_the_page_are_those_of_a_policy(house: House) -> None:
    policy = read_policy((house.path / "release.policy.toml").read_bytes(), "policy")
    assert policy.waiver == WaiverPolicy(2, ("engineering", "security"), ("GATE-TESTS", "TIME-FREEZE"))


@pytest.mark.parametrize(
    ("rule", "status", "told"),
    [
        ("QUORUM-COUNT", 2, "--rule: must be a rule of SOURCE, GATE, TIME, RATE, CEREMONY: no other is waived"),
        ("RATE-DAY", 3, "WAIVER-RULE: release.policy.toml: expected RATE-DAY in waiver.rules, got GATE-TESTS"),
    ],
)
def test_what_cannot_be_waived_is_not_even_signed(
    house: House, capsys: pytest.CaptureFixture[str], rule: str, status: int, told: str
) -> None:
    out = house.path / f"{rule}.dsse.json"
    said = ["--rule", rule, "--reason", "because", *house.works_as("alice", "release"), "--out", out]
    assert house.sign("waive", house.request("phone-1.0"), *said, last_four_words="") == status
    assert told in capsys.readouterr().err.replace(f"{house.path}/", "")
    assert not out.exists()
