"""The policies in examples/policies: read by the authority's own reader, and each lets through what its page says."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.authorities import NOW, make_root, new_signer
from enigm_testkit.builders import Maker
from enigm_testkit.custodians import Voter, registry, voter
from enigm_testkit.requests import Scene, ballot
from enigm_testkit.scenes import first_root, manifest_release, payload_release
from enigm_tuf.model.operators import OperatorRegistry, require_able, write_operators
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import Authority
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.strict_json import sha256

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "examples/policies").glob("*.policy.toml"))
PAGES = {"start-up": "a-policy-for-two-people", "production": "a-policy-for-production"}
ALICE, BOB = voter("alice", "engineering"), voter("bob", "engineering")
QUINN, SAM, RITA, EVE, OLE = (
    voter(name, partition)
    for name, partition in (
        ("quinn", "qa"),
        ("sam", "security"),
        ("rita", "release"),
        ("eve", "executive"),
        ("ole", "operations"),
    )
)
STAFF = {"start-up": (ALICE, BOB), "production": (QUINN, SAM, RITA, EVE, OLE)}
FARM_A, FARM_B = Maker("https://farm-a.example.com"), Maker("https://farm-b.example.com")
REVIEW, LAB = Maker("https://review.example.com"), Maker("https://lab.example.com")
DIGEST = sha256(b"ota 1.1")
SOURCE = {"repository": "git+https://git.example.com/os", "ref": "refs/heads/release"}


def staff(kind: str, authority: Authority) -> OperatorRegistry:
    return registry(authority, *(person.listed() for person in STAFF[kind]))


def under(kind: str, scene: Scene) -> Scene:
    """The scene under the worked policy: of staging, with the operators of its page, and keys that a test has."""
    text = (ROOT / f"examples/policies/{kind}.{scene.authority}.policy.toml").read_text()
    scene.operators = staff(kind, scene.authority)
    scene.policy = text.replace('"production"', '"staging"').replace("0" * 64, sha256(write_operators(scene.operators)))
    for maker in (FARM_A, FARM_B, REVIEW, LAB):
        scene.policy = re.sub(rf'("{maker.id}", keys = )\["[^"]+"\]', rf'\1["{maker.public}"]', scene.policy)
    scene.index = {"created": NOW - timedelta(hours=30), "expires": NOW + timedelta(hours=30)}
    return scene


def with_proof(scene: Scene, *builders: Maker) -> Scene:
    files = {"ota.zip": DIGEST}
    said = [maker.provenance(files, **SOURCE) for maker in builders or (FARM_A, FARM_B)]
    said += [REVIEW.review(resourceUri=SOURCE["repository"]), LAB.tests(DIGEST, NOW - timedelta(hours=168))]
    scene.members = {f"evidence/provenance/{number}.json": data for number, data in enumerate(said)}
    return scene


def approved_by(scene: Scene, *people: Voter) -> Scene:
    scene.ballots = [ballot(person) for person in people]
    return scene


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_worked_policy_is_read_and_its_people_can_meet_it(file: Path) -> None:
    kind, authority, *_ = file.name.split(".")
    policy = read_policy(file.read_bytes(), file.name)
    assert policy.authority == authority
    require_able(policy, staff(kind, policy.authority), file.name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_its_page_names_it_and_every_number_that_the_page_tells_is_in_it(file: Path) -> None:
    page = (ROOT / "docs/howto" / f"{PAGES[file.name.partition('.')[0]]}.md").read_text()
    assert file.name in page
    told = re.findall(r"^\| `([a-z_.]+ = [^`]+)` \|", page, re.MULTILINE)
    assert len(told) >= 8
    text = "".join(path.read_text() for path in FILES if path.name.startswith(file.name.partition(".")[0]))
    for line in told:
        assert line.rpartition(".")[2] in text, line


def test_in_a_start_up_one_approves_and_the_other_signs() -> None:
    scene = approved_by(under("start-up", payload_release()), BOB)
    scene.custodian = "alice"
    assert scene.refused_by() == []
    scene.custodian = "bob"
    assert scene.refused_by() == ["QUORUM-COUNT", "QUORUM-PARTITION", "QUORUM-EXCLUSION"], "not both by one"
    approved_by(scene)
    assert scene.refused_by() == ["QUORUM-COUNT", "QUORUM-PARTITION"]


@pytest.mark.parametrize(("signs", "approves"), [("alice", BOB), ("bob", ALICE)])
def test_in_a_start_up_one_approves_a_root_and_the_other_signs_it_with_a_third(signs: str, approves: Voter) -> None:
    scene = approved_by(under("start-up", first_root()), approves)
    scene.custodian, scene.custodians = signs, ("dave",)
    assert scene.refused_by() == []
    scene.custodians = (approves.operator,)
    assert "QUORUM-EXCLUSION" in scene.refused_by(), "not the two of them for each other"


def test_in_a_start_up_a_release_is_offered() -> None:
    scene = approved_by(under("start-up", manifest_release()), ALICE)
    scene.custodian = "bob"
    assert scene.refused_by() == []


def released() -> Scene:
    return with_proof(approved_by(under("production", payload_release()), QUINN, SAM))


def test_in_production_a_release_that_is_proved_tested_and_approved_is_signed() -> None:
    assert released().refused_by() == []


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (lambda scene: approved_by(scene, QUINN, RITA), ["QUORUM-PARTITION"]),
        (lambda scene: approved_by(scene, SAM), ["QUORUM-COUNT", "QUORUM-PARTITION"]),
        (lambda scene: with_proof(scene, FARM_A), ["SOURCE-REBUILD"]),
        (lambda scene: scene.index.update(created=NOW - timedelta(minutes=119)), ["TIME-COOL-DOWN"]),
        (lambda scene: scene.members.popitem(), ["GATE-TESTS"]),
    ],
)
def test_in_production_one_thing_less_is_refused(change: object, rules: list[str]) -> None:
    scene = released()
    assert callable(change)
    change(scene)
    assert scene.refused_by() == rules


def test_in_production_nothing_is_released_in_the_holidays() -> None:
    scene = released()
    scene.policy = scene.policy.replace("2026-12-23T00:00:00Z", f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    assert scene.refused_by() == ["TIME-FREEZE"]


def test_in_production_a_manifest_is_approved_by_qa_and_security_and_lives_two_weeks() -> None:
    scene = approved_by(under("production", manifest_release()), QUINN, SAM)
    assert scene.refused_by() == ["META-EXPIRY"]
    for proposal in scene.proposals.values():
        proposal.expires = NOW + timedelta(days=15)
    assert scene.refused_by() == []


def test_in_production_root_needs_three_keys_three_departments_a_day_and_a_ceremony() -> None:
    scene = approved_by(under("production", first_root()), RITA, SAM, EVE)
    scene.cast.root += [new_signer(), new_signer()]
    scene.proposals = {"root": make_root(scene.cast)}
    scene.new_root.unrecognized_fields[FIELD]["recovery"]["threshold"] = 4
    assert scene.refused_by() == ["META-THRESHOLD"]
    scene.new_root.roles["root"].threshold = 3
    assert scene.refused_by() == []
    assert scene.said("CEREMONY-OPEN") == "when it is signed, in a ceremony that opened at most 12 hours ago"
    assert approved_by(scene, RITA, SAM, OLE).refused_by() == ["QUORUM-PARTITION"]


def test_in_production_an_emergency_goes_through_the_holidays_with_one_department_more() -> None:
    scene = with_proof(approved_by(under("production", payload_release()), QUINN, SAM))
    scene.action = "emergency"
    scene.policy = scene.policy.replace("2026-12-23T00:00:00Z", f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    assert scene.refused_by() == ["QUORUM-COUNT", "QUORUM-PARTITION"]
    approved_by(scene, QUINN, SAM, EVE)
    assert scene.refused_by() == []
    assert (
        scene.said("CEREMONY-OPEN")
        == "when it is signed, in a ceremony of the type emergency that opened at most 4 hours ago"
    )


def test_in_a_start_up_there_are_no_emergencies() -> None:
    scene = approved_by(under("start-up", payload_release()), BOB)
    scene.action = "emergency"
    assert scene.refused_by() == ["REQUEST-SCOPE", "QUORUM-COUNT", "QUORUM-PARTITION"]
