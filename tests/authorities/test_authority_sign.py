"""enigm-sign sign: what it takes to get a signature out of an authority, on real SoftHSM tokens."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.audit_logs import edit_entries, log_state, restore
from enigm_testkit.house import PIN, House, read, remake
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log, read_log
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.judging import Brought
from enigm_tuf.authorities.signing import Custodian, sign
from enigm_tuf.errors import RefusedError, TouchTimeoutError
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.request import SigningResponse, read_response
from enigm_tuf.model.value import replace
from enigm_tuf.model.words import last_words
from enigm_tuf.ports import PinCallback, Token, TokenIdentity, TokenKey, TokenObject, TokenSession
from enigm_tuf.trust.signable import Signable
from enigm_tuf.trust.threshold import signers


def logged(house: House, authority: str = "release") -> list[EntryType]:
    return [entry.type for entry in read_log(house.home(authority) / "audit.log")]


def response(house: House, request: Path, token: str) -> SigningResponse:
    path = house.response(request, token)
    return read_response(path.read_bytes(), path.name)[0]


def nothing_was_signed(house: House, request: Path, token: str) -> bool:
    unsigned = EntryType.SIGN_PERFORMED not in logged(house) and EntryType.SIGN_INTENT not in logged(house)
    path = house.response(request, token)
    return unsigned and (not path.exists() or response(house, request, token).signatures == ())


@pytest.mark.rule("LOG-CONSISTENT", "reject")
def test_a_log_put_back_behind_its_witness_signs_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Else the log that remembers the signature is taken away, and the key signs the request once more."""
    request, log = house.request("root-1"), house.home("release") / "audit.log"
    votes, before = house.votes(request), log_state(log)
    house.signed_by(request, "root-a")
    with open_log(log, house.clock) as opened:
        opened.keep_cosigned(opened.signed)
    house.response(request, "root-a").unlink()
    restore(log, before)
    assert house.signs(request, "root-a", votes) == 3
    assert "error: LOG-CONSISTENT" in capsys.readouterr().err
    assert log_state(log) == before
    assert nothing_was_signed(house, request, "root-a")


def test_two_custodians_sign_the_first_root(house: House) -> None:
    request = house.request("root-1")
    house.signed_by(request, "root-a", "root-b")
    (name, data), *_ = read(request).below("payloads").items()
    for token in ("root-a", "root-b"):
        (signature,) = response(house, request, token).signatures
        key = house.key(token)
        assert (name, signature.keyid) == ("root.1.json", key.keyid)
        pem_key = tuf_key(_der(key.key["keyval"]["public"]))
        assert signers({key.keyid: pem_key}, [key.keyid], {key.keyid: signature.signature}, data)
    assert house.sign("audit", "verify", "--home", house.home("release")) == 0


def _der(pem: str) -> bytes:
    return base64.b64decode("".join(pem.splitlines()[1:-1]))


def test_the_log_tells_the_whole_story_in_order(house: House) -> None:
    request = house.request("root-1")
    house.signed_by(request, "root-a")
    assert logged(house) == [
        EntryType.AUTHORITY_CREATED,
        EntryType.OPERATORS_CHANGED,
        EntryType.INVENTORY_CHANGED,
        EntryType.REQUEST_RECEIVED,
        *(judged := [EntryType.POLICY_EVALUATED, EntryType.APPROVAL_COUNTED, EntryType.APPROVAL_COUNTED]),
        EntryType.INVENTORY_CHECKED,
        *judged,
        EntryType.SESSION_OPEN,
        EntryType.SIGN_INTENT,
        EntryType.SIGN_PERFORMED,
        EntryType.SESSION_CLOSE,
    ]


def test_the_response_names_every_rule_and_carries_the_approvals(house: House) -> None:
    request = house.request("root-1")
    (path,) = house.signed_by(request, "root-a")
    answer, envelopes = read_response(path.read_bytes(), path.name)
    assert answer.decision == "PASSED"
    assert all(rule.passed for rule in answer.rules)
    assert len(answer.approvals) == len(envelopes) == 2
    assert answer.audit.entries == len(logged(house))


def test_the_manifest_authority_signs_three_payloads_in_one_session(rooted: House) -> None:
    request = rooted.request("product-phone", "manifest")
    rooted.signed_by(request, "manifest-a")
    roles = [signature.role for signature in response(rooted, request, "manifest-a").signatures]
    assert roles == ["phone.manifest", "snapshot", "targets"]


def test_the_next_request_follows_what_was_signed(rooted: House) -> None:
    record = "product-phone"
    answers = rooted.signed_by(rooted.request(record), "payload-a", "payload-b")
    answers += rooted.signed_by(rooted.request(record, "manifest"), "manifest-b")
    rooted.publish(record, *answers)
    rooted.repo("product", "add", "tablet", "--channel", "stable")
    rooted.signed_by(rooted.request("product-tablet", "manifest"), "manifest-a")
    snapshot = response(rooted, rooted.request("product-tablet", "manifest"), "manifest-a").signatures[0]
    assert (snapshot.role, snapshot.version) == ("snapshot", 2)


# --- what the policy says no to ---


def test_without_approvals_the_answer_is_failed_and_holds_no_signature(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    request = house.request("root-1")
    assert house.signs(request, "root-a", []) == 3
    assert "error: QUORUM-COUNT" in capsys.readouterr().err
    answer = response(house, request, "root-a")
    assert (answer.decision, answer.signatures) == ("FAILED", ())
    assert logged(house)[-1] == EntryType.SIGN_REFUSED
    assert nothing_was_signed(house, request, "root-a")


def test_no_pin_is_asked_for_a_request_that_the_policy_refuses(house: House) -> None:
    request = house.request("root-1")
    answers = {"PIN": "never typed: this would be a wrong PIN"}
    assert house.signs(request, "root-a", house.votes(request)[:2], **answers) == 3


def test_a_rejection_stops_what_two_approved(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    votes = [*house.votes(request), "--approval", house.vote(request, "bob", "reject")]
    assert house.signs(request, "root-a", votes) == 3
    assert "error: QUORUM-VETO" in capsys.readouterr().err


def test_a_custodian_who_approved_does_not_sign(house: House) -> None:
    request = house.request("root-1")
    assert house.signs(request, "root-c", house.votes(request)) == 3
    failed = {rule.rule for rule in response(house, request, "root-c").rules if not rule.passed}
    assert "QUORUM-EXCLUSION" in failed
    assert nothing_was_signed(house, request, "root-c")


def test_a_request_that_is_done_is_not_signed_again(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    house.signed_by(request, "root-a", "root-b")
    votes = ["--approval", house.path / f"alice-approve-{read(request).digest[:8]}.dsse.json"]
    assert house.signs(request, "root-c", votes) == 3
    assert "error: REQUEST-REPLAY" in capsys.readouterr().err


def test_a_request_for_the_other_authority_is_refused(rooted: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = rooted.request("product-phone", "manifest")
    words = {"last_four_words": last_words(read(request).digest)}
    arguments = rooted.custodian(request, "payload-a", rooted.path / "out.enigmresp", rooted.votes(request))
    arguments[arguments.index(rooted.home("manifest"))] = rooted.home("release")
    assert rooted.sign(*arguments, **words) == 3
    assert "error: REQUEST-SCOPE" in capsys.readouterr().err


# --- the person, the token and its key ---


@pytest.mark.rule("CONFIRM-WORDS", "accept")
def test_words_may_be_typed_with_capitals_and_more_spaces(house: House) -> None:
    request = house.request("root-1")
    words = last_words(read(request).digest).upper().replace(" ", "  ")
    assert house.signs(request, "root-a", house.votes(request), last_four_words=words) == 0


@pytest.mark.rule("CONFIRM-WORDS", "reject")
@pytest.mark.parametrize("typed", ["", "y", "yes", "babab babab babab babab"])
def test_wrong_words_sign_nothing(house: House, typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    assert house.signs(request, "root-a", house.votes(request), last_four_words=typed, PIN="not reached") == 3
    assert "error: CONFIRM-WORDS" in capsys.readouterr().err
    assert nothing_was_signed(house, request, "root-a")


def test_what_is_confirmed_is_shown_first(house: House) -> None:
    request = house.request("root-1")
    edges = house.edges(last_four_words="no")
    main([str(part) for part in house.custodian(request, "root-a", house.path / "out", house.votes(request))], edges)
    shown = "\n".join(edges.person.said)  # type: ignore[attr-defined]
    assert "root threshold none -> 2" in shown
    assert read(request).digest in shown
    assert last_words(read(request).digest).split()[0] in shown


def test_a_wrong_pin_signs_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    assert house.signs(request, "root-a", house.votes(request), PIN="9999") == 2
    assert "wrong PIN" in capsys.readouterr().err
    assert logged(house)[-1] == EntryType.SIGN_REFUSED
    assert nothing_was_signed(house, request, "root-a")
    assert house.signs(request, "root-a", house.votes(request)) == 0


def test_a_missing_token_is_one_clear_line(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    arguments = house.custodian(request, "root-a", house.path / "out", house.votes(request))
    arguments[arguments.index(house.uri("root-a"))] = house.uri("root-z")
    assert house.sign(*arguments) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len([line for line in errors if line.startswith("error:")]) == 1
    assert "root-z" in errors[0]


def test_a_missing_key_is_named_with_those_that_are_there(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    arguments = house.custodian(request, "root-a", house.path / "out", house.votes(request))
    arguments[arguments.index("root-a")] = "root-z"
    assert house.sign(*arguments, last_four_words=last_words(read(request).digest)) == 2
    assert "no key root-z; it has: root-a" in capsys.readouterr().err


@pytest.mark.rule("KEY-OF-ROLE", "accept")
def test_a_payload_key_signs_its_role(rooted: House) -> None:
    request = rooted.request("product-phone")
    assert rooted.signs(request, "payload-a", rooted.votes(request)) == 0


@pytest.mark.rule("KEY-OF-ROLE", "reject")
def test_a_key_of_another_role_does_not(rooted: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = rooted.request("product-phone")
    assert rooted.signs(request, "root-a", rooted.votes(request)) == 3
    assert "error: KEY-OF-ROLE" in capsys.readouterr().err


@pytest.mark.parametrize("token", ["manifest-a", "timestamp", "alice"])
def test_a_key_of_anybody_else_does_not_get_that_far(
    rooted: House, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    request = rooted.request("product-phone")
    assert rooted.signs(request, token, rooted.votes(request)) == 3
    assert "error: INVENTORY: " in capsys.readouterr().err


@pytest.mark.rule("SIGN-ONCE", "accept")
def test_another_key_signs_the_same_request(rooted: House) -> None:
    rooted.signed_by(rooted.request("product-phone"), "payload-a", "payload-b")


@pytest.mark.rule("SIGN-ONCE", "reject")
def test_the_same_key_does_not_sign_it_twice(rooted: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = rooted.request("product-phone")
    rooted.signed_by(request, "payload-a")
    rooted.response(request, "payload-a").unlink()
    assert rooted.signs(request, "payload-a", rooted.votes(request)) == 3
    assert "error: SIGN-ONCE" in capsys.readouterr().err


class Changed:
    """A real token of which a test changes one thing."""

    def __init__(self, token: Token, identity: TokenIdentity | None = None, touches: int = 1_000) -> None:
        self._token = token
        self._identity = identity or token.identity()
        self._touches = touches

    def identity(self) -> TokenIdentity:
        return self._identity

    @contextmanager
    def session(self, pin: PinCallback) -> Iterator[TokenSession]:
        with self._token.session(pin) as session:
            yield ChangedSession(session, self._touches)


class ChangedSession:
    """Signs as long as somebody touches it."""

    def __init__(self, session: TokenSession, touches: int) -> None:
        self._session = session
        self._touches = touches

    @property
    def identity(self) -> TokenIdentity:
        return self._session.identity

    def keys(self) -> tuple[TokenKey, ...]:
        return self._session.keys()

    def generate(self, label: str, algorithm: object) -> TokenKey:
        raise AssertionError(label, algorithm)

    def sign(self, label: str, message: Signable) -> bytes:
        self._touches -= 1
        if self._touches < 0:
            raise TouchTimeoutError("nobody touched the card")
        return self._session.sign(label, message)

    def attestation(self, label: str) -> tuple[bytes, ...]:
        return self._session.attestation(label)

    def objects(self) -> tuple[TokenObject, ...]:
        return self._session.objects()

    def destroy(self, label: str) -> None:
        raise AssertionError(label)


def run_with(house: House, request: Path, token: str, change: Callable[[Token], Token]) -> SigningResponse:
    """``sign`` as the command calls it, with a changed token."""
    votes = [Path(str(part)).read_bytes() for part in house.votes(request) if part != "--approval"]
    real = house.edges().open_token(house.uri(token))
    custodian = Custodian(change(real), token, lambda _: PIN, lambda _: None)
    authority = read(request).index.authority
    return sign(open_home(house.home(authority)), read(request), Brought(tuple(votes)), custodian, house.clock).response


def test_after_a_touch_that_came_too_late_the_rest_is_signed(rooted: House) -> None:
    request = rooted.request("product-phone", "manifest")
    rooted.votes(request)
    with pytest.raises(TouchTimeoutError):
        run_with(rooted, request, "manifest-a", lambda token: Changed(token, touches=2))
    assert logged(rooted, "manifest").count(EntryType.SIGN_PERFORMED) == 2
    answer = run_with(rooted, request, "manifest-a", lambda token: token)
    assert [item.role for item in answer.signatures] == ["targets"]  # the others under their own decision
    assert logged(rooted, "manifest").count(EntryType.SIGN_PERFORMED) == 3


@pytest.mark.parametrize("home", ["hsm", "development"])
def test_staging_signs_with_no_key_file(rooted: House, home: str) -> None:
    request = rooted.request("product-phone")
    rooted.votes(request)

    def changed(token: Token) -> Token:
        return Changed(token, replace(token.identity(), home=home))

    if home == "hsm":
        assert run_with(rooted, request, "payload-a", changed).decision == "PASSED"
        return
    with pytest.raises(RefusedError) as caught:
        run_with(rooted, request, "payload-a", changed)
    assert caught.value.rule == "ENVIRONMENT-MATCH"


# --- the root chain, the clock, the files ---


@pytest.mark.rule("ROOT-CHAIN", "accept")
def test_a_request_brings_the_root_that_is_trusted(rooted: House) -> None:
    request = rooted.request("product-phone")
    assert "context/root/1.root.json" in read(request).members
    rooted.signed_by(request, "payload-a")


@pytest.mark.rule("ROOT-CHAIN", "reject")
def test_a_request_with_another_root_in_that_place_is_refused(
    rooted: House, capsys: pytest.CaptureFixture[str]
) -> None:
    old = rooted.request("product-phone")
    root = json.loads(read(old).members["context/root/1.root.json"])
    root["signed"]["expires"] = "2030-01-01T00:00:00Z"
    members = {"context/root/1.root.json": json.dumps(root).encode()}
    request = remake(old, rooted.path / "other.enigmreq", members)
    assert rooted.signs(request, "payload-a", rooted.votes(request)) == 3
    assert "error: ROOT-CHAIN" in capsys.readouterr().err


def test_a_clock_behind_the_log_signs_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    votes = house.votes(request)
    house.clock.time -= timedelta(seconds=1)
    assert house.signs(request, "root-a", votes) == 3
    assert "error: LOG-TIME" in capsys.readouterr().err


def test_an_existing_response_is_never_overwritten(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    house.response(request, "root-a").write_text("precious")
    assert house.signs(request, "root-a", house.votes(request)) == 2
    assert "exists already" in capsys.readouterr().err
    assert house.response(request, "root-a").read_text() == "precious"
    assert logged(house) == [
        EntryType.AUTHORITY_CREATED,
        EntryType.OPERATORS_CHANGED,
        EntryType.INVENTORY_CHANGED,
    ]


def test_a_changed_log_signs_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    house.signed_by(request, "root-a")
    log = house.home("release") / "audit.log"
    edit_entries(log, lambda lines: [line.replace(b'"passed":true', b'"passed":null') for line in lines])
    assert house.signs(request, "root-b", house.votes(request)) == 3
    assert "error: LOG-TREE" in capsys.readouterr().err


def test_inspecting_shows_every_rule_and_changes_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    request = house.request("root-1")
    before = log_state(house.home("release") / "audit.log")
    capsys.readouterr()
    assert house.sign("request", "inspect", request, "--home", house.home("release"), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["passed"] is False
    assert {rule["rule"] for rule in shown["rules"] if not rule["passed"]} == {"QUORUM-COUNT", "QUORUM-PARTITION"}
    assert shown["words"].split()[-4:] == last_words(shown["digest"]).split()
    assert log_state(house.home("release") / "audit.log") == before
