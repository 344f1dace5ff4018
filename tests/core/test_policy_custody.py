"""KEY: do keys that are counted together lie on different tokens and with different people?"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from enigm_testkit.authorities import NOW
from enigm_testkit.custodians import ENROLLED, Voter, key_record
from enigm_testkit.requests import ALICE, BOB, CAROL, Ballot, Scene, ballot
from enigm_testkit.scenes import first_root, next_root, payload_release
from enigm_testkit.waivers import waiver
from enigm_tuf.authorities.role_keys import key_of_role
from enigm_tuf.model.operators import ApprovalKey
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root
from enigm_tuf.model.value import replace
from enigm_tuf.policy.custodians import custodians_of, roots_of, signed_with
from enigm_tuf.policy.engine import evaluate
from enigm_tuf.policy.question import Backer
from enigm_tuf.trust.root_rules import view_root

NOT_BY_BOTH = ["QUORUM-COUNT", "QUORUM-PARTITION", "QUORUM-EXCLUSION"]


@pytest.mark.rule("KEY-CUSTODIAN", "accept")
@pytest.mark.parametrize(("who", "told"), [("dave", "dave"), (None, "when it is signed, by an active custodian")])
def test_a_custodian_of_the_registry_signs(who: str | None, told: str) -> None:
    scene = payload_release()
    scene.custodian = who
    assert scene.refused_by() == []
    assert scene.said("KEY-CUSTODIAN") == told


@pytest.mark.rule("KEY-CUSTODIAN", "reject")
@pytest.mark.parametrize("change", [{"status": "suspended"}, {"status": "left"}, {"roles": ("witness",)}])
def test_who_left_or_is_no_custodian_signs_nothing(change: dict[str, Any]) -> None:
    scene = payload_release()
    scene.change_operator("dave", **change)
    assert scene.refused_by() == ["KEY-CUSTODIAN"]
    assert "expected an active custodian of operators version 2, got dave" in scene.said("KEY-CUSTODIAN")


def test_a_stranger_with_a_key_of_root_signs_nothing() -> None:
    scene = payload_release()
    scene.custodian = "mallory"
    assert scene.refused_by() == ["KEY-CUSTODIAN"]


def handed_over(to: str) -> Scene:
    """A root key that the trusted root gives to alice and the proposed one to somebody else; bob and carol approve."""
    scene = next_root()
    assert scene.root is not None
    keyid = scene.cast.root[0].public_key.keyid
    for root, keeper in ((scene.root, "alice"), (scene.new_root, to)):
        keyinfo = root.unrecognized_fields[FIELD]["keyinfo"]
        keyinfo[keyid] = keyinfo[keyid] | {"custodian": keeper}
    scene.pin_policy(scene.root)
    scene.ballots = [ballot(BOB), ballot(CAROL)]
    return scene


def says_no_to_its_token(scene: Scene) -> list[str]:
    """The rules that refuse when the token of that key is about to sign."""
    key = view_root(trusted(scene)).spki[scene.cast.root[0].public_key.keyid]
    question = signed_with(scene.question(), key, ())
    assert key_of_role(question, "root", key).info.custodian == question.custodian == "alice"
    return [outcome.rule for outcome in evaluate(question).outcomes if not outcome.passed]


def trusted(scene: Scene) -> Root:
    root = scene.question().root
    assert root is not None
    return root.value


@pytest.mark.rule("KEY-CUSTODIAN", "accept")
@pytest.mark.rule("KEY-CUSTODIAN", "reject")
@pytest.mark.parametrize(("status", "refused"), [("active", []), ("suspended", ["KEY-CUSTODIAN"])])
def test_whose_token_it_is_the_trusted_root_says_not_the_one_that_hands_it_over(
    status: str, refused: list[str]
) -> None:
    scene = handed_over("dave")
    scene.change_operator("alice", status=status)
    assert says_no_to_its_token(scene) == refused


@pytest.mark.rule("QUORUM-EXCLUSION", "reject")
@pytest.mark.parametrize(
    ("to", "approver", "refused"), [("dave", CAROL, []), ("dave", ALICE, NOT_BY_BOTH), ("carol", CAROL, NOT_BY_BOTH)]
)
def test_neither_who_gives_a_token_nor_who_gets_it_approves_the_hand_over(
    to: str, approver: Voter, refused: list[str]
) -> None:
    scene = handed_over(to)
    scene.ballots = [ballot(BOB), ballot(approver)]
    assert says_no_to_its_token(scene) == refused


def test_of_a_key_that_no_trusted_root_knows_the_proposed_one_says_whose_it_is() -> None:
    question = first_root().question()
    info = next(iter(roots_of(question)[0].extension.keyinfo.values()))
    assert custodians_of(question, info.spki_sha256) == (info.custodian,)
    assert signed_with(question, info.spki_sha256, ()).tokens == {info.token.serial}
    assert signed_with(question, None, [info.spki_sha256]).tokens == {info.token.serial}
    unknown = signed_with(question, "0" * 64, ())
    assert (unknown.custodian, unknown.tokens) == ("", frozenset())
    assert custodians_of(payload_release().question(), "0" * 64) == ()


def signed_before(scene: Scene, operator: str, device: str) -> Scene:
    """The request was signed an hour ago; the approvals of today are alice's and bob's, and dave signs."""
    scene.ledger = {"backers": {scene.request().digest: (Backer(operator, device, NOW - timedelta(hours=1)),)}}
    scene.tokens = ("dave's token",)
    return scene


@pytest.mark.rule("CUSTODIAN-APART", "accept")
@pytest.mark.rule("CUSTODIAN-APART", "reject")
@pytest.mark.parametrize(
    ("who", "device", "refused"),
    [
        ("carol", "carol's card", []),
        ("dave", "dave's card", ["CUSTODIAN-APART"]),
        ("carol", "dave's token", ["CUSTODIAN-APART"]),
    ],
)
def test_nobody_signs_what_was_signed_under_their_approval(who: str, device: str, refused: list[str]) -> None:
    scene = signed_before(payload_release(), who, device)
    assert scene.refused_by() == refused
    if refused:
        assert f"got {who}, whose approval or waiver it was signed under" in scene.said("CUSTODIAN-APART")
        assert f"counted 2026-11-23T19:00:00+00:00, made with token {device}" in scene.said("CUSTODIAN-APART")


@pytest.mark.rule("CUSTODIAN-APART", "reject")
def test_nor_who_signed_it_with_another_before() -> None:
    scene = signed_before(payload_release(), "erin", "erin's card")
    scene.custodian, scene.custodians = None, ("erin",)
    assert scene.refused_by() == ["CUSTODIAN-APART"]


def test_what_another_request_was_signed_under_says_nothing_of_this_one() -> None:
    scene = signed_before(payload_release(), "dave", "dave's card")
    scene.ledger = {"backers": {"0" * 64: next(iter(scene.ledger["backers"].values()))}}
    assert scene.refused_by() == []


@pytest.mark.rule("CUSTODIAN-APART", "reject")
@pytest.mark.parametrize("statement", [ballot, lambda voter: waiver(voter, "GATE-TESTS")])
def test_a_token_that_approves_or_waives_does_not_sign(statement: Callable[[Voter], Ballot]) -> None:
    scene = payload_release()
    scene.ballots += [statement(CAROL)]
    scene.tokens = (CAROL.listed().approval_keys[0].device,)
    assert "CUSTODIAN-APART" in scene.refused_by()
    scene.tokens = ("another",)
    assert "CUSTODIAN-APART" not in scene.refused_by()


@pytest.mark.rule("KEY-CUSTODY", "accept")
@pytest.mark.parametrize("scene", [first_root, next_root, payload_release])
def test_keys_on_tokens_of_their_own_with_people_of_their_own_pass(scene: Callable[[], Scene]) -> None:
    assert scene().refused_by() == []
    assert scene().said("KEY-CUSTODY") == "root, payload roles"


def share(scene: Scene, group: str, what: str) -> None:
    """The second key of the group is where, or with whom, the first one is."""
    first, second = (signer.public_key.keyid for signer in getattr(scene.cast, group)[:2])
    keyinfo = scene.new_root.unrecognized_fields[FIELD]["keyinfo"]
    keyinfo[second][what] = keyinfo[first][what]


@pytest.mark.rule("KEY-CUSTODY", "reject")
@pytest.mark.parametrize("what", ["token", "custodian"])
@pytest.mark.parametrize("group", ["root", "payload"])
def test_two_keys_on_one_token_or_with_one_person_are_refused(group: str, what: str) -> None:
    scene = first_root()
    share(scene, group, what)
    assert scene.refused_by() == ["KEY-CUSTODY"]
    assert ("2 keys with token" if what == "token" else "2 keys with custodian") in scene.said("KEY-CUSTODY")


RFC_9500_P256 = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
    "422548f88fb782ffb5eca3744452c72a1e558fbd6f73be5e48e93232cc45c5b1"
    "6c4cd10c4cb8d5b8a17139e94882c8992572993425f41419ab7e90a42a494272"
)
"""The public key that RFC 9500 prints beside its private one."""


@pytest.mark.rule("APPROVAL-KNOWN", "accept")
def test_approval_keys_that_nobody_knows_pass() -> None:
    assert payload_release().said("APPROVAL-KNOWN") == "3 approval keys looked up"


@pytest.mark.rule("APPROVAL-KNOWN", "reject")
def test_an_approval_key_that_everybody_has_is_refused() -> None:
    scene = payload_release()
    known = tuf_key(RFC_9500_P256)
    record = replace(
        key_record(CAROL.key, "approval"), key=known.to_dict(), keyid=known.keyid, spki_sha256=sha256(RFC_9500_P256)
    )
    scene.change_operator("carol", approval_keys=(ApprovalKey(record, ENROLLED, NOW.replace(year=2100)),))
    assert scene.refused_by() == ["APPROVAL-KNOWN"]
    assert "operator carol" in scene.said("APPROVAL-KNOWN")
    assert "RFC 9500 testECCP256" in scene.said("APPROVAL-KNOWN")


def test_where_one_signature_is_enough_keys_may_lie_together() -> None:
    scene = first_root()
    share(scene, "manifest", "token")
    assert scene.refused_by() == []


def test_the_proposed_root_is_judged_not_the_one_before_it() -> None:
    scene = next_root()
    assert scene.root is not None
    share(scene, "root", "custodian")
    assert scene.refused_by() == ["KEY-CUSTODY"]
