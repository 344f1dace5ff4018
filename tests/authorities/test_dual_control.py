"""Dual control: two of two payload keys, two of three root keys, each on its own token with its own PIN and custodian.

Signatures are collected one by one, days apart, each in a process of its own, and a response may get lost on the way.
One token, one person and one device never count twice.
"""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from enigm_testkit.house import KEYS, House, Plan, build_house, read, remake
from enigm_testkit.spy_module import SpyModule
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.model.request import read_response
from enigm_tuf.model.words import last_words

TESTS = Path(__file__).parents[1]
PINS = {"root-a": "111222", "root-b": "333444", "root-c": "555666", "payload-a": "777888", "payload-b": "999000"}
_PROCESS = """
import sys
from datetime import datetime
from enigm_testkit.people import FixedClock
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.cli.edges import Edges
sys.exit(main(sys.argv[2:], Edges(FixedClock(datetime.fromisoformat(sys.argv[1])))))
"""


@dataclass
class Days:
    """What happens on each day, every custodian in a process of their own with a module that counts."""

    house: House
    spy: SpyModule
    said: list[str] = field(default_factory=list)

    def uri(self, token: str) -> str:
        return f"pkcs11:token={token}?module-path={self.spy.module}"

    def later(self, **much: int) -> None:
        self.house.clock.time += timedelta(**much)

    def signs(self, request: Path, token: str, pin: str = "", votes: list[object] | None = None) -> int:
        """The custodian types the request's words and the PIN, which are lines of standard input here."""
        cast = self.house.votes(request) if votes is None else votes
        out = self.house.response(request, token)
        arguments = self.house.custodian(
            request, token, out.with_name("twice.enigmresp") if out.exists() else out, cast
        )
        arguments[arguments.index(self.house.uri(token))] = self.uri(token)
        return self.runs(arguments, f"{last_words(read(request).digest)}\n{pin or PINS[token]}\n")

    def runs(self, arguments: list[object], answers: str = "") -> int:
        moment: datetime = self.house.clock.time
        command = [sys.executable, "-c", _PROCESS, moment.isoformat(), *(str(part) for part in arguments)]
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        done = subprocess.run(command, input=answers, capture_output=True, text=True, check=False, env=environment)
        self.said.append(done.stdout + done.stderr)
        return done.returncode

    def again(self, request: Path, out: Path) -> int:
        home = self.house.home(read(request).index.authority)
        return self.runs(["response", "again", request, "--home", home, *self.house.votes(request), "--out", out])

    def logged(self, kind: EntryType) -> int:
        return sum(entry.type == kind for entry in read_log(self.house.home("release") / "audit.log"))


@pytest.fixture
def days(house: House, tmp_path: Path) -> Days:
    """The security officer gave each token another PIN."""
    for token, pin in PINS.items():
        unblock = ["token", "unblock", "--token", house.uri(token)]
        assert house.sign(*unblock, PIN=pin) == 0
    return Days(house, SpyModule(tmp_path / "spy"))


def test_a_root_is_signed_by_two_people_over_three_days(days: Days) -> None:
    request = days.house.request("root-1")
    votes = days.house.votes(request)
    assert days.signs(request, "root-a") == 0
    days.later(days=1)
    assert days.signs(request, "root-b", PINS["root-a"]) == 2  # not their token's PIN
    assert "token root-b: wrong PIN" in days.said[-1]
    assert days.signs(request, "root-a") == 3  # the same key, token and person again
    assert "error: SIGN-ONCE" in days.said[-1]
    assert days.spy.signatures == 1
    days.later(days=1)
    assert days.signs(request, "root-b", votes=votes) == 0
    assert days.spy.signatures == days.logged(EntryType.SIGN_PERFORMED) == 2
    answers = [days.house.response(request, token) for token in ("root-a", "root-b")]
    days.house.publish("root-1", *answers)
    assert days.house.trust("release", days.house.first_root) == 0
    assert not any(pin in said for said in days.said for pin in PINS.values())


def test_one_of_two_signatures_is_no_root(days: Days) -> None:
    request = days.house.request("root-1")
    assert days.signs(request, "root-a") == 0
    days.house.repo("release", "attach", "root-1", days.house.response(request, "root-a"))
    with pytest.raises(AssertionError, match="release verify"):
        days.house.repo("release", "verify", "root-1")


def test_the_same_response_twice_is_one_signature(days: Days) -> None:
    request = days.house.request("root-1")
    assert days.signs(request, "root-a") == 0
    answer = days.house.response(request, "root-a")
    twin = answer.with_name("twin.enigmresp")
    twin.write_bytes(answer.read_bytes())
    days.house.repo("release", "attach", "root-1", answer, twin)
    with pytest.raises(AssertionError, match="release verify"):
        days.house.repo("release", "verify", "root-1")


def test_a_request_that_outlives_its_hours_gets_no_second_signature(days: Days) -> None:
    request = days.house.request("root-1")
    assert days.signs(request, "root-a") == 0
    days.later(hours=72)
    assert days.signs(request, "root-b") == 3
    assert "error: REQUEST-TIME" in days.said[-1]
    assert days.spy.signatures == 1


def test_two_approvals_of_one_person_or_device_are_one(days: Days) -> None:
    request = days.house.request("root-1")
    alice = days.house.vote(request, "alice")
    twin = alice.with_name("twin.dsse.json")
    days.later(seconds=1)
    alice.rename(twin)
    again = days.house.vote(request, "alice")  # another envelope by the same key on the same device
    assert twin.read_bytes() != again.read_bytes()
    assert days.signs(request, "root-a", votes=["--approval", twin, "--approval", again]) == 3
    assert "error: QUORUM-COUNT" in days.said[-1]
    assert days.spy.signatures == 0


def test_who_approved_does_not_sign_with_a_token_of_their_own(days: Days) -> None:
    """root-c is alice's, who approves too."""
    assert days.signs(days.house.request("root-1"), "root-c") == 3
    assert "QUORUM-EXCLUSION: approver" in days.said[-1]
    assert days.spy.signatures == 0


@pytest.mark.rule("QUORUM-EXCLUSION", "accept")
@pytest.mark.rule("QUORUM-EXCLUSION", "reject")
def test_two_custodians_do_not_approve_for_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Carol and alice keep a root key each, and approve too; bob, of the other partition, approves."""
    plan = Plan(KEYS | {"carol": ("approval", "carol")}, approvers={"carol": "engineering"})
    house = build_house(tmp_path / "house", plan=plan)
    request = house.request("root-1")
    by = {who: ["--approval", house.vote(request, who)] for who in ("alice", "bob", "carol")}
    assert house.signs(request, "root-c", by["bob"] + by["carol"]) == 0  # alice
    capsys.readouterr()
    for token in ("root-a", "root-b"):  # carol, and dave, who approves nothing
        assert house.signs(request, token, by["bob"] + by["alice"]) == 3
        assert "QUORUM-EXCLUSION FAILED" in capsys.readouterr().out
        house.response(request, token).unlink()
    assert house.signs(request, "root-b", by["bob"] + by["carol"]) == 0
    performed = [
        entry for entry in read_log(house.home("release") / "audit.log") if entry.type == EntryType.SIGN_PERFORMED
    ]
    assert len(performed) == 2


def _house_of_engineers(path: Path, *names: str) -> House:
    """One where these people too may approve."""
    people = {who: ("approval", who) for who in names}
    return build_house(path / "house", plan=Plan(KEYS | people, approvers=dict.fromkeys(people, "engineering")))


@pytest.mark.rule("CUSTODIAN-APART", "accept")
@pytest.mark.rule("CUSTODIAN-APART", "reject")
def test_who_approved_the_first_signature_does_not_make_the_second(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dave signed under carol's approval: carol signs no more, whoever approves today. Alice, who did not, may."""
    house = _house_of_engineers(tmp_path, "carol", "erin")
    request = house.request("root-1")
    by = {who: ["--approval", house.vote(request, who)] for who in ("bob", "carol", "erin")}
    assert house.signs(request, "root-b", by["bob"] + by["carol"]) == 0  # dave
    moment = house.clock.time.replace(microsecond=0).isoformat()
    house.clock.time += timedelta(days=1)
    capsys.readouterr()
    assert house.signs(request, "root-a", by["bob"] + by["erin"]) == 3  # carol
    said = capsys.readouterr().err
    assert said.startswith("error: CUSTODIAN-APART: ")
    assert f"got carol, whose approval or waiver it was signed under: counted {moment}, made with token " in said
    assert house.sign("audit", "verify", "--home", house.home("release")) == 0
    house.response(request, "root-a").unlink()
    assert house.signs(request, "root-c", by["bob"] + by["erin"]) == 0  # alice
    house.publish("root-1", *(house.response(request, token) for token in ("root-b", "root-c")))


def test_a_lost_response_is_written_again_without_a_token(days: Days) -> None:
    """Also that of the last custodian, after whom the request is done."""
    request = days.house.request("root-1")
    assert days.signs(request, "root-a") == 0
    days.house.response(request, "root-a").unlink()
    days.later(days=1)
    first = days.house.path / "first.enigmresp"
    assert days.again(request, first) == 0
    assert len(read_response(first.read_bytes(), "")[0].signatures) == 1
    assert days.signs(request, "root-b") == 0
    days.house.response(request, "root-b").unlink()
    days.later(days=2)
    both = days.house.path / "both.enigmresp"
    assert days.again(request, both) == 0
    answers = [both, both.with_name("both.2.enigmresp")]  # each tells its own decision, the newest first
    keyids = [[item.keyid for item in read_response(file.read_bytes(), "")[0].signatures] for file in answers]
    assert keyids == [[days.house.key(token).keyid] for token in ("root-b", "root-a")]
    assert days.spy.signatures == days.logged(EntryType.SIGN_PERFORMED) == 2
    days.house.publish("root-1", *answers)
    assert days.house.trust("release", days.house.first_root) == 0


def test_a_response_that_was_never_given_is_not_written_again(days: Days) -> None:
    request = days.house.request("root-1")
    out = days.house.path / "none.enigmresp"
    assert days.again(request, out) == 2
    assert "no signature of it is in the audit log" in days.said[-1]
    assert days.signs(request, "root-a") == 0
    home = days.house.home("release")
    assert days.runs(["response", "again", request, "--home", home, "--out", out]) == 2
    assert "was counted and is not here" in days.said[-1]
    assert not out.exists()


def test_a_payload_needs_both_custodians_days_apart(days: Days) -> None:
    root = days.house.request("root-1")
    for token in ("root-a", "root-b"):
        assert days.signs(root, token) == 0
    days.house.publish("root-1", *(days.house.response(root, token) for token in ("root-a", "root-b")))
    for authority in ("manifest", "release"):
        assert days.house.trust(authority, days.house.first_root) == 0
    days.house.repo("product", "add", "phone", "--channel", "stable")
    request = days.house.request("product-phone")
    made = days.spy.signatures
    assert days.signs(request, "payload-a") == 0
    days.later(days=2)
    assert days.signs(request, "payload-a") == 3
    assert "error: SIGN-ONCE" in days.said[-1]
    assert days.signs(request, "payload-b") == 0
    assert days.spy.signatures == made + 2
    answers = [days.house.response(request, token) for token in ("payload-a", "payload-b")]
    manifest = days.house.signed_by(days.house.request("product-phone", "manifest"), "manifest-a")
    days.house.publish("product-phone", *answers, *manifest)


@pytest.mark.rule("REQUEST-REPLAY", "accept")
@pytest.mark.rule("REQUEST-REPLAY", "reject")
def test_what_was_signed_under_one_request_is_signed_under_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dave signed a root under carol's approval. Asked for anew, the same bytes with other approvals would get hers."""
    house = _house_of_engineers(tmp_path, "carol", "erin")
    first = house.request("root-1")
    again = remake(first, first.with_name("again.enigmreq"), sequence=read(first).index.sequence + 1)
    by = {who: ["--approval", house.vote(first, who)] for who in ("bob", "carol")}
    assert house.signs(first, "root-b", by["bob"] + by["carol"]) == 0  # dave
    votes: list[object] = [part for who in ("bob", "erin") for part in ("--approval", house.vote(again, who))]
    capsys.readouterr()
    assert house.signs(again, "root-a", votes) == 3  # carol
    digest = read(first).digest
    assert "REQUEST-REPLAY FAILED: REQUEST-REPLAY: root: expected bytes that nobody signed" in (
        said := capsys.readouterr().out
    )
    assert f"got bytes that were signed under request {digest}" in said
    by["erin"] = ["--approval", house.vote(first, "erin")]
    assert house.signs(first, "root-c", by["bob"] + by["erin"]) == 0  # alice
