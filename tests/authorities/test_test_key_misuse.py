"""Keys, tokens and documents of one environment in another, and keys that everybody has: refused, each by a command.

The house is one of staging, on SoftHSM; ``production`` is as good as real but for its tokens.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.audit_logs import log_state
from enigm_testkit.authorities import NOW, Cast, extension_of, make_root, signed
from enigm_testkit.custodians import operators_vote, registry
from enigm_testkit.house import House, init_options, read
from enigm_testkit.people import Answers, FixedClock
from enigm_testkit.piv_desk import desk_with_key
from enigm_testkit.requests import ALICE, BOB, CAROL, operators_of
from enigm_testkit.scenes import first_root
from enigm_testkit.softhsm import SoftHsm
from enigm_testkit.spy_module import SpyModule
from enigm_tuf.audit.merkle import log_signer
from enigm_tuf.authorities.cli import COMMANDS, main
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.model.operators import write_operators
from enigm_tuf.model.request import make_request
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import last_words
from enigm_tuf.policy.rules.custody import CustodyRule

PIN = "135790"


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The rule of the one error that was said."""
    (error,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))
    return error.removeprefix("error: ").split(":")[0]


# --- production takes no software token, wherever one would sign ---


class Production:
    """A production authority with everything but tokens: policy, approvals, the request for its first root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        SoftHsm(folder / "softhsm").token("soft", PIN)
        self.spy = SpyModule(folder / "spy")
        self.token = ["--token", f"pkcs11:token=soft?module-path={self.spy.module}", "--label", "k"]
        assert self.run("key", "generate", *self.token) == 0
        scene = first_root()
        people = [who.listed(environment="production") for who in (ALICE, BOB, CAROL)]
        scene.operators = registry("release", *people, environment="production")
        old, new = (sha256(write_operators(item)) for item in (operators_of("release"), scene.operators))
        scene.policy = scene.policy.replace('"staging"', '"production"').replace(old, new)
        extension = scene.new_root.unrecognized_fields[FIELD]
        extension["environment"] = "production"
        for info in extension["keyinfo"].values():
            info["environment"] = "production"
        scene.index = {"environment": "production", "previous": (), "sequence": 1}
        self.policy = folder / "release.policy.toml"
        self.policy.write_text(scene.policy)
        self.operators = folder / "release.operators.json"
        self.operators.write_bytes(write_operators(scene.operators))
        self.home = folder / "home"
        who = ["--home", str(self.home), "--authority", "release", "--environment", "production"]
        known = ["--policy", str(self.policy), "--operators", str(self.operators)]
        for number, voter in enumerate((ALICE, BOB)):
            vote = folder / f"{number}.operators.dsse.json"
            vote.write_bytes(operators_vote(voter, scene.operators, scene.policy))
            known += ["--vote", str(vote)]
        assert self.run("authority", "init", *who, *known) == 0
        log = log_signer(self.home / "audit.log").log
        pin = {"origin": log.name, "public_key": log.text, "witnesses": [], "witness_threshold": 0}
        extension["audit_logs"] = [pin]
        request = scene.request()
        self.request = folder / "root.enigmreq"
        self.request.write_bytes(make_request(request.index, request.members))
        self.votes: list[str] = []
        for number, cast in enumerate(scene.ballots):
            (folder / f"{number}.dsse.json").write_bytes(cast(request))
            self.votes += ["--approval", str(folder / f"{number}.dsse.json")]

    def run(self, *arguments: str, **answers: str) -> int:
        words = {"last_four_words": last_words(read(self.request).digest)} if hasattr(self, "request") else {}
        return main(list(arguments), Edges(FixedClock(NOW), Answers(**({"PIN": PIN} | words | answers))))


@pytest.fixture
def production(tmp_path: Path) -> Production:
    return Production(tmp_path)


def known_to(case: Production) -> list[str]:
    return ["--policy", str(case.policy), "--operators", str(case.operators), "--operator", "alice"]


def signs(case: Production) -> list[str]:
    return ["sign", str(case.request), "--home", str(case.home), *case.token, *case.votes]


def approves(case: Production) -> list[str]:
    return ["approve", str(case.request), *known_to(case), *case.token]


def rejects(case: Production) -> list[str]:
    return ["reject", *approves(case)[1:], "--reason", "no"]


def enrols(case: Production) -> list[str]:
    said = ["--purpose", "root", "--environment", "production", "--custodian", "carol"]
    return ["key", "enrol", *case.token, *said]


def makes_wrapping_key(case: Production) -> list[str]:
    return ["wrapping", "make", "--home", str(case.home), *case.token, "--spare", case.token[1]]


@pytest.mark.parametrize("command", [signs, approves, rejects, enrols, makes_wrapping_key], ids=lambda it: it.__name__)
def test_production_does_nothing_with_softhsm(
    production: Production, command: Callable[[Production], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    out = production.folder / "out"
    assert production.run(*command(production), "--out", str(out)) == 3
    assert refused(capsys) == "TOKEN-PRODUCTION"
    assert production.spy.signatures == 0
    assert not out.exists() or b"signatures" in out.read_bytes()


def test_an_inventory_of_production_is_not_voted_for_with_softhsm(
    production: Production, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (house.path / "release.inventory.1.json").read_text().replace('"staging"', '"production"')
    proposal = production.folder / "inventory.json"
    proposal.write_text(text)
    SoftHsm(production.folder / "again").token("soft", PIN)
    arguments = ["inventory", "sign", str(proposal), *known_to(production)]
    assert production.run(*arguments, *production.token, "--out", str(production.folder / "vote")) == 3
    assert refused(capsys) == "TOKEN-PRODUCTION"
    assert production.spy.signatures == 0


# --- a development key file signs development alone ---


@pytest.fixture
def key_file(house: House) -> list[object]:
    uri = f"development:{house.path / 'dev.json'}"
    assert house.sign("token", "init", "--token", uri) == 0
    assert house.sign("key", "generate", "--token", uri, "--label", "k") == 0
    return ["--token", uri, "--label", "k"]


@pytest.mark.parametrize("verb", ["approve", "sign", "inventory sign"])
def test_a_key_file_does_nothing_in_staging(
    house: House, key_file: list[object], verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    request, who = house.request("root-1"), house.works_as("alice", "release")[:6]
    arguments = {
        "approve": ["approve", request, *who],
        "sign": ["sign", request, "--home", house.home("release"), *house.votes(request)],
        "inventory sign": [
            *("inventory", "sign", house.path / "release.inventory.1.json"),
            *who,
        ],
    }[verb]
    words = {"last_four_words": last_words(read(request).digest)}
    capsys.readouterr()
    assert house.sign(*arguments, *key_file, "--out", house.path / "out", **words) == 3
    assert refused(capsys) == "ENVIRONMENT-MATCH"
    assert not (house.path / "out").exists()


# --- one document of another environment ---


def edited(source: Path, out: Path) -> Path:
    out.write_text(source.read_text().replace('"staging"', '"development"'))
    return out


def other_policy(house: House) -> list[object]:
    """A home of staging with a policy of development."""
    options = init_options(house, "release")
    options[options.index(house.home("release"))] = house.path / "new.home"
    options[options.index(house.path / "release.policy.toml")] = edited(
        house.path / "release.policy.toml", house.path / "other.toml"
    )
    return ["authority", "init", *options]


def other_home(house: House) -> list[object]:
    """A home whose own file was changed."""
    identity = house.home("release") / "authority.toml"
    identity.write_text(identity.read_text().replace("staging", "development"))
    return ["request", "inspect", house.request("root-1"), "--home", house.home("release")]


def other_record(house: House) -> list[object]:
    """A key that was enrolled for development, in the inventory of staging."""
    record = edited(house.path / "root-a.key.json", house.path / "other.key.json")
    text = json.loads(record.read_text())
    (house.path / "one.json").write_text(json.dumps(text))
    proposal = json.loads((house.path / "release.inventory.1.json").read_text())
    proposal["keys"] = [{"record": text, "status": "active"}, *proposal["keys"][1:]]
    (house.path / "odd.json").write_text(json.dumps(proposal))
    return ["inventory", "adopt", house.path / "odd.json", "--home", house.home("release")]


def other_inventory(house: House) -> list[object]:
    """The inventory of another environment, in this home."""
    proposal = edited(house.path / "release.inventory.1.json", house.path / "odd.json")
    return ["inventory", "adopt", proposal, "--home", house.home("release")]


def other_vote(house: House) -> list[object]:
    """A vote under the policy of another environment."""
    policy = edited(house.path / "release.policy.toml", house.path / "other.toml")
    proposal = house.path / "release.inventory.1.json"
    who = house.works_as("alice", "release")[2:]
    return ["inventory", "sign", proposal, "--policy", policy, *who, "--out", house.path / "out"]


def other_approval(house: House) -> list[object]:
    """An approval under the policy of another environment: another policy than the request names."""
    policy = edited(house.path / "release.policy.toml", house.path / "other.toml")
    who = house.works_as("alice", "release")[2:]
    return ["approve", house.request("root-1"), "--policy", policy, *who, "--out", house.path / "out"]


def other_root(house: House) -> list[object]:
    """A first root of development, whole and signed, for a home of staging."""
    cast = Cast()
    extension = extension_of(cast) | {"environment": "development"}
    root = house.path / "odd.root.json"
    root.write_bytes(signed(make_root(cast, extension=extension), cast.root))
    house.clock.time = NOW
    return ["authority", "trust", "--home", house.home("release"), "--root", root]


PLACES: dict[Callable[[House], list[object]], tuple[int, str]] = {
    other_policy: (2, "is the policy of the release authority in development, not of the release authority in staging"),
    other_home: (2, "must be the policy of this very authority"),
    other_record: (2, "keys.environment: must be staging, as the inventory's"),
    other_inventory: (2, "is the inventory of the release authority in development, not"),
    other_vote: (2, "is no policy of the release authority"),
    other_approval: (3, "POLICY-PINNED"),
    other_root: (3, "ENVIRONMENT-MATCH: root version 1: expected environment staging, got development"),
}


@pytest.mark.parametrize("place", PLACES, ids=lambda it: it.__name__)
def test_a_document_of_another_environment_is_refused(
    house: House, place: Callable[[House], list[object]], capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = PLACES[place]
    arguments = place(house)
    before = log_state(house.home("release") / "audit.log")
    capsys.readouterr()
    assert house.sign(*arguments) == status
    assert said in capsys.readouterr().err
    assert log_state(house.home("release") / "audit.log") == before
    assert not (house.path / "out").exists()


def test_a_request_of_another_environment_gets_a_no(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    scene = first_root()
    scene.index = {"environment": "development"}
    request = scene.request()
    path = house.path / "odd.enigmreq"
    path.write_bytes(make_request(request.index, request.members))
    who = ["--token", house.uri("root-a"), "--label", "root-a", "--out", house.path / "out.enigmresp"]
    assert house.sign("sign", path, "--home", house.home("release"), *who) == 3
    assert refused(capsys) == "REQUEST-SCOPE"


def test_a_key_record_of_another_environment_makes_no_root(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    edited(house.path / "root-a.key.json", house.path / "root-a.key.json")
    with pytest.raises(AssertionError):
        House(house.path / "fresh", house.clock).repo("init", "--config", house.path / "repository.toml")
    assert "is enrolled for root in development; root_keys in staging cannot use it" in capsys.readouterr().err


# --- keys that everybody has ---


@pytest.mark.parametrize("environment", ["production", "staging", "development"])
def test_a_maker_that_says_not_to_trust_it_is_not_trusted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], environment: str
) -> None:
    desk = desk_with_key(tmp_path, capsys, AttestationCa("DO NOT TRUST - maker of samples"))
    assert desk.enrol(environment=environment) == 3
    error = capsys.readouterr().err.splitlines()[0]
    assert error.startswith("error: TEST-KEY: attestation certificate")
    assert "got DO NOT TRUST" in error
    assert desk.card.signatures == 0
    assert not desk.record.exists()


def test_a_key_on_the_deny_list_is_not_enrolled(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As if this key's private half had been published: no test has a real one."""
    digest = house.key("root-a").spki_sha256
    monkeypatch.setattr("enigm_tuf.trust.test_keys.KNOWN_TEST_KEYS", {digest: "everybody's key"})
    who = ["--token", house.uri("root-a"), "--label", "root-a", "--purpose", "root", "--environment", "staging"]
    assert house.sign("key", "enrol", *who, "--custodian", "carol", "--out", house.path / "out") == 3
    assert refused(capsys) == "TEST-KEY"
    request = house.request("root-1")
    assert house.signs(request, "root-a", house.votes(request)) == 3
    assert "TEST-KEY" in capsys.readouterr().err


def test_an_approver_with_a_key_that_everybody_has_stops_everything(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = house.request("root-1")
    votes = house.votes(request)
    digest = house.key("alice").spki_sha256
    monkeypatch.setattr("enigm_tuf.trust.test_keys.KNOWN_TEST_KEYS", {digest: "everybody's key"})
    assert house.signs(request, "root-a", votes) == 3
    assert refused(capsys) == CustodyRule.APPROVAL_KNOWN


# --- no default signer ---

WITH_TOKEN = [
    command.name
    for command in COMMANDS
    if command.name.split()[0] in {"sign", "approve", "reject", "timestamp", "wrapping"}
    or command.name in {"key generate", "key enrol", "key audit", "key destroy", "key backup", "key restore"}
    or command.name in {"key restore-test", "inventory sign", "token init", "token unblock"}
]


@pytest.mark.parametrize("name", WITH_TOKEN)
def test_no_command_has_a_token_of_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the environment says that other tools listen to."""
    for variable in ("PYKCS11LIB", "PKCS11_MODULE_PATH", "PKCS11_TOKEN_LABEL", "ENIGM_TOKEN"):
        monkeypatch.setenv(variable, "/usr/lib/softhsm/libsofthsm2.so")
    with pytest.raises(SystemExit) as left:
        main(name.split())
    assert left.value.code == 2
    assert "--token" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["", "timestamp_signer = []"])
def test_no_repository_has_a_freshness_signer_of_its_own(
    house: House, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = house.path / "other.toml"
    lines = (house.path / "repository.toml").read_text().splitlines()
    config.write_text("\n".join(line if text.startswith("timestamp_signer") else text for text in lines))
    with pytest.raises(AssertionError):
        House(house.path / "fresh", house.clock).repo("init", "--config", config)
    assert "timestamp_signer: " in capsys.readouterr().err
