"""The HSM fails in the middle of a ceremony: what the audit log says, what nobody gets, and that it can go on.

Every custodian's token is behind a module that counts the signatures that it makes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pkcs11 import Attribute

from enigm_testkit.house import PIN, House, read
from enigm_testkit.hsm_desk import make_key
from enigm_testkit.recovery import get_on
from enigm_testkit.spy_module import SpyModule
from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Session, Pkcs11Token
from enigm_tuf.model.request import read_response
from enigm_tuf.model.words import last_words
from enigm_tuf.trust.signable import Signable


@dataclass
class Ceremony:
    """The first root waits, approved by alice and bob; root-a and root-b may sign it."""

    house: House
    spy: SpyModule
    request: Path
    votes: list[object]

    def uri(self, token: str) -> str:
        return f"pkcs11:token={token}?module-path={self.spy.module}"

    def signs(self, token: str = "root-a", label: str = "", **answers: str) -> int:  # noqa: S107 - a token's name
        """Through the module that counts; the votes were cast beside it."""
        arguments = self.house.custodian(self.request, token, self.response(token), self.votes)
        arguments[arguments.index(self.house.uri(token))] = self.uri(token)
        if label:
            arguments[arguments.index("--label") + 1] = label
        return self.house.sign(*arguments, **({"last_four_words": last_words(read(self.request).digest)} | answers))

    def response(self, token: str) -> Path:
        return self.house.response(self.request, token)

    @property
    def log(self) -> list[EntryType]:
        return [entry.type for entry in read_log(self.house.home("release") / "audit.log")]

    def refusal(self) -> str:
        """The rule or kind of error that the log names last."""
        return str(self._refused().body["rule"])

    def refused_role(self) -> object:
        """The payload whose intent it closes."""
        return self._refused().body["role"]

    def _refused(self) -> AuditEntry:
        last = read_log(self.house.home("release") / "audit.log")[-1]
        assert last.type == EntryType.SIGN_REFUSED
        return last


@pytest.fixture
def ceremony(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ceremony:
    monkeypatch.setattr(Pkcs11Token.__init__, "__defaults__", (3,))
    request = house.request("root-1")
    return Ceremony(house, SpyModule(tmp_path / "spy"), request, house.votes(request))


def test_without_trouble_one_signature_is_made_and_answered(ceremony: Ceremony) -> None:
    assert ceremony.signs() == 0
    assert ceremony.spy.signatures == 1
    assert len(read_response(ceremony.response("root-a").read_bytes(), "")[0].signatures) == 1


@pytest.mark.parametrize(
    ("fault", "status", "kind", "made"),
    [
        ("crash", 2, "ModuleCrashedError", 0),
        ("crash after", 2, "ModuleCrashedError", 1),
        ("hang", 2, "ModuleTimeoutError", 0),
        ("corrupt", 3, "SIGNATURE-SELF-CHECK", 1),
    ],
)
def test_a_module_that_fails_while_it_signs_leaves_a_doubt_that_only_people_end(
    ceremony: Ceremony, fault: str, status: int, kind: str, made: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """From outside nobody can tell whether it died before or after C_Sign: a custodian may have ended it."""
    ceremony.spy.fail(fault)
    assert ceremony.signs() == status
    assert "hint: the token may have signed" in capsys.readouterr().err
    assert ceremony.log[-2:] == [EntryType.SIGN_INTENT, EntryType.SIGN_REFUSED]
    assert (ceremony.refusal(), ceremony.refused_role()) == (kind, None)
    assert ceremony.spy.signatures == made
    assert not ceremony.response("root-a").exists()
    ceremony.spy.fail("")
    for token in ("root-a", "root-b"):
        assert ceremony.signs(token) == 3
    assert "error: SIGN-INTENT-OPEN" in capsys.readouterr().err
    assert ceremony.house.sign("audit", "verify", "--home", ceremony.house.home("release")) == 0
    assert "IN DOUBT: root version 1" in capsys.readouterr().out
    assert ceremony.spy.signatures == made
    get_on(ceremony.house)
    assert ceremony.signs() == 0
    assert ceremony.spy.signatures == made + 1


def test_a_key_that_changes_just_before_it_signs_leaves_no_doubt(
    ceremony: Ceremony, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker reads its attributes, and does not ask the token to sign."""
    signs = Pkcs11Session.sign

    def drifting(session: Pkcs11Session, label: str, message: Signable) -> bytes:
        ceremony.spy.fail("drift")
        return signs(session, label, message)

    monkeypatch.setattr(Pkcs11Session, "sign", drifting)
    assert ceremony.signs() == 3
    assert (ceremony.refusal(), ceremony.refused_role()) == ("TOKEN-ATTRIBUTES", "root")
    assert ceremony.spy.signatures == 0
    monkeypatch.undo()
    ceremony.spy.fail("")
    assert ceremony.signs() == 0


def exchanged(ceremony: Ceremony) -> None:
    """Another key of the same label, made beside the tool: as good as ours, but not the metadata's."""
    who = ["--token", ceremony.house.uri("root-a"), "--label", "root-a"]
    ceremony.house.take_stock("release", destroyed=ceremony.house.key("root-a").spki_sha256)
    words = last_words(ceremony.house.key("root-a").spki_sha256)
    destroy = ["key", "destroy", "--home", ceremony.house.home("release"), *who]
    assert ceremony.house.sign(*destroy, last_four_words=words) == 0
    make_key("root-a", {}, PIN, "root-a")


def exchanged_by_vote(ceremony: Ceremony) -> None:
    """And the operators voted for it; root has never heard of it."""
    exchanged(ceremony)
    record = ceremony.house.path / "other.key.json"
    who = ["--token", ceremony.house.uri("root-a"), "--label", "root-a", "--purpose", "root"]
    said = ["--environment", "staging", "--custodian", "carol", "--out", record]
    assert ceremony.house.sign("key", "enrol", *who, *said) == 0
    (ceremony.house.path / "root-z.key.json").write_bytes(record.read_bytes())
    ceremony.house.take_stock("release", "root-z")


def beside(ceremony: Ceremony) -> None:
    del ceremony
    make_key("stranger", {}, PIN, "root-a")


def doubled(ceremony: Ceremony) -> None:
    del ceremony
    make_key("root-a", {}, PIN, "root-a")


def weakened(ceremony: Ceremony) -> None:
    """Beside ours lies one that could be read out."""
    del ceremony
    make_key("odd", {Attribute.EXTRACTABLE: True}, PIN, "root-a")


DRIFTS: dict[str, tuple[Callable[[Ceremony], None], str]] = {
    "an exchanged key": (exchanged, "INVENTORY"),
    "an exchanged key that the inventory lists": (exchanged_by_vote, "KEY-OF-ROLE"),
    "a key beside ours": (beside, "INVENTORY"),
    "two keys of one label": (doubled, "MisuseError"),
    "a key with other attributes": (weakened, "INVENTORY"),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_a_token_that_is_not_as_it_was_signs_nothing(ceremony: Ceremony, name: str) -> None:
    drift, rule = DRIFTS[name]
    drift(ceremony)
    assert ceremony.signs() in {2, 3}
    assert ceremony.refusal() == rule
    assert ceremony.spy.signatures == 0
    assert EntryType.SIGN_INTENT not in ceremony.log
    assert not ceremony.response("root-a").exists()


@pytest.mark.parametrize("name", [name for name in DRIFTS if "inventory lists" not in name])
def test_the_audit_finds_it_too(ceremony: Ceremony, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    DRIFTS[name][0](ceremony)
    audit = ["key", "audit", "--home", ceremony.house.home("release"), "--token", ceremony.uri("root-a")]
    assert ceremony.house.sign(*audit) in {2, 3}
    assert capsys.readouterr().err.startswith("error: ")
    assert ceremony.spy.signatures == 0


@pytest.mark.parametrize(
    ("answers", "status", "kind"),
    [({"PIN": "000000"}, 2, "WrongPinError"), ({"last_four_words": "yes"}, 3, "CONFIRM-WORDS")],
)
def test_a_person_who_errs_signs_nothing(ceremony: Ceremony, answers: dict[str, str], status: int, kind: str) -> None:
    assert ceremony.signs(**answers) == status
    assert (ceremony.refusal(), ceremony.spy.signatures) == (kind, 0)


def test_the_key_of_another_custodian_is_not_on_this_token(ceremony: Ceremony) -> None:
    assert ceremony.signs(label="root-b") == 2
    assert (ceremony.refusal(), ceremony.spy.signatures) == ("MisuseError", 0)


@pytest.mark.parametrize("fault", ["crash", "corrupt"])
def test_an_approval_and_a_vote_that_fail_are_none(ceremony: Ceremony, fault: str) -> None:
    ceremony.spy.fail(fault)
    out = ceremony.house.path / "failed.dsse.json"
    who = ceremony.house.voter(ceremony.request, "alice")
    who[who.index(ceremony.house.uri("alice"))] = ceremony.uri("alice")
    words = {"last_four_words": last_words(read(ceremony.request).digest)}
    assert ceremony.house.sign("approve", ceremony.request, *who, "--out", out, **words) in {2, 3}
    assert not out.exists()
    assert ceremony.spy.signatures == (1 if fault == "corrupt" else 0)
