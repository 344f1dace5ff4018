"""KEY, SOURCE, GATE, TIME, RATE, CEREMONY: each demand one second, one signature or one word each side of its limit."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from enigm_testkit.authorities import NOW, extension_of, key_info, make_root
from enigm_testkit.builders import COMMIT, REF, REPOSITORY, Maker
from enigm_testkit.requests import ALICE, Scene
from enigm_testkit.scenes import (
    halt,
    manifest_release,
    next_root,
    one_authority,
    payload_product,
    payload_release,
    payload_roles,
)
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import replace
from enigm_tuf.policy.question import OpenCeremony, SigningKey

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SIGNER = SigningKey("a" * 64, "non-extractable", None)
FARM, FOUNDRY = Maker("https://enigm.example/farm"), Maker("https://enigm.example/foundry")
REVIEWER, LAB = Maker("https://enigm.example/review"), Maker("https://enigm.example/lab")
DIGEST = sha256(b"ota 1.1")


# --- keys ---


def with_card(firmware: str, attestation: str | None = None, *, demanded: bool = False) -> Scene:
    """The next root names a PIV card for one of the manifest keys; its people are on HSMs."""
    scene = next_root()
    keyinfo = scene.new_root.unrecognized_fields[FIELD]["keyinfo"]
    info = key_info(scene.cast.manifest[0], home="piv")
    info["token"] = info["token"] | {"firmware": firmware}
    for root in (scene.new_root, scene.root):
        assert root is not None
        own = dict(info) | ({"attestation": attestation} if attestation else {})
        root.unrecognized_fields[FIELD]["keyinfo"] = dict(keyinfo) | {scene.cast.manifest[0].public_key.keyid: own}
    scene.replace_policy('piv_firmware = "0"', 'piv_firmware = "5.7.0"')
    if demanded:
        scene.replace_policy("attested = []", 'attested = ["piv"]')
    scene.pin_policy(scene.root)
    return scene


@pytest.mark.rule("KEY-FIRMWARE", "accept")
def test_a_card_of_the_lowest_firmware_or_newer_counts() -> None:
    for firmware in ("5.7", "5.7.0", "5.7.4", "5.10.1"):
        assert with_card(firmware).refused_by() == []
    assert with_card("5.7.0").said("KEY-FIRMWARE") == "1 cards, none below 5.7.0"


@pytest.mark.rule("KEY-FIRMWARE", "reject")
@pytest.mark.parametrize("firmware", ["5.6.9", "5.4.3", "", "unknown"])
def test_a_card_of_older_or_unknown_firmware_is_refused(firmware: str) -> None:
    assert with_card(firmware).refused_by() == ["KEY-FIRMWARE"]


def approving_card(firmware: str, *attestation: str, status: str = "active") -> Scene:
    scene = payload_release()
    (key,) = ALICE.listed().approval_keys
    token = replace(key.record.token, firmware=firmware)
    record = replace(key.record, home="piv", token=token, attestation=attestation)
    scene.change_operator("alice", approval_keys=(replace(key, record=record),))
    scene.change_operator("carol", approval_keys=(), status=status)
    scene.replace_policy('piv_firmware = "0"', 'piv_firmware = "5.7.0"')
    return scene


def test_the_cards_of_operators_are_looked_at_too() -> None:
    assert approving_card("5.7.1").refused_by() == []
    assert approving_card("5.6.0").refused_by() == ["KEY-FIRMWARE"]
    assert "operator alice" in approving_card("5.6.0").said("KEY-FIRMWARE")


@pytest.mark.rule("KEY-ATTESTED", "accept")
def test_an_attested_key_counts_where_attestation_is_demanded() -> None:
    scene = with_card("5.7.0", "c" * 64, demanded=True)
    assert scene.refused_by() == []
    assert scene.said("KEY-ATTESTED") == "1 keys attested"


@pytest.mark.rule("KEY-ATTESTED", "reject")
def test_a_key_without_attestation_is_refused_where_it_is_demanded() -> None:
    assert with_card("5.7.0").refused_by() == []
    assert with_card("5.7.0", demanded=True).refused_by() == ["KEY-ATTESTED"]
    scene = approving_card("5.7.0")
    scene.replace_policy("attested = []", 'attested = ["piv"]')
    assert scene.refused_by() == ["KEY-ATTESTED"]


# --- builds and tests ---


def proved(*statements: bytes, rebuilds: int = 1, scene: Scene | None = None) -> Scene:
    """A release of ``phone``, whose builds the policy wants proved, with these statements."""
    scene = scene or payload_release()
    makers = [f'{{id = "{maker.id}", keys = ["{maker.public}"]}}' for maker in (FARM, FOUNDRY, REVIEWER)]
    scene.replace_policy(
        '[source]\nunproved = ["*"]\nproducts = []',
        "[source]\nunproved = []\n[[source.products]]\n"
        f'product = "phone"\nrepository = "{REPOSITORY}"\nrefs = ["{REF}"]\nrebuilds = {rebuilds}\n'
        f"builders = [{makers[0]}, {makers[1]}]\nreviewers = [{makers[2]}]",
    )
    scene.members |= {f"evidence/provenance/{number}.json": data for number, data in enumerate(statements)}
    return scene


@pytest.mark.rule("SOURCE-BUILDER", "accept")
def test_what_an_allowed_builder_built_from_reviewed_source_is_signed() -> None:
    scene = proved(FARM.provenance({"ota.zip": DIGEST}), REVIEWER.review(), b'{"spdxVersion": "SPDX-2.3"}')
    assert scene.refused_by() == []
    assert scene.said("SOURCE-BUILDER") == f"ota.zip: {FARM.id}"


STRANGER = Maker(FARM.id)


@pytest.mark.rule("SOURCE-BUILDER", "reject")
@pytest.mark.parametrize(
    "statements",
    [
        (),
        (FARM.provenance({"ota.zip": DIGEST}),),
        (REVIEWER.review(),),
        (STRANGER.provenance({"ota.zip": DIGEST}), REVIEWER.review()),
        (FARM.provenance({"ota.zip": "0" * 64}), REVIEWER.review()),
        (FARM.provenance({"ota.zip": DIGEST}, ref="refs/heads/mine"), REVIEWER.review()),
        (FARM.provenance({"ota.zip": DIGEST}, repository="git+https://elsewhere.example"), REVIEWER.review()),
        (FARM.provenance({"ota.zip": DIGEST}, commit="0" * 40), REVIEWER.review()),
        (FARM.provenance({"ota.zip": DIGEST}), REVIEWER.review(verifiedLevels=["SLSA_SOURCE_LEVEL_3"])),
        (FARM.provenance({"ota.zip": DIGEST}), FARM.review()),
    ],
)
def test_what_differs_in_one_thing_is_refused(statements: tuple[bytes, ...]) -> None:
    refused = proved(*statements).refused_by()
    assert "SOURCE-BUILDER" in refused
    assert set(refused) <= {"SOURCE-BUILDER", "SOURCE-REBUILD"}


@pytest.mark.rule("SOURCE-REBUILD", "accept")
def test_two_builders_that_agree_are_two() -> None:
    both = (FARM.provenance({"ota.zip": DIGEST}), FOUNDRY.provenance({"ota.zip": DIGEST}), REVIEWER.review())
    assert proved(*both, rebuilds=2).refused_by() == []
    assert proved(*both, rebuilds=2).said("SOURCE-REBUILD") == f"ota.zip: {FARM.id}, {FOUNDRY.id}"


@pytest.mark.rule("SOURCE-REBUILD", "reject")
def test_one_builder_or_one_that_built_something_else_is_not_two() -> None:
    one = (FARM.provenance({"ota.zip": DIGEST}), FARM.provenance({"ota.zip": DIGEST}), REVIEWER.review())
    assert proved(*one, rebuilds=2).refused_by() == ["SOURCE-REBUILD"]
    other = (FARM.provenance({"ota.zip": DIGEST}), FOUNDRY.provenance({"ota.zip": "0" * 64}), REVIEWER.review())
    assert "SOURCE-REBUILD" in proved(*other, rebuilds=2).refused_by()
    commits = (
        *(FARM.provenance({"ota.zip": DIGEST}), FOUNDRY.provenance({"ota.zip": DIGEST}, commit="0" * 40)),
        *(REVIEWER.review(), REVIEWER.review("0" * 40)),
    )
    assert proved(*commits, rebuilds=2).refused_by() == ["SOURCE-REBUILD"]
    assert COMMIT != "0" * 40


def with_results(*results: bytes, hours: int = 24, scene: Scene | None = None) -> Scene:
    scene = scene or payload_release()
    tester = f'{{id = "{LAB.id}", keys = ["{LAB.public}"]}}'
    scene.replace_policy(
        '[gate]\nuntested = ["*"]\nproducts = []',
        '[gate]\nuntested = []\n[[gate.products]]\nproduct = "phone"\n'
        f"testers = [{tester}]\nmaximum_age_hours = {hours}",
    )
    scene.members |= {f"evidence/provenance/t{number}.json": data for number, data in enumerate(results)}
    return scene


@pytest.mark.rule("GATE-TESTS", "accept")
def test_a_result_counts_to_the_last_second() -> None:
    scene = with_results(LAB.tests(DIGEST, NOW - 24 * HOUR))
    assert scene.refused_by() == []
    assert scene.said("GATE-TESTS").startswith(f"ota.zip: {LAB.id}, ")


@pytest.mark.rule("GATE-TESTS", "reject")
@pytest.mark.parametrize(
    "results",
    [
        (),
        (LAB.tests(DIGEST, NOW - 24 * HOUR - SECOND),),
        (LAB.tests(DIGEST, NOW + SECOND),),
        (LAB.tests("0" * 64, NOW - HOUR),),
        (FARM.tests(DIGEST, NOW - HOUR),),
        (LAB.tests(DIGEST, NOW - HOUR, result="FAILED"),),
        (LAB.tests(DIGEST, NOW - HOUR), LAB.tests(DIGEST, NOW - 2 * HOUR, failedTests=["boot"])),
    ],
)
def test_a_result_that_is_too_old_or_differs_in_one_thing_is_refused(results: tuple[bytes, ...]) -> None:
    assert with_results(*results).refused_by() == ["GATE-TESTS"]


@pytest.mark.parametrize("make", [payload_product, payload_roles, manifest_release, halt])
def test_what_adds_no_payload_of_this_authority_needs_no_proof(make: Any) -> None:
    assert proved(scene=make()).refused_by() == []
    assert with_results(scene=make()).refused_by() == []


def test_with_one_authority_it_is_the_manifest_authority_that_asks() -> None:
    said = (FARM.provenance({"ota.zip": DIGEST}), REVIEWER.review())
    assert proved(*said, scene=one_authority(manifest_release())).refused_by() == []
    assert proved(scene=one_authority(manifest_release())).refused_by() == ["SOURCE-BUILDER", "SOURCE-REBUILD"]
    assert with_results(scene=one_authority(manifest_release())).refused_by() == ["GATE-TESTS"]


def test_a_product_that_the_policy_does_not_know_is_refused() -> None:
    for section, excepted, rules in (
        ("source", "unproved", ["SOURCE-BUILDER", "SOURCE-REBUILD"]),
        ("gate", "untested", ["GATE-TESTS"]),
    ):
        for known, refused in (('"phone"', []), ('"tablet"', rules)):
            scene = payload_release()
            scene.replace_policy(f'[{section}]\n{excepted} = ["*"]', f"[{section}]\n{excepted} = [{known}]")
            assert scene.refused_by() == refused


def test_evidence_that_is_half_an_envelope_is_refused_by_its_name() -> None:
    with pytest.raises(MalformedError, match=r"evidence/provenance/0\.json"):
        proved(b'{"payloadType": "application/vnd.in-toto+json", "signatures": []}').question()


# --- time ---


def frozen(start: datetime, end: datetime, action: str = "release") -> Scene:
    scene = payload_release()
    window = f'start = "{_text(start)}", end = "{_text(end)}", actions = ["{action}"], reason = "holidays"'
    scene.replace_policy("\nfreezes = []", f"\nfreezes = [{{{window}}}]")
    return scene


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.rule("TIME-FREEZE", "accept")
def test_outside_a_window_and_for_other_actions_is_signed() -> None:
    assert frozen(NOW - HOUR, NOW).refused_by() == []
    assert frozen(NOW + SECOND, NOW + HOUR).refused_by() == []
    assert frozen(NOW - HOUR, NOW + HOUR, "product").refused_by() == []


@pytest.mark.rule("TIME-FREEZE", "reject")
@pytest.mark.parametrize(("start", "end"), [(NOW, NOW + HOUR), (NOW - HOUR, NOW + SECOND)])
def test_in_a_window_from_its_first_second_to_its_last_nothing_is_signed(start: datetime, end: datetime) -> None:
    assert frozen(start, end).refused_by() == ["TIME-FREEZE"]
    assert "holidays" in frozen(start, end).said("TIME-FREEZE")


def weekly(start: str, end: str, action: str = "release", zone: str = "Europe/Zurich") -> Scene:
    """It is Monday, 21:00 in Zurich."""
    scene = payload_release()
    window = f'zone = "{zone}", start = "{start}", end = "{end}", actions = ["{action}"], reason = "nobody is there"'
    scene.replace_policy("weekly_freezes = []", f"weekly_freezes = [{{{window}}}]")
    return scene


@pytest.mark.rule("TIME-FREEZE", "accept")
def test_outside_the_windows_of_every_week_is_signed() -> None:
    assert weekly("mon 20:00", "mon 21:00").refused_by() == []
    assert weekly("mon 21:01", "sun 23:00").refused_by() == []
    assert weekly("fri 16:00", "tue 07:00", "product").refused_by() == []
    assert weekly("mon 21:00", "mon 22:00", zone="UTC").refused_by() == []


@pytest.mark.rule("TIME-FREEZE", "reject")
@pytest.mark.parametrize(("start", "end"), [("mon 21:00", "mon 22:00"), ("fri 16:00", "mon 21:01")])
def test_in_a_window_of_every_week_nothing_is_signed(start: str, end: str) -> None:
    scene = weekly(start, end)
    assert scene.refused_by() == ["TIME-FREEZE"]
    told = f"nobody is there: expected a time outside {start} .. {end} of every week in Europe/Zurich"
    assert told in scene.said("TIME-FREEZE")


def test_a_policy_with_an_unknown_zone_is_not_read() -> None:
    with pytest.raises(MalformedError, match=r"time\.weekly_freezes\[0\]\.zone: no such zone on this machine"):
        weekly("fri 16:00", "mon 07:00", zone="Europe/Nowhere").question()


def cooling(hours: int, created: datetime) -> Scene:
    scene = payload_release()
    text = next(line for line in scene.policy.splitlines() if line.startswith("cool_down_hours"))
    scene.replace_policy(text, text.replace("release = 0", f"release = {hours}"))
    scene.index["created"] = created
    return scene


@pytest.mark.rule("TIME-COOL-DOWN", "accept")
def test_a_request_that_has_been_there_long_enough_is_signed() -> None:
    assert cooling(1, NOW - HOUR).refused_by() == []


@pytest.mark.rule("TIME-COOL-DOWN", "reject")
def test_a_request_that_came_a_second_too_late_waits() -> None:
    assert cooling(1, NOW - HOUR + SECOND).refused_by() == ["TIME-COOL-DOWN"]
    assert cooling(2, NOW - HOUR).refused_by() == ["TIME-COOL-DOWN"]


# --- rate ---


@pytest.mark.rule("RATE-SESSION", "accept")
def test_as_many_signatures_as_a_session_may_make() -> None:
    scene = manifest_release()
    scene.replace_policy("signatures_per_session = 100", "signatures_per_session = 2")
    assert scene.refused_by() == []
    assert scene.said("RATE-SESSION") == "2 of at most 2"


@pytest.mark.rule("RATE-SESSION", "reject")
def test_one_signature_more_is_refused() -> None:
    scene = manifest_release()
    scene.replace_policy("signatures_per_session = 100", "signatures_per_session = 1")
    assert scene.refused_by() == ["RATE-SESSION"]


def daily(most: int, *ago: timedelta) -> Scene:
    scene = payload_release()
    scene.replace_policy("signatures_per_day = 10000", f"signatures_per_day = {most}")
    scene.ledger["signatures"] = tuple(NOW - item for item in ago)
    return scene


@pytest.mark.rule("RATE-DAY", "accept")
def test_signatures_of_24_hours_ago_do_not_count() -> None:
    assert daily(3, HOUR, 24 * HOUR - SECOND).refused_by() == []
    assert daily(2, HOUR, 24 * HOUR).refused_by() == []


@pytest.mark.rule("RATE-DAY", "reject")
def test_one_signature_too_many_in_24_hours_is_refused() -> None:
    assert daily(2, HOUR, 24 * HOUR - SECOND).refused_by() == ["RATE-DAY"]


def test_lint_says_that_the_authority_counts() -> None:
    scene = daily(1)
    scene.ledger["signatures"] = None
    assert scene.said("RATE-DAY") == "at most 1 in 24 hours, which the authority counts"


# --- ceremonies ---


def in_ceremony(opened: datetime | None, hours: int = 12) -> Scene:
    scene = payload_release()
    text = next(line for line in scene.policy.splitlines() if line.startswith("open_hours"))
    scene.replace_policy(text, text.replace("release = 0", f"release = {hours}"))
    scene.signer = SIGNER
    scene.ledger["ceremonies"] = (OpenCeremony("ab" * 16, "routine-sign", opened),) if opened else ()
    return scene


@pytest.mark.rule("CEREMONY-OPEN", "accept")
def test_in_a_ceremony_that_opened_lately_is_signed() -> None:
    assert in_ceremony(NOW - 12 * HOUR).refused_by() == []
    assert in_ceremony(None, 0).refused_by() == [], "none is demanded"


@pytest.mark.rule("CEREMONY-OPEN", "reject")
@pytest.mark.parametrize("opened", [None, NOW - 12 * HOUR - SECOND])
def test_without_a_ceremony_or_in_one_that_was_forgotten_nothing_is_signed(opened: datetime | None) -> None:
    assert in_ceremony(opened).refused_by() == ["CEREMONY-OPEN"]


def test_before_anybody_signs_the_ceremony_is_only_told() -> None:
    scene = in_ceremony(None)
    scene.signer = None
    assert scene.refused_by() == []
    assert scene.said("CEREMONY-OPEN").startswith("when it is signed, in a ceremony")


# --- the sections themselves ---


def freezes(start: str, end: str) -> str:
    return f"freezes = [{{start = {start}, end = {end}, actions = ['release'], reason = 'x'}}]"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('[key]\npiv_firmware = "0"\nattested = []', "", "key: missing field"),
        ('piv_firmware = "0"', 'piv_firmware = "five"', "key.piv_firmware: must be a version"),
        ("attested = []", 'attested = ["development"]', "key.attested[0]: must be one of piv, hsm"),
        ("\nfreezes = []", "", "time.freezes: missing field"),
        ("weekly_freezes = []", "", "time.weekly_freezes: missing field"),
        ("root = 0, ", "", "time.cool_down_hours.root: missing"),
        ("signatures_per_session = 100", "signatures_per_session = 0", "rate.signatures_per_session: must lie in"),
        ('unproved = ["*"]', 'unproved = ["*", "phone"]', "source.products: * is every product"),
        ('untested = ["*"]', 'untested = ["phone", "phone"]', "gate.untested: no item may stand twice"),
        ("[rate]", "[rate]\nforce = true", "rate.force: unknown field"),
        (
            "freezes = []",
            freezes('"2026-12-24T00:00:00"', '"2026-12-27T00:00:00Z"'),
            "time.freezes[0].start: must be a time in UTC",
        ),
        (
            "freezes = []",
            freezes("2026-12-24T00:00:00", "2026-12-27T00:00:00Z"),
            "time.freezes[0].start: must be a time in UTC",
        ),
        (
            "freezes = []",
            freezes('"2026-12-27T00:00:00Z"', '"2026-12-27T00:00:00Z"'),
            "time.freezes[0].end: must lie after start",
        ),
    ],
)
def test_a_section_with_one_wrong_thing_is_refused_by_its_field(old: str, new: str, told: str) -> None:
    scene = payload_release()
    assert old in scene.policy
    scene.policy = scene.policy.replace(old, new, 1)
    with pytest.raises(MalformedError) as caught:
        scene.question()
    assert told in str(caught.value)


def test_more_rebuilds_than_builders_are_refused() -> None:
    with pytest.raises(MalformedError, match=r"source.phone.rebuilds: 3 asked, there are 2 builders"):
        proved(rebuilds=3).question()


def test_a_key_that_is_none_is_refused() -> None:
    scene = proved()
    scene.replace_policy(FARM.public, "AAAA")
    with pytest.raises(MalformedError, match=r"source.phone: .* not a public key"):
        scene.question()


def test_the_root_in_force_is_looked_at_where_none_is_proposed() -> None:
    scene = payload_release()
    extension = extension_of(scene.cast)
    info = key_info(scene.cast.root[0], home="piv")
    extension["keyinfo"][scene.cast.root[0].public_key.keyid] = info | {"token": info["token"] | {"firmware": "4.0"}}
    scene.root = make_root(scene.cast, extension=extension)
    scene.replace_policy('piv_firmware = "0"', 'piv_firmware = "5.7.0"')
    assert scene.refused_by() == ["KEY-FIRMWARE"]
