"""Statements of a build count only as far as configured keys signed them, about these bytes, from this source."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enigm_testkit.builders import COMMIT, REF, REPOSITORY, Maker
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.build_evidence import BuildStatement, is_envelope, read_build_statement
from enigm_tuf.trust.build_evidence import (
    Built,
    Signer,
    SourceDemand,
    require_provenance,
    require_rebuilds,
    require_signer_keys,
    require_tests,
)

OTA = "5" * 64
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ALPHA, BETA, GIT, LAB = (
    Maker("https://a.example"),
    Maker("https://b.example"),
    Maker("https://git.example"),
    Maker("lab"),
)


def read(*envelopes: bytes) -> list[BuildStatement]:
    return [read_build_statement(data, f"evidence-{at}") for at, data in enumerate(envelopes)]


def built(*envelopes: bytes, reviewers: tuple[Signer, ...] | None = (GIT.signer,), ref: str = REF) -> tuple[Built, ...]:
    source = SourceDemand(REPOSITORY, (ref,), reviewers)
    return require_provenance("ota.zip", OTA, read(*envelopes), (ALPHA.signer, BETA.signer), source)


@pytest.mark.rule("PROVENANCE", "accept")
def test_a_signed_reviewed_build_from_the_right_source_counts() -> None:
    (account,) = built(ALPHA.provenance({"ota.zip": OTA}), GIT.review())
    assert (account.builder.id, account.revision.commit, account.statement) == (ALPHA.id, COMMIT, "evidence-0")


@pytest.mark.rule("PROVENANCE", "reject")
@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"builder": "https://evil.example"}, "provenance by an allowed builder"),
        ({"builder": BETA.id}, "provenance by an allowed builder"),
        ({"repository": "git+https://evil.example/os"}, r"source: expected one revision of .*, got git.https://evil"),
        ({"ref": "refs/heads/topic"}, f"ref: expected {REF}, got refs/heads/topic"),
        ({"ref": ""}, f"ref: expected {REF}, got none$"),
        ({"commit": "2" * 40}, f"review: expected a review by two of commit {'2' * 40}"),
    ],
)
def test_provenance_that_differs_in_one_thing_is_refused(changes: dict[str, Any], refused: str) -> None:
    with pytest.raises(RefusedError, match=refused) as caught:
        built(ALPHA.provenance({"ota.zip": OTA}, **changes), GIT.review())
    assert caught.value.rule == "PROVENANCE"


def test_a_file_is_known_by_its_bytes_under_another_name_too() -> None:
    assert built(ALPHA.provenance({"out/signed-ota.zip": OTA}), GIT.review())


def test_a_second_signature_by_somebody_else_takes_nothing_away() -> None:
    envelopes = [json.loads(maker.provenance({"ota.zip": OTA}, builder=ALPHA.id)) for maker in (Maker("x"), ALPHA)]
    assert envelopes[0]["payload"] == envelopes[1]["payload"]
    both = envelopes[0] | {"signatures": [*envelopes[0]["signatures"], *envelopes[1]["signatures"]]}
    assert built(json.dumps(both).encode(), GIT.review())


def test_a_build_that_names_no_source_is_told_so() -> None:
    statement = json.loads(base64.b64decode(json.loads(ALPHA.provenance({"ota.zip": OTA}))["payload"]))
    statement["predicate"]["buildDefinition"]["resolvedDependencies"].pop()
    with pytest.raises(RefusedError, match=rf"source: expected one revision of {re.escape(REPOSITORY)}, got none$"):
        built(ALPHA.envelope(statement), GIT.review())


def test_a_build_of_another_file_says_nothing_of_this_one() -> None:
    with pytest.raises(RefusedError, match="provenance by an allowed builder"):
        built(ALPHA.provenance({"other.zip": "6" * 64}), GIT.review())


@pytest.mark.parametrize(
    "review",
    [
        GIT.review(verificationResult="FAILED"),
        GIT.review(verifiedLevels=["SLSA_SOURCE_LEVEL_3"]),
        GIT.review(resourceUri="git+https://git.enigm.example/other"),
        GIT.review(verifier={"id": "https://elsewhere.example"}),
        GIT.review(commit="3" * 40),
        ALPHA.review(verifier={"id": GIT.id}),
    ],
)
def test_a_review_that_is_not_of_this_commit_by_this_reviewer_is_none(review: bytes) -> None:
    with pytest.raises(RefusedError, match="review by two"):
        built(ALPHA.provenance({"ota.zip": OTA}), review)


def test_where_no_review_is_demanded_none_is_needed() -> None:
    assert built(ALPHA.provenance({"ota.zip": OTA}), reviewers=None)


def test_statements_of_strangers_change_nothing() -> None:
    stranger = Maker(ALPHA.id)
    evil = stranger.provenance({"ota.zip": "6" * 64})
    assert len(built(evil, ALPHA.provenance({"ota.zip": OTA}), GIT.review())) == 1
    with pytest.raises(RefusedError, match=r"PROVENANCE: ota\.zip: expected provenance by an allowed builder"):
        built(stranger.provenance({"ota.zip": OTA}), GIT.review())


def test_one_changed_byte_of_a_statement_takes_its_signature_away() -> None:
    envelope = json.loads(ALPHA.provenance({"ota.zip": OTA}))
    payload = base64.b64decode(envelope["payload"]).replace(b"phone-user", b"phone-uzer")
    envelope["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(RefusedError, match="an allowed builder"):
        built(json.dumps(envelope).encode(), GIT.review())


@pytest.mark.rule("REBUILD", "accept")
def test_two_builders_agree_bit_by_bit() -> None:
    accounts = built(ALPHA.provenance({"ota.zip": OTA}), BETA.provenance({"ota.zip": OTA}), GIT.review())
    assert require_rebuilds("ota.zip", accounts, 2) == (ALPHA.id, BETA.id)


@pytest.mark.rule("REBUILD", "reject")
def test_one_builder_twice_is_no_rebuild() -> None:
    accounts = built(ALPHA.provenance({"ota.zip": OTA}), ALPHA.provenance({"ota.zip": OTA, "b": OTA}), GIT.review())
    with pytest.raises(RefusedError, match=r"REBUILD: ota\.zip: expected 2 builders that share no key"):
        require_rebuilds("ota.zip", accounts, 2)


def test_a_builder_that_made_other_bytes_of_that_name_is_a_finding_and_not_left_out() -> None:
    with pytest.raises(RefusedError, match=rf"PROVENANCE: ota.zip, evidence-1: expected SHA-256 {OTA}, got {'6' * 64}"):
        built(ALPHA.provenance({"ota.zip": OTA}), BETA.provenance({"ota.zip": "6" * 64}), GIT.review())


def test_two_names_for_one_key_are_no_two_builders() -> None:
    twin = Maker(BETA.id, ALPHA.key)
    source = SourceDemand(REPOSITORY, (REF,), None)
    statements = read(ALPHA.provenance({"ota.zip": OTA}), twin.provenance({"ota.zip": OTA}))
    accounts = require_provenance("ota.zip", OTA, statements, (ALPHA.signer, twin.signer), source)
    with pytest.raises(RefusedError, match="share no key"):
        require_rebuilds("ota.zip", accounts, 2)


def test_the_same_bytes_from_two_commits_are_no_rebuild() -> None:
    other = BETA.provenance({"ota.zip": OTA}, commit="4" * 40)
    accounts = built(ALPHA.provenance({"ota.zip": OTA}), other, GIT.review(), GIT.review("4" * 40))
    with pytest.raises(RefusedError, match=r"REBUILD: ota\.zip, commit"):
        require_rebuilds("ota.zip", accounts, 2)


def test_without_an_account_there_is_no_rebuild() -> None:
    with pytest.raises(RefusedError, match=r"commit: expected one that all builders built, got none$"):
        require_rebuilds("ota.zip", (), 0)


def test_a_rebuild_that_is_refused_names_the_builders_that_agree() -> None:
    accounts = built(ALPHA.provenance({"ota.zip": OTA}), GIT.review())
    with pytest.raises(RefusedError, match=rf"expected 2 builders that share no key, got {re.escape(ALPHA.id)}$"):
        require_rebuilds("ota.zip", accounts, 2)


def passed(*envelopes: bytes) -> tuple[str, datetime]:
    return require_tests("ota.zip", OTA, read(*envelopes), (LAB.signer,), DAY, NOW)


@pytest.mark.rule("TESTS", "accept")
def test_a_result_as_old_as_is_allowed_counts() -> None:
    assert passed(LAB.tests(OTA, NOW - DAY)) == ("lab", NOW - DAY)


def test_a_result_of_this_very_second_counts() -> None:
    assert passed(LAB.tests(OTA, NOW)) == ("lab", NOW)


def test_of_several_results_the_newest_counts() -> None:
    results = [LAB.tests(OTA, NOW - age) for age in (3 * DAY, DAY, DAY, 2 * DAY)]
    assert passed(*results) == ("lab", NOW - DAY)


@pytest.mark.rule("TESTS", "reject")
@pytest.mark.parametrize(
    ("envelope", "refused"),
    [
        (LAB.tests(OTA, NOW - DAY - timedelta(seconds=1)), "expected a result from after 2026-11-25 12:00:00"),
        (LAB.tests(OTA, NOW + timedelta(seconds=1)), "expected a result from before 2026-11-26 12:00:00"),
        (LAB.tests(OTA, NOW, result="WARNED"), "expected PASSED, and no failed test, got WARNED"),
        (LAB.tests(OTA, NOW, failedTests=["boot"]), "got PASSED, 1 failed"),
        (LAB.tests("6" * 64, NOW), "expected a test result by an allowed tester"),
        (ALPHA.tests(OTA, NOW), "expected a test result by an allowed tester"),
    ],
)
def test_a_result_that_differs_in_one_thing_is_refused(envelope: bytes, refused: str) -> None:
    with pytest.raises(RefusedError, match=refused) as caught:
        passed(envelope)
    assert caught.value.rule == "TESTS"


@pytest.mark.parametrize(
    ("finished", "told"),
    [
        ("yesterday", "must be a time, is 'yesterday'"),
        ("2026-11-26T12:00:00", "with its zone"),
        ("0001-01-01T00:00:00+23:59", "beyond what a calendar holds"),
        (7, "finishedOn"),
    ],
)
def test_a_result_whose_time_is_none_is_malformed(finished: object, told: str) -> None:
    with pytest.raises(MalformedError, match=told):
        passed(LAB.tests(OTA, NOW, finishedOn=finished))


def test_a_failure_is_not_hidden_behind_a_later_success() -> None:
    with pytest.raises(RefusedError, match="got FAILED"):
        passed(LAB.tests(OTA, NOW - timedelta(hours=2), result="FAILED"), LAB.tests(OTA, NOW))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"payloadType": "text/plain"}, "payloadType: must be application/vnd.in-toto"),
        ({"payload": "?"}, "payload: must be base64"),
        ({"signatures": []}, "signatures: 1 to 10 signatures, has 0"),
        ({"signatures": [7]}, r"signatures\[0\]"),
    ],
)
def test_a_broken_envelope_is_malformed(change: dict[str, Any], told: str) -> None:
    envelope = json.loads(ALPHA.provenance({"ota.zip": OTA})) | change
    with pytest.raises(MalformedError, match=told):
        read(json.dumps(envelope).encode())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "_type"),
        ({"subject": []}, "subject: 1 to"),
        ({"subject": [{"name": "ota.zip", "digest": {"sha256": 5}}]}, "digest.sha256"),
        ({"predicate": None}, "predicate"),
        (
            {"predicate": {"buildDefinition": {"buildType": 7}, "runDetails": {"builder": {"id": ALPHA.id}}}},
            "buildType",
        ),
    ],
)
def test_a_broken_statement_of_an_allowed_builder_is_malformed(change: dict[str, Any], told: str) -> None:
    statement = json.loads(base64.b64decode(json.loads(ALPHA.provenance({"ota.zip": OTA}))["payload"])) | change
    with pytest.raises(MalformedError, match=told):
        built(ALPHA.envelope(statement), GIT.review())


def test_only_an_envelope_is_taken_for_one() -> None:
    assert is_envelope(GIT.review())
    assert not is_envelope(b'{"spdxVersion": "SPDX-2.3"}')
    assert not is_envelope(b"\x7fELF")


@pytest.mark.parametrize("key", ["", "AAAA", "no base64", f"{LAB.public[:8]} {LAB.public[8:]}"])
def test_a_configured_key_that_is_none_is_told(key: str) -> None:
    with pytest.raises(MalformedError, match=r"repository\.toml: builders: lab: not a public key"):
        require_signer_keys([Signer("lab", (key,))], "repository.toml", "builders")


def test_a_configured_key_stands_once() -> None:
    with pytest.raises(MalformedError, match="stands there already"):
        require_signer_keys([LAB.signer, Signer("twin", LAB.signer.keys)], "repository.toml", "testers")
