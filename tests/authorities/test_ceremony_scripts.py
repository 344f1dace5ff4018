"""Every script that is shipped: it breaks no rule, and it is played to its end on real tokens."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.ceremonies import DEATHS, Ceremony, PowerCut, cut_power, shipped
from enigm_testkit.copies import SPARE_PIN, Vault
from enigm_testkit.house import PIN, House, copy_house, key_files, operators_toml, repository_toml
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.requests import policy_toml
from enigm_testkit.softhsm import MODULE, make_token
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.ceremony.checking import check
from enigm_tuf.authorities.ceremony.shipped import Filling, body_of, marks_in, tokens_of, write_shipped
from enigm_tuf.authorities.cli.ceremony_options import CONFIGURES
from enigm_tuf.authorities.home import Home
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.ceremony import CEREMONY_TYPES, CeremonyToken, CeremonyType, read_script

HOME = Home(Path("release"), "release", "staging", policy_toml("release").encode())


def filling(kind: CeremonyType, **changes: str) -> Filling:
    texts = {name: "a" * 64 if name == "revoked" else name for name in marks_in(kind)}
    texts |= {"class": "non-extractable"} if "class" in texts else {}
    fresh = kind in ("hsm-init", "rehearsal")
    tokens = {
        name: CeremonyToken(f"pkcs11:token={name}?module-path=m.so", None if fresh and name == "token" else name)
        for name in tokens_of(kind)
    }
    return Filling(texts | changes, tokens)


# --- all of them, on paper ---


@pytest.mark.parametrize("kind", CEREMONY_TYPES)
def test_every_shipped_script_breaks_no_rule(kind: CeremonyType) -> None:
    script = read_script(write_shipped(kind, HOME, filling(kind)).encode(), kind)
    if kind == "manifest-key-enrol":  # it makes a card ready, which has its serial before
        script.tokens["token"] = CeremonyToken("piv:serial=1", "1")
    assert check(script, CONFIGURES) == ()
    assert script.type == kind
    assert [step.action for step in script.steps][:2] == ["compare-time", "compare-policy"]


@pytest.mark.parametrize("kind", CEREMONY_TYPES)
def test_bags_and_image_are_compared_first(kind: CeremonyType) -> None:
    plain = filling(kind)
    bagged = {name: CeremonyToken(token.uri, token.serial, f"B-{name}") for name, token in plain.tokens.items()}
    text = write_shipped(kind, HOME, Filling(plain.texts, bagged, "1" * 64))
    steps = read_script(text.encode(), kind).steps
    assert [step.id for step in steps][: len(bagged) + 1] == ["image", *(f"bag-{name}" for name in bagged)]


@pytest.mark.parametrize("text", ['"', 'x"\n[tokens.evil]', "\\", "<<name>>", "{home}", ""])
def test_what_is_filled_in_stays_one_text(text: str) -> None:
    with pytest.raises(MisuseError, match="--set name: one line without"):
        write_shipped("routine-sign", HOME, filling("routine-sign", name=text))


def test_what_is_missing_or_too_much_is_named(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["ceremony", "new", "routine-sign", "--home", house.home("release"), "--out", house.path / "s.toml"]
    assert house.sign(*arguments) == 2
    assert "--token: token must be given" in capsys.readouterr().err
    token = ["--token", f"token={house.uri('root-a')}"]
    assert house.sign(*arguments, *token) == 2
    assert "--set: approval-a, approval-b, label, name, request must be given" in capsys.readouterr().err
    assert house.sign(*arguments, *token, "--token", f"more={house.uri('root-b')}") == 2
    assert house.sign(*arguments, *token, "--bag", "other=1") == 2
    assert not (house.path / "s.toml").exists()


def test_every_shipped_script_says_why_it_is_there() -> None:
    assert all(re.match(r"# [A-Z].*\.\n# `enigm-sign ceremony new ", body_of(kind)) for kind in CEREMONY_TYPES)


# --- each of them, played ---


def uri(token: str) -> str:
    return f"pkcs11:token={token}?module-path={MODULE}"


def plays(ceremony: Ceremony, verb: str = "run") -> None:
    """To its end, without a deviation, and verified."""
    assert ceremony.play(verb) == 0
    assert ceremony.verify(*(["--rehearsal"] if verb == "rehearse" else [])) == 0
    told = " ".join(ceremony.told())
    assert "failed" not in told
    assert "deviation" not in told


def plays_although(ceremony: Ceremony, cut: str, patch: pytest.MonkeyPatch, verb: str = "run") -> None:
    """The power goes after the action of the step ``cut``; then its witness is not there, then a PIN is wrong."""
    with patch.context() as cutting:
        DEATHS["after the action"](cutting.setattr, cut, cut_power)
        with pytest.raises(PowerCut):
            ceremony.play(verb)
    step = next(step for step in read_script(ceremony.file.read_bytes(), "script").steps if step.id == cut)
    if step.on_failure.what != "abort":
        ceremony.deviations = {f"before {cut}": ["went home"]}
        assert ceremony.play(verb) == (2 if step.on_failure.what == "resume" else 0)
    ceremony.deviations = {"PIN of": ["000000"]}
    statuses = [ceremony.play(verb) for _ in range(3)]
    assert statuses[-1] == 0
    assert ceremony.verify(*(["--rehearsal"] if verb == "rehearse" else [])) == 0
    told = ceremony.told()
    assert f"step.done {cut} performed" not in told
    ends = [line for line in told if line.startswith("step.done")]
    assert len(ends) == len(set(ends)) == len(read_script(ceremony.file.read_bytes(), "script").steps)


def voters(house: House) -> dict[str, str]:
    """The tokens of those who vote for an inventory."""
    return {f"approver-{letter}": house.uri(who) for letter, who in (("a", "alice"), ("b", "bob"))}


def votes(house: House) -> dict[str, object]:
    """What the scripts with an inventory leave open about them."""
    return {
        "approver_a": "alice",
        "approver_a_label": house.label("alice"),
        "approver_b": "bob",
        "approver_b_label": house.label("bob"),
    }


def approvals(house: House, request: Path) -> dict[str, object]:
    _, first, _, second = house.votes(request)
    return {"request": request, "approval_a": first, "approval_b": second}


def hsm_init(house: House) -> Ceremony:
    ceremony = shipped(house, "release", "hsm-init", {"token": uri("fresh")}, {"name": "fresh"}, "A-1")
    ceremony.people = ("officer=alice", "custodian=bob")
    return ceremony


def keygen(house: House, purpose: str) -> Ceremony:
    make_token("new", PIN)
    more = {"class": "non-extractable"} if purpose == "payload" else {}
    about = {"name": house.path / "new", "label": "new", "custodian": "judy", **votes(house), **more}
    return shipped(house, "release", f"{purpose}-keygen", {"token": uri("new"), **voters(house)}, about, "A-7")


def card_enrol(house: House) -> Ceremony:
    """On a virtual PIV card, fresh from the factory."""
    maker = AttestationCa()
    (house.path / "card.pem").write_bytes(maker.root_pem)
    house.cards = {"card": VirtualPivCard(7_000_009, attestation_ca=maker)}
    about: dict[str, object] = {"name": house.path / "card", "label": "9c", "custodian": "judy"}
    about |= {"attestation_root": house.path / "card.pem", **votes(house)}
    return shipped(house, "manifest", "manifest-key-enrol", {"token": "piv:serial=7000009", **voters(house)}, about)


def routine(house: House) -> Ceremony:
    about = {"name": house.path / "r", "label": "root-a", **approvals(house, house.request("root-1"))}
    return shipped(house, "release", "routine-sign", {"token": house.uri("root-a")}, about, "A-1")


def emergency(house: House) -> Ceremony:
    """Of the first root, for which two approvals are enough. The release of an emergency: test_sign_in_an_emergency."""
    tokens = {"token-a": house.uri("root-a"), "token-b": house.uri("root-b")}
    about = {"label_a": "root-a", "label_b": "root-b", "name": house.path / "emergency"}
    about |= approvals(house, house.request("root-1"))
    return shipped(house, "release", "emergency", tokens, about | {"approval_c": about["approval_b"]})


def rehearsal(house: House) -> Ceremony:
    about = {"name": house.path / "drill", "label": "drill", "custodian": "judy", **votes(house)}
    return shipped(house, "release", "rehearsal", {"token": uri("drill"), **voters(house)}, about)


def operator_change(house: House) -> Ceremony:
    """Rob, who asks, is suspended."""
    listed = house.path / "next.operators.toml"
    listed.write_text(operators_toml("release", rob="suspended"))
    about = {"name": house.path / "next", "list": listed, **votes(house)}
    return shipped(house, "release", "operator-change", voters(house), about)


def restore(stocked: Vault) -> Ceremony:
    house = stocked.house
    about = {"name": house.path / "drill", "backup": stocked.file("first.backup.json"), "witness": "grace"}
    ceremony = shipped(house, "release", "restore-test", {"spare": uri("spare")}, about)
    ceremony.secrets |= {"PIN of token spare": SPARE_PIN}
    return ceremony


def backup(vault: Vault) -> Ceremony:
    house = vault.house
    about = {"name": house.path / "copy", "label": "payload-a", "wrapping": "kek", **votes(house)}
    tokens = {"token": house.uri("payload-a"), "spare": uri("spare"), **voters(house)}
    ceremony = shipped(house, "release", "backup", tokens, about)
    ceremony.secrets |= {"PIN of token spare": SPARE_PIN}
    return ceremony


def test_hsm_init(house: House) -> None:
    plays(hsm_init(house))
    assert house.sign("key", "generate", "--token", uri("fresh"), "--label", "root") == 0


@pytest.mark.parametrize("purpose", ["root", "payload"])
def test_keygen(house: House, purpose: str) -> None:
    plays(keygen(house, purpose))
    audit = ["key", "audit", "--home", house.home("release"), "--token", uri("new")]
    assert house.sign(*audit) == 0, "the key is in the inventory"


def test_manifest_key_enrol_on_a_card(house: House) -> None:
    plays(card_enrol(house))
    audit = ["key", "audit", "--home", house.home("manifest"), "--token", "piv:serial=7000009"]
    assert house.sign(*audit) == 0, "the key is in the inventory"


def test_routine_sign(house: House) -> None:
    plays(routine(house))
    assert (house.path / "r.enigmresp").exists()


def test_two_custodians_sign_a_root(house: House) -> None:
    plays(emergency(house))
    house.publish("root-1", *(house.path / f"emergency.{letter}.enigmresp" for letter in "ab"))


def test_operator_change(house: House) -> None:
    plays(operator_change(house))
    log = read_log(house.home("release") / "audit.log")
    assert [entry.body["version"] for entry in log if entry.type == EntryType.OPERATORS_CHANGED] == [1, 2]


def test_restore_test(stocked: Vault) -> None:
    plays(restore(stocked))
    assert len(stocked.entries(EntryType.RESTORE_PROVED)) == 2


def test_rehearsal(house: House) -> None:
    plays(rehearsal(house), "rehearse")


@pytest.mark.slow
def test_backup(vault: Vault) -> None:
    plays(backup(vault))
    assert len(vault.entries(EntryType.RESTORE_PROVED)) == 1


@pytest.fixture(scope="module")
def rotating(rooted_house: House, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Root 2, in which root-d takes the place of root-c, waits for its owner; the manifest authority has consented."""
    house = copy_house(rooted_house, tmp_path_factory.mktemp("rotating") / "house")
    make_token("root-d", PIN)
    who = ["--token", uri("root-d"), "--label", "root-d"]
    assert house.sign("key", "generate", *who) == 0
    enrolment = ["--purpose", "root", "--environment", "staging", "--custodian", "judy"]
    assert house.sign("key", "enrol", *who, *enrolment, "--out", house.path / "root-d.key.json") == 0
    house.take_stock("release", "root-d")
    configuration = house.path / "next.toml"
    configuration.write_text(repository_toml(house, root_keys=key_files("root-a", "root-b", "root-d")))
    house.repo("root", "prepare", "--config", configuration)
    house.signed_by(house.request("root-2", "manifest"), "manifest-a")
    return house


def with_consent(house: House, kind: str, texts: dict[str, object], tokens: dict[str, str]) -> Ceremony:
    consent = house.response(house.request("root-2", "manifest"), "manifest-a")
    signing = {"token-a": house.uri("root-a"), "token-b": house.uri("root-b")}
    labels = {"label_a": "root-a", "label_b": "root-b", "name": house.path / kind, "consent": consent}
    about = labels | approvals(house, house.request("root-2")) | texts
    return shipped(house, "release", kind, signing | tokens, about)


def revocation(house: House) -> Ceremony:
    """A root without root-c, then it is given up in the inventory and destroyed."""
    revoked = {"revoked": house.key("root-c").spki_sha256, "revoked_label": "root-c"}
    tokens = {"revoked": house.uri("root-c"), **voters(house)}
    return with_consent(house, "revoke", revoked | votes(house), tokens)


@pytest.mark.slow
def test_root_rotate(rotating: House, tmp_path: Path) -> None:
    plays(with_consent(copy_house(rotating, tmp_path / "house"), "root-rotate", {}, {}))


@pytest.mark.slow
def test_revoke(rotating: House, tmp_path: Path) -> None:
    house = copy_house(rotating, tmp_path / "house")
    plays(revocation(house))
    log = read_log(house.home("release") / "audit.log")
    assert [entry.type for entry in log].count(EntryType.KEY_DESTROYED) == 1


# --- each of them, with people who are not there, a wrong PIN, and the power cut in the middle ---


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "cut"),
    [
        (hsm_init, "init"),
        (lambda house: keygen(house, "root"), "generate"),
        (lambda house: keygen(house, "payload"), "adopt"),
        (card_enrol, "enrol"),
        (card_enrol, "init"),
        (routine, "sign"),
        (operator_change, "adopt"),
        (emergency, "sign-a"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_disturbed_ceremony_comes_to_its_end_and_does_nothing_twice(
    house: House, build: Callable[[House], Ceremony], cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays_although(build(house), cut, monkeypatch)
    log = read_log(house.home("release") / "audit.log")
    made = [(entry.body["key"], entry.body["role"]) for entry in log if entry.type == EntryType.SIGN_PERFORMED]
    assert len(made) == len(set(made))


@pytest.mark.slow
def test_a_disturbed_rehearsal(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    plays_although(rehearsal(house), "vote-b", monkeypatch, "rehearse")


@pytest.mark.slow
def test_a_disturbed_backup(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    plays_although(backup(vault), "backup", monkeypatch)
    assert len(vault.entries(EntryType.BACKUP_MADE)) == 1


@pytest.mark.slow
def test_a_disturbed_drill(stocked: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    plays_although(restore(stocked), "restore-test", monkeypatch)
    assert len(stocked.entries(EntryType.RESTORE_PROVED)) == 2


@pytest.mark.slow
def test_a_disturbed_rotation(rotating: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = copy_house(rotating, tmp_path / "house")
    plays_although(with_consent(house, "root-rotate", {}, {}), "sign-a", monkeypatch)


@pytest.mark.slow
def test_a_disturbed_revocation(rotating: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = copy_house(rotating, tmp_path / "house")
    plays_although(revocation(house), "destroy", monkeypatch)
    log = read_log(house.home("release") / "audit.log")
    assert [entry.type for entry in log].count(EntryType.KEY_DESTROYED) == 1
