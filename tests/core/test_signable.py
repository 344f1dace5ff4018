"""What reaches a token is made by a builder, never by hand; a statement is signed in its DSSE encoding."""

import pytest

from enigm_testkit.requests import ALICE
from enigm_testkit.scenes import payload_release
from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.model.approval import read_approval
from enigm_tuf.model.statement import pre_authentication_encoding
from enigm_tuf.model.strict_json import JsonObject, canonical
from enigm_tuf.trust.signable import Signable, SignableStatement, approval, freshness


@pytest.mark.parametrize("kind", [Signable, SignableStatement])
def test_nothing_that_is_made_by_hand_is_signed(kind: type[Signable]) -> None:
    with pytest.raises(MisuseError, match="never by hand"):
        kind("an approval", b"anything")


def test_the_statement_beside_the_bytes_is_the_one_that_is_signed() -> None:
    said = ALICE.approval(payload_release().request())
    message = approval(said)
    assert message.data == pre_authentication_encoding(message.payload)
    assert read_approval(message.payload, "payload") == said


TIMESTAMP: JsonObject = {
    "_type": "timestamp",
    "spec_version": "1.0.33",
    "version": 7,
    "expires": "2026-12-01T00:00:00Z",
    "meta": {"snapshot.json": {"version": 3}},
}


def test_the_freshness_key_signs_a_timestamp() -> None:
    message = freshness(canonical(TIMESTAMP))
    assert (message.purpose, message.data) == ("timestamp version 7", canonical(TIMESTAMP))


@pytest.mark.parametrize("kind", ["snapshot", "targets", "root"])
def test_the_freshness_key_signs_nothing_else(kind: str) -> None:
    with pytest.raises(MisuseError, match="timestamps only"):
        freshness(canonical(TIMESTAMP | {"_type": kind}))


def test_the_freshness_key_signs_no_timestamp_that_names_more_than_a_snapshot() -> None:
    meta = TIMESTAMP["meta"] | {"targets.json": {"version": 3}}
    with pytest.raises(MalformedError, match="holds something that no timestamp has"):
        freshness(canonical(TIMESTAMP | {"meta": meta}))
