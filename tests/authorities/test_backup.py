"""Backup of a payload key on real SoftHSM: wrapping key, backup, restore proof, recovery; and what refuses each."""

import base64
import json
from datetime import timedelta
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass
from tuf.api.metadata import MetaFile, Timestamp

from enigm_testkit.audit_logs import log_state, restore
from enigm_testkit.authorities import NOW
from enigm_testkit.copies import SPARE_PIN, Vault, lax_wrapping
from enigm_testkit.house import PIN, read
from enigm_testkit.softhsm import MODULE
from enigm_testkit.spy_module import SpyModule
from enigm_tuf.audit.log import EntryType
from enigm_tuf.authorities.backup.proofs import signing_key
from enigm_tuf.authorities.tokens.hsm.backup_token import BackupToken
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Token, TokenName
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.backup import Backup, read_restore_proof, write_backup
from enigm_tuf.model.inventory import InventoryKey
from enigm_tuf.model.keys import read_key_record, record_key
from enigm_tuf.model.public_keys import spki_of
from enigm_tuf.model.request import read_response
from enigm_tuf.model.root_extension import KeyInfo
from enigm_tuf.model.strict_json import canonical, sha256
from enigm_tuf.model.value import replace
from enigm_tuf.model.words import last_words
from enigm_tuf.trust.signable import backup_made, restore_proved


def on(token: str) -> list[tuple[str, str]]:
    """What lies on a token, for its user."""
    pin = SPARE_PIN if token == "spare" else PIN
    with pkcs11.lib(MODULE).get_token(token_label=token).open(user_pin=pin) as session:
        found = [(str(item[Attribute.CLASS]), item[Attribute.LABEL]) for item in session.get_objects()]
    return sorted(found)


KEK = (str(ObjectClass.SECRET_KEY), "kek")

# --- the wrapping key ---


@pytest.mark.rule("TOKEN-WRAPPING", "accept")
def test_two_officers_make_a_wrapping_key_that_neither_token_gives_away(vault: Vault) -> None:
    assert vault.make_wrapping() == 0
    key = vault.wrapping()
    for place, other in zip(key.places, ("unwrap", "wrap"), strict=True):
        said = {name: item.flag for name, item in place.attributes.items()}
        assert (said[place.use], said[other]) == (True, False)
        assert [said[name] for name in ("trusted", "never_extractable", "sensitive")] == [True] * 3
        assert [said[name] for name in ("extractable", "decrypt", "encrypt", "derive")] == [False] * 4
    assert on("spare") == [KEK]
    (logged,) = vault.entries(EntryType.WRAPPING_MADE)
    assert (logged.body["id"], logged.body["unwraps_on"]) == (key.id, key.place("unwrap").token.serial)


def test_an_agreed_key_is_the_same_on_both_and_another_each_time(vault: Vault) -> None:
    assert vault.make_wrapping("kek") == vault.make_wrapping("kek-2") == 0
    values = [
        {place.attributes["check_value"].text for place in vault.wrapping(name).places} for name in ("kek", "kek-2")
    ]
    assert [len(value) for value in values] == [1, 1]
    assert values[0] != values[1]


@pytest.mark.rule("BACKUP-SPARE", "reject")
def test_a_token_is_no_spare_of_itself(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    assert vault.make_wrapping(spare="payload-a") == 3
    assert "error: BACKUP-SPARE" in capsys.readouterr().err


@pytest.mark.parametrize("pin", ["so-wrong", PIN])
def test_without_the_officers_pin_there_is_no_wrapping_key(
    vault: Vault, pin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vault.make_wrapping(SO_PIN=pin) == 2
    assert "error: token payload-a, SO PIN: wrong PIN" in capsys.readouterr().err
    assert on("spare") == []
    assert not vault.file("kek.wrapping.json").exists()


def test_a_name_that_is_taken_on_the_spare_leaves_nothing_on_the_token(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vault.make_wrapping() == 0
    vault.file("kek.wrapping.json").unlink()
    assert vault.make_wrapping(on="payload-b") == 2
    assert "spare has an object kek already" in capsys.readouterr().err
    assert KEK not in on("payload-b")


def test_a_wrapping_key_is_destroyed_when_the_inventory_gives_it_up(
    stocked: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stocked.destroy_wrapping("kek", "spare") == 3
    assert "error: WRAPPING-KEY" in capsys.readouterr().err
    stocked.adopt("--no-wrapping", stocked.wrapping().id)
    assert stocked.destroy_wrapping("kek", "spare", SO_PIN="so-wrong") == 2
    assert stocked.destroy_wrapping("kek", "spare") == 0
    assert on("spare") == []
    assert [entry.body["id"] for entry in stocked.entries(EntryType.WRAPPING_DESTROYED)] == [stocked.wrapping().id]


# --- the key, and of which keys there are copies ---


@pytest.mark.rule("KEY-CLASS", "accept")
def test_a_payload_key_may_have_copies_and_root_says_so(vault: Vault) -> None:
    record = vault.house.key("payload-a")
    assert record.key_class == "wrapped-backup"
    assert (record.attributes["extractable"].flag, record.attributes["wrap_with_trusted"].flag) == (True, True)
    root = json.loads((vault.home / "root" / "1.root.json").read_bytes())
    said = {item["spki_sha256"]: item.get("key_class") for item in root["signed"]["x-enigm-tuf"]["keyinfo"].values()}
    assert said[record.spki_sha256] == "wrapped-backup"
    assert list(said.values()).count("wrapped-backup") == 1


@pytest.mark.rule("KEY-CLASS", "reject")
@pytest.mark.parametrize("purpose", ["root", "manifest", "timestamp", "approval"])
def test_no_other_key_may(vault: Vault, purpose: str, capsys: pytest.CaptureFixture[str]) -> None:
    who = ["--token", vault.house.uri("payload-a"), "--label", "payload-a"]
    said = ["--purpose", purpose, "--environment", "staging", "--custodian", "frank", "--class", "wrapped-backup"]
    assert vault.house.sign("key", "enrol", *who, *said, "--out", vault.file("odd.key.json")) == 3
    assert f"error: KEY-CLASS: key payload-a: expected a {purpose} key that never leaves" in capsys.readouterr().err
    assert not vault.file("odd.key.json").exists()


@pytest.mark.parametrize(("token", "said"), [("payload-a", ()), ("payload-b", ("--class", "wrapped-backup"))])
def test_the_class_that_is_said_is_the_class_that_the_token_shows(
    vault: Vault, token: str, said: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    who = ["--token", vault.house.uri(token), "--label", token, "--purpose", "payload", *said]
    rest = ["--environment", "staging", "--custodian", "frank", "--out", vault.file("odd.key.json")]
    assert vault.house.sign("key", "enrol", *who, *rest) == 3
    assert "error: KEY-CLASS: key" in capsys.readouterr().err


def test_a_card_has_no_such_keys(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    who = ["--token", "piv:serial=1", "--label", "9c", "--class", "wrapped-backup"]
    assert vault.house.sign("key", "generate", *who) == 2
    assert "keys with wrapped copies live behind PKCS#11" in capsys.readouterr().err


def test_an_inventory_with_a_changed_class_is_not_adopted(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(vault.file("payload-b.key.json").read_bytes())
    record["key_class"] = "wrapped-backup"
    inventory = json.loads(vault.file("release.inventory.1.json").read_bytes())
    inventory["keys"] = [item for item in inventory["keys"] if item["record"]["label"] != "payload-b"]
    inventory["keys"].append({"schema": 1, "record": record, "status": "active"} | {})
    inventory |= {"version": 2, "previous": sha256(vault.file("release.inventory.1.json").read_bytes())}
    inventory["keys"][-1].pop("schema")
    proposal = vault.file("release.inventory.2.json")
    proposal.write_text(json.dumps(inventory))
    votes = [vault.house.inventory_vote(proposal, "release", who) for who in ("alice", "bob")]
    ballots = [part for vote in votes for part in ("--vote", vote)]
    assert vault.house.sign("inventory", "adopt", proposal, "--home", vault.home, *ballots) == 3
    assert "error: KEY-CLASS: key payload-b" in capsys.readouterr().err


# --- the backup ---


@pytest.mark.rule("WRAPPING-KEY", "accept")
@pytest.mark.rule("BACKUP-STATEMENT", "accept")
@pytest.mark.rule("BACKUP-SPARE", "accept")
def test_a_backup_says_what_it_is_signed_by_the_key_and_comes_back_on_the_spare(stocked: Vault) -> None:
    record, backup = stocked.house.key("payload-a"), stocked.backup()
    statement, spki = backup.statement, spki_of(record_key(record))
    assert (statement.key, statement.custodian, statement.token) == (record.spki_sha256, "frank", record.token)
    assert (statement.wrapping_key, statement.mechanism) == (stocked.wrapping().id, "AES_KEY_WRAP_PAD")
    require_valid(spki, bytes.fromhex(backup.signature), backup_made(statement).data, "backup")
    (logged,) = stocked.entries(EntryType.BACKUP_MADE)
    assert logged.body["blob_sha256"] == sha256(backup.blob_bytes) == statement.blob_sha256
    proof = read_restore_proof(stocked.file("proof.json").read_bytes(), "proof")
    require_valid(spki, bytes.fromhex(proof.signature), restore_proved(proof.statement).data, "proof")
    (proved,) = stocked.entries(EntryType.RESTORE_PROVED)
    assert (proved.body["nonce"], proved.body["witness"]) == (proof.statement.nonce, "grace")
    assert proof.statement.token.serial == stocked.wrapping().place("unwrap").token.serial
    assert on("spare") == [KEK]  # the key did not stay


def test_no_backup_of_a_key_that_never_leaves_its_token(stocked: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    assert stocked.back_up("no", "payload-b") == 3
    assert "error: KEY-CLASS: key payload-b of grace: expected wrapped-backup" in capsys.readouterr().err
    assert not stocked.file("no.backup.json").exists()


@pytest.mark.rule("WRAPPING-KEY", "reject")
def test_no_backup_under_a_wrapping_key_that_nobody_voted_for(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    assert vault.back_up() == 3
    assert "error: WRAPPING-KEY" in capsys.readouterr().err
    assert vault.make_wrapping() == 0
    assert vault.back_up() == 3
    assert "error: INVENTORY: token payload-a, unexpected secret-key kek" in capsys.readouterr().err
    assert not vault.entries(EntryType.BACKUP_MADE)


def test_with_two_wrapping_keys_one_must_be_named(stocked: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    assert stocked.make_wrapping("kek-2", spare="other") == 0
    stocked.list_wrapping("kek-2")
    assert stocked.back_up("second") == 2
    assert "which wrapping key?" in capsys.readouterr().err
    assert stocked.back_up("second", "payload-a", "--wrapping", "kek-2") == 0
    assert stocked.prove("second", spare="other") == 0
    assert stocked.prove("second") == 3
    assert "error: WRAPPING-KEY" in capsys.readouterr().err


def test_a_wrapping_key_that_was_exchanged_is_a_drift(stocked: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    """An officer alone makes another one of the same name; its check value is not the inventory's."""
    with pkcs11.lib(MODULE).get_token(token_label="spare").open(rw=True, so_pin="so-12345678") as session:
        (old,) = session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY})
        identifier = old[Attribute.ID]
        old.destroy()
        session.generate_key(
            pkcs11.KeyType.AES, 256, id=identifier, label="kek", store=True, template={Attribute.PRIVATE: False}
        )
    assert stocked.prove() == 3
    assert "error: INVENTORY: token spare, changed allowed_mechanisms of wrapping key kek" in capsys.readouterr().err


# --- the restore proof ---


def change(vault: Vault, part: str, **fields: object) -> None:
    """The backup with other fields in its statement, or in itself."""
    path = vault.file("first.backup.json")
    document = json.loads(path.read_bytes())
    (document["statement"] if part == "statement" else document).update(fields)
    path.write_text(json.dumps(document))


@pytest.mark.rule("BACKUP-STATEMENT", "reject")
@pytest.mark.parametrize(
    "changed", [{"custodian": "mallory"}, {"key": "0" * 64}, {"authority": "manifest"}, {"environment": "production"}]
)
def test_a_backup_that_says_one_thing_otherwise_is_refused(
    stocked: Vault, changed: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    change(stocked, "statement", **changed)
    assert stocked.prove() == 3
    assert "error: BACKUP-STATEMENT" in capsys.readouterr().err


def test_a_blob_with_one_other_bit_is_refused(stocked: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    blob = bytearray(stocked.backup().blob_bytes)
    blob[-1] ^= 1
    change(stocked, "", blob=base64.b64encode(blob).decode())
    assert stocked.prove() == 2
    assert "blob: must have SHA-256" in capsys.readouterr().err


def test_a_backup_of_a_key_that_was_given_up_stays_closed(stocked: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    stocked.adopt("--destroyed", stocked.house.key("payload-a").spki_sha256)
    assert stocked.prove() == 3
    assert "BACKUP-STATEMENT" in (error := capsys.readouterr().err)
    assert "got destroyed" in error


def test_a_token_that_would_give_the_key_in_the_clear_is_no_spare(
    stocked: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its wrapping key was made by a module that ignores CKA_UNWRAP_TEMPLATE."""
    lax_wrapping(stocked.file("lax.wrapping.json"), "payload-a", "other")
    stocked.list_wrapping("lax")
    assert stocked.back_up("lax", "payload-a", "--wrapping", "lax") == 0
    assert stocked.prove("lax", spare="other") == 3
    assert "error: TOKEN-WRAPPING: token other" in capsys.readouterr().err
    (failed,) = stocked.entries(EntryType.RESTORE_FAILED)
    assert failed.body["rule"] == "TOKEN-WRAPPING"
    assert on("other") == [(str(ObjectClass.SECRET_KEY), "lax")]


def forge(vault: Vault, label: str, wrapping: str, **changed: str) -> None:
    """A backup whose statement payload-a signed, beside the tool, although its blob is not what that says."""
    token = BackupToken(TokenName(MODULE, {"label": "payload-a"}))
    with token.backup_session(lambda _: PIN) as session:
        if label == "decoy":
            session.generate(label, "ecdsa-p256", "wrapped-backup")
        wrapped = session.wrap(label, vault.wrapping(wrapping).id, "AES_KEY_WRAP_PAD")
        statement = replace(vault.backup().statement, blob_sha256=sha256(wrapped.blob), **changed)
        signature = session.sign("payload-a", backup_made(statement)).hex()
    backup = Backup(statement, base64.b64encode(wrapped.blob).decode(), signature)
    vault.file("forged.backup.json").write_bytes(write_backup(backup))


def test_another_key_in_a_backup_is_found_and_does_not_stay(stocked: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    forge(stocked, "decoy", "kek")
    assert stocked.prove("forged") == 3
    assert "error: SIGNATURE-SELF-CHECK: spare, restored key" in capsys.readouterr().err
    (failed,) = stocked.entries(EntryType.RESTORE_FAILED)
    assert (failed.body["rule"], failed.body["witness"]) == ("SIGNATURE-SELF-CHECK", "grace")
    assert on("spare") == [KEK]


def test_a_backup_that_was_wrapped_under_another_key_does_not_open(
    stocked: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stocked.make_wrapping("kek-2", spare="other") == 0
    forge(stocked, "payload-a", "kek-2")
    assert stocked.prove("forged") == 2
    assert "error: token spare does not unwrap this backup (GeneralError)" in capsys.readouterr().err
    assert [entry.body["rule"] for entry in stocked.entries(EntryType.RESTORE_FAILED)] == ["TokenError"]
    assert len(stocked.entries(EntryType.RESTORE_PROVED)) == 1


def test_a_wrong_pin_proves_nothing(stocked: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    assert stocked.prove(PIN="000000") == 2
    assert "token spare: wrong PIN" in capsys.readouterr().err
    assert len(stocked.entries(EntryType.RESTORE_PROVED)) == 1
    assert not stocked.file("proof.json").exists()


# --- the module fails ---


@pytest.fixture
def spied(stocked: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Vault, SpyModule]:
    """The tokens of the vault behind a module that counts; one that hangs has three seconds."""
    monkeypatch.setattr(Pkcs11Token.__init__, "__defaults__", (3,))
    spy = SpyModule(tmp_path / "spy")
    monkeypatch.setattr("enigm_testkit.house.MODULE", str(spy.module))
    return stocked, spy


FAULTS = {
    "crash": (2, "ModuleCrashedError", 0),
    "crash after": (2, "ModuleCrashedError", 1),
    "hang": (2, "ModuleTimeoutError", 0),
    "corrupt": (3, "SIGNATURE-SELF-CHECK", 1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_backup_whose_statement_is_not_signed_is_none(spied: tuple[Vault, SpyModule], fault: str) -> None:
    (vault, spy), (status, _, made) = spied, FAULTS[fault]
    spy.fail(fault)
    assert vault.back_up("second") == status
    assert spy.signatures == made
    assert not vault.file("second.backup.json").exists()
    assert len(vault.entries(EntryType.BACKUP_MADE)) == 1
    spy.fail("")
    assert vault.back_up("second") == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_drill_that_fails_is_logged_and_leaves_nothing_on_the_spare(
    spied: tuple[Vault, SpyModule], fault: str
) -> None:
    (vault, spy), (status, rule, made) = spied, FAULTS[fault]
    spy.fail(fault)
    assert vault.prove() == status
    assert spy.signatures == made
    assert [entry.body["rule"] for entry in vault.entries(EntryType.RESTORE_FAILED)] == [rule]
    assert len(vault.entries(EntryType.RESTORE_PROVED)) == 1
    assert not vault.file("proof.json").exists()
    assert on("spare") == [KEK]
    spy.fail("")
    assert vault.prove() == 0


def test_a_restore_that_fails_leaves_no_key_and_can_be_done_again(spied: tuple[Vault, SpyModule]) -> None:
    vault, spy = spied
    spy.fail("corrupt")
    words = last_words(vault.house.key("payload-a").spki_sha256)
    assert vault.restore(last_four_words=words) == 3
    assert on("spare") == [KEK]
    assert not vault.file("payload-a.restored.key.json").exists()
    spy.fail("")
    assert vault.restore(last_four_words=words) == 0
    assert len(on("spare")) == 3


# --- who vouches does it with a key that nobody else can have ---


def test_nobody_votes_with_a_key_that_may_have_copies(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    people = json.loads(vault.file("release.operators.json").read_text())
    (alice,) = (person for person in people["operators"] if person["id"] == "alice")
    copied = json.loads(vault.file("payload-a.key.json").read_text())
    alice["approval_keys"][0]["record"] = copied | {"purpose": "approval"}
    vault.file("odd.operators.json").write_text(json.dumps(people))
    proposal = vault.file("release.inventory.1.json")
    who = ["--operator", "alice", "--token", vault.house.uri("payload-a"), "--label", "payload-a"]
    known = ["--policy", vault.file("release.policy.toml"), "--operators", vault.file("odd.operators.json")]
    options = [*known, *who, "--out", vault.file("vote")]
    words = last_words(sha256(proposal.read_bytes()))
    assert vault.house.sign("inventory", "sign", proposal, *options, last_four_words=words) == 3
    assert "error: KEY-CLASS: operator alice" in capsys.readouterr().err


def test_no_freshness_with_such_a_key_either(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signed = canonical(Timestamp(version=3, expires=NOW, snapshot_meta=MetaFile(7)).to_dict())
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(signed)))
    who = ["--token", vault.house.uri("payload-a"), "--label", "payload-a"]
    who += ["--root", str(vault.house.first_root), "--pin-file", str(vault.file("timestamp.pin"))]
    assert vault.house.sign("timestamp", *who) == 3
    assert "error: KEY-CLASS: the freshness key" in capsys.readouterr().err


def test_what_root_says_of_copies_is_what_the_inventory_says(vault: Vault) -> None:
    item = InventoryKey(vault.house.key("payload-a"), "active")
    record = item.record
    facts = (record.spki_sha256, record.home, record.token, None, record.custodian, record.environment)
    assert signing_key(item, KeyInfo(*facts, "wrapped-backup"), {}).key_class == "wrapped-backup"
    with pytest.raises(RefusedError, match="KEY-CLASS: key payload-a"):
        signing_key(item, KeyInfo(*facts), {})


# --- signing needs a proof that is young enough ---


def sign(vault: Vault, on: str = "payload-a") -> int:
    """A request that is made now, unless there is one."""
    request = vault.house.request("product-phone")
    if not request.exists():
        vault.house.repo("product", "add", "phone", "--channel", "stable")
    return vault.house.signs(request, on, vault.house.votes(request))


def test_a_key_whose_copy_was_restored_signs_and_the_answer_says_when(stocked: Vault) -> None:
    assert sign(stocked) == 0
    path = stocked.house.response(stocked.house.request("product-phone"), "payload-a")
    (rule,) = (item for item in read_response(path.read_bytes(), "")[0].rules if item.rule == "KEY-RESTORE-PROOF")
    assert "at most 90 days ago" in rule.evidence


def test_a_key_whose_copies_were_never_restored_does_not(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    assert sign(vault) == 3
    assert "error: KEY-RESTORE-PROOF" in (error := capsys.readouterr().err)
    assert "a restore proof of at most 90 days, got none" in error
    assert not vault.entries(EntryType.SIGN_INTENT)[2:]  # those of the root
    assert sign(vault, "payload-b") == 0  # this one never leaves its token


def test_a_proof_that_is_too_old_stops_it_until_the_next_drill(
    stocked: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    stocked.house.clock.time += timedelta(days=91)
    assert sign(stocked) == 3
    assert "error: KEY-RESTORE-PROOF" in capsys.readouterr().err
    assert stocked.prove() == 0
    stocked.house.response(stocked.house.request("product-phone"), "payload-a").unlink()
    assert sign(stocked) == 0


def test_what_lint_can_know_it_says(stocked: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    stocked.house.repo("product", "add", "phone", "--channel", "stable")
    capsys.readouterr()
    stocked.house.repo("request", "lint", stocked.house.request("product-phone"), "--json")
    rules = {item["rule"]: item for item in json.loads(capsys.readouterr().out)["rules"]}
    assert rules["KEY-RESTORE-PROOF"]["evidence"].startswith("1 payload keys may have copies")


# --- recovery ---


def restored(vault: Vault) -> Path:
    """The record of payload-a on the spare token."""
    assert vault.restore(last_four_words=last_words(vault.house.key("payload-a").spki_sha256)) == 0
    return vault.file("payload-a.restored.key.json")


@pytest.mark.rule("BACKUP-MOVED", "accept")
def test_the_key_of_a_lost_token_signs_on_the_spare(stocked: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    path = restored(stocked)
    record = read_key_record(path.read_bytes(), "record")
    assert (record.spki_sha256, record.custodian) == (stocked.house.key("payload-a").spki_sha256, "frank")
    assert record.attributes["local"].flag is False
    stocked.house.repo("product", "add", "phone", "--channel", "stable")
    request = stocked.house.request("product-phone")
    assert sign_on_spare(stocked, request) == 3  # nobody has voted for that
    assert "error: INVENTORY: token spare, unexpected" in capsys.readouterr().err
    stocked.adopt("--record", path)
    assert sign_on_spare(stocked, request) == 0
    (signature,) = read_response(stocked.file("spare.enigmresp").read_bytes(), "")[0].signatures
    assert signature.keyid == record.keyid


def sign_on_spare(vault: Vault, request: Path) -> int:
    out = vault.file("spare.enigmresp")
    arguments = vault.house.custodian(request, "payload-a", out, vault.house.votes(request))
    arguments[arguments.index(vault.house.uri("payload-a"))] = vault.house.uri("spare")
    return vault.house.sign(*arguments, last_four_words=last_words(read(request).digest), PIN=SPARE_PIN)


def test_when_the_old_token_turns_up_again_its_copy_is_destroyed(
    stocked: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    stocked.adopt("--record", restored(stocked))
    assert sign(stocked) == 3
    assert "error: INVENTORY: token payload-a, unexpected" in capsys.readouterr().err
    who = ["--home", stocked.home, "--token", stocked.house.uri("payload-a"), "--label", "payload-a"]
    words = last_words(stocked.house.key("payload-a").spki_sha256)
    assert stocked.house.sign("key", "destroy", *who, last_four_words=words) == 0
    assert on("payload-a") == [KEK]


@pytest.mark.rule("BACKUP-MOVED", "reject")
def test_a_key_that_turns_up_elsewhere_without_a_restore_is_not_adopted(
    stocked: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    log = stocked.home / "audit.log"
    before = log_state(log)
    path = restored(stocked)
    restore(log, before)  # this authority restored nothing
    proposal, ballots = stocked.propose("--record", path)
    assert stocked.house.sign("inventory", "adopt", proposal, "--home", stocked.home, *ballots) == 3
    assert "error: BACKUP-MOVED" in capsys.readouterr().err


def test_no_restore_without_the_words(stocked: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    assert stocked.restore(last_four_words="yes") == 3
    assert "error: CONFIRM-WORDS" in capsys.readouterr().err
    assert on("spare") == [KEK]
    assert stocked.entries(EntryType.KEY_RESTORED) == []


def test_a_restored_key_has_its_record_from_the_restore_alone(
    stocked: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    restored(stocked)
    who = ["--token", stocked.house.uri("spare"), "--label", "payload-a", "--class", "wrapped-backup"]
    said = ["--purpose", "payload", "--environment", "staging", "--custodian", "mallory"]
    out = stocked.file("odd.key.json")
    assert stocked.house.sign("key", "enrol", *who, *said, "--out", out, PIN=SPARE_PIN) == 3
    assert "error: KEY-CLASS" in (error := capsys.readouterr().err)
    assert "got restored there" in error


@pytest.mark.parametrize("place", ["payload-a", "spare"])
def test_the_token_of_the_key_and_the_spare_are_two(
    stocked: Vault, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also after the key has moved: then the spare is its token."""
    if place == "spare":
        stocked.adopt("--record", restored(stocked))
    capsys.readouterr()
    assert stocked.prove(spare=place) == 3
    assert "error: BACKUP-SPARE" in capsys.readouterr().err
